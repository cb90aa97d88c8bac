import { describe, expect, test } from 'vitest';
import { cellsOf } from '../../../mesh/matrix/cells.ts';
import { istioSubjects } from '../../../mesh/matrix/istio-policies.ts';
import { type Mutant, mutantsOf } from '../../../mesh/matrix/mutants.ts';
import { requested, sample, shareOut } from '../../../mesh/matrix/sample.ts';

const rules = Array.from({ length: 60 }, (_, i) => ({ id: `r${i}`, methods: ['GET', 'POST'], as: 'default' }));
const { mutants } = mutantsOf([{ name: 'rules', value: { rules, comment: 'none' } }]);
const formOf = ({ path, change }: Mutant) => `${path.replace(/\d+/g, 'N')} ${change}`;
const drawn = (seed: string) => sample(mutants, formOf, seed);

describe('a sample of mutants', () => {
  test('has each form once', () => {
    for (const seed of ['2026-01-01', '2026-01-02', 'x']) {
      const some = drawn(seed);
      expect(new Set(some.map(formOf))).toEqual(new Set(mutants.map(formOf)));
      expect(some).toHaveLength(new Set(mutants.map(formOf)).size);
    }
  });

  test('is the same for the same seed, and differs for another seed', () => {
    expect(drawn('a')).toEqual(drawn('a'));
    expect(drawn('a')).not.toEqual(drawn('b'));
  });

  test('leaves no mutant out for every seed', () => {
    const drawnEver = Array.from({ length: 800 }, (_, seed) => drawn(`seed ${seed}`)).flat();
    expect(new Set(drawnEver).size).toBe(mutants.length);
  });
});

describe('forms that several groups have', () => {
  const groups = new Map([
    ['demo', ['a', 'b', 'c', 'only here']],
    ['agents', ['a', 'b', 'c', 'c']],
  ]);

  test('go to one group each, and with another seed to another one', () => {
    const owners = (form: string, seed: string) => [...groups.keys()].filter((it) => shareOut(groups, seed)(it, form));
    const days = Array.from({ length: 40 }, (_, day) => `day ${day}`);
    for (const form of ['a', 'b', 'c']) {
      expect(days.map((day) => owners(form, day).length)).toEqual(days.map(() => 1));
      expect(new Set(days.flatMap((day) => owners(form, day)))).toEqual(new Set(groups.keys()));
    }
    expect(owners('only here', 'x')).toEqual(['demo']);
  });

  test('are all tried', () => {
    const halves = new Map([
      ['demo', mutants.filter((_, i) => i % 3 !== 0)],
      ['agents', mutants.filter((_, i) => i % 3 === 0)],
    ]);
    const isTriedIn = shareOut(new Map([...halves].map(([name, own]) => [name, own.map(formOf)])), 'x');
    const tried = [...halves].flatMap(([name, own]) => sample(own, formOf, 'x', (form) => isTriedIn(name, form)));
    expect(new Set(tried.map(formOf))).toEqual(new Set(mutants.map(formOf)));
    expect(tried.length).toBeLessThan([...halves.values()].flatMap((own) => sample(own, formOf, 'x')).length);
  });
});

describe('cells of many hosts', () => {
  test('have each part of each rule with every seed, and all of them with many seeds', async () => {
    const { policy, rules } = (await istioSubjects('https://issuer.test')).find(({ name }) => name === '40 hosts')!;
    const cells = cellsOf(policy, rules);
    const partsOf = (some: typeof cells) => new Set(some.map(({ rule, part }) => `${rule} ${part}`));
    const some = requested(cells, 'x', false);
    expect(partsOf(some)).toEqual(partsOf(cells));
    expect(some).toHaveLength(partsOf(cells).size);
    const requestedEver = Array.from({ length: 500 }, (_, seed) => requested(cells, `seed ${seed}`, false)).flat();
    expect(new Set(requestedEver).size).toBe(cells.length);
    expect(requested(cells, 'x', true)).toBe(cells);
  });
});
