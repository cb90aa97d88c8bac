/** Properties that are false for a few values: fuzz.test.ts runs them in their own folder. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holds } from '../../harness/property.ts';

test('no integer is large', () => {
  holds(
    fc.property(fc.record({ n: fc.nat() }), ({ n }) => {
      expect(n).toBeLessThan(2_000_000_000);
    }),
    1,
  );
});

test('no bigint is large, nor after a promise', async () => {
  await holds(
    fc.asyncProperty(fc.bigInt({ min: 0n, max: 1100n }), async (n) => {
      await Promise.resolve();
      expect(n).toBeLessThan(1050n);
    }),
    1,
  );
});

test('every integer is whole', () => {
  holds(
    fc.property(fc.integer(), (n) => Number.isInteger(n)),
    1,
  );
});
