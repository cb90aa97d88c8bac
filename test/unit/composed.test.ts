import fc from 'fast-check';
import { expect, it } from 'vitest';
import { composed } from '../../src/composed.ts';

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
  fc.assert(
    fc.property(list, list, (a, b) => {
      expect(composed(...a) === composed(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 5000 },
  );
});
