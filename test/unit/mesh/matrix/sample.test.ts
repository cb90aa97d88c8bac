import { describe, expect, test } from 'vitest';
import { type Mutant, mutantsOf } from '../../../mesh/matrix/mutants.ts';
import { sample } from '../../../mesh/matrix/sample.ts';

const rules = Array.from({ length: 60 }, (_, i) => ({ id: `r${i}`, methods: ['GET', 'POST'], as: 'default' }));
const { mutants } = mutantsOf([{ name: 'rules', value: { rules, comment: 'none' } }]);
const formOf = ({ path, change }: Mutant) => `${path.replace(/\d+/g, 'N')} ${change}`;
const drawn = (seed: string) => sample(mutants, formOf, seed);

describe('a sample of mutants', () => {
  test('has each form, and some of what has the form of another', () => {
    for (const seed of ['2026-01-01', '2026-01-02', 'x']) {
      const some = drawn(seed);
      expect(new Set(some.map(formOf))).toEqual(new Set(mutants.map(formOf)));
      expect(some.length / mutants.length).toBeGreaterThan(0.08);
      expect(some.length / mutants.length).toBeLessThan(0.25);
    }
  });

  test('is the same for the same seed, and another for another', () => {
    expect(drawn('a')).toEqual(drawn('a'));
    expect(drawn('a')).not.toEqual(drawn('b'));
  });

  test('leaves nothing out for good', () => {
    const days = Array.from({ length: 120 }, (_, day) => drawn(`day ${day}`)).flat();
    expect(new Set(days).size).toBe(mutants.length);
  });
});
