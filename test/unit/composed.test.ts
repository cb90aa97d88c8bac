import fc from 'fast-check';
import { expect, it } from 'vitest';
import { composed, composedEnd } from '../../src/base/composed-key.ts';
import { holds } from '../harness/property.ts';

it.each([
  [['a', 'b'], 'a\nb\n'],
  [['a b'], 'a b\n'],
  [['', ''], '\n\n'],
  [['a\nb'], 'a\\nb\n'],
  [['a\\nb'], 'a\\\\nb\n'],
  [[], ''],
])('composes %j', (parts, key) => {
  expect(composed(...parts)).toBe(key);
});

it('gives no two lists of parts the same key', () => {
  const part = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\\', 'n', '\0', '|'), maxLength: 4 });
  const list = fc.array(part, { maxLength: 4 });
  holds(
    fc.property(list, list, (a, b) => {
      expect(composed(...a) === composed(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    5000,
  );
});

it('gives no two lists of equal length the same key if the last part is unescaped', () => {
  const part = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\\', 'n', '\0', '|'), maxLength: 4 });
  const three = fc.tuple(part, part, part);
  holds(
    fc.property(three, three, (a, b) => {
      const same = composedEnd(composed(a[0], a[1]), a[2]) === composedEnd(composed(b[0], b[1]), b[2]);
      expect(same).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    5000,
  );
});
