import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ConsulPath, placesIn, regexOf } from '../../../../src/targets/consul/path-regex.ts';
import { holds } from '../../../harness/property.ts';

/** All characters that paths of a policy may contain. */
const segment = fc.stringMatching(/^[A-Za-z0-9._~!&()+,=:@-]{1,4}$/);
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const place: fc.Arbitrary<ConsulPath> = fc.oneof(
  path.map((value) => ({ kind: 'exact' as const, value })),
  path.map((value) => ({ kind: 'prefix' as const, value: `${value}/` })),
);
const places = fc.uniqueArray(place, { minLength: 1, maxLength: 6, selector: ({ value }) => value });

const has = (all: readonly ConsulPath[], requested: string) =>
  all.some(({ kind, value }) => (kind === 'exact' ? requested === value : requested.startsWith(value)));

test('an expression matches its places and nothing else', () => {
  holds(
    fc.property(places, fc.array(path), (all, others) => {
      const regex = new RegExp(`^(?:${regexOf(all)})$`, 's');
      const near = all.flatMap(({ value }) => [
        value,
        `${value}x`,
        `${value}/x`,
        value.slice(0, -1),
        value.replace(/./, 'x'),
      ]);
      for (const requested of [...near, ...others]) expect(regex.test(requested), requested).toBe(has(all, requested));
    }),
    500,
  );
});

test('an expression is read back as its places', () => {
  const sorted = (all: readonly ConsulPath[]) => all.map((it) => JSON.stringify(it)).sort();
  holds(
    fc.property(places, (all) => {
      expect(sorted(placesIn(regexOf(all)) ?? [])).toEqual(sorted(all));
    }),
    500,
  );
});

test.each([
  '.*',
  '/a.*',
  '/a|',
  '/a|.*',
  '(/a)',
  '/a[bc]',
  '/a/?',
  '/a(/.*)?(/.*)?',
  '/a\\',
  '/a.b',
  '/a|/a',
  '^/a$',
  '/a(/.+)?',
  '/\\d',
])('reads no places from %s', (regex) => {
  expect(placesIn(regex)).toBeUndefined();
});
