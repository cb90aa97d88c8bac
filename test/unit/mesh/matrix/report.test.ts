import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { SearchResult } from '../../../mesh/matrix/mutant-search.ts';
import { Report, written } from '../../../mesh/matrix/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'matrix-'));
afterAll(() => rmSync(folder, { recursive: true }));
const parts = pathToFileURL(`${folder}/parts/`);
const file = pathToFileURL(`${folder}/matrix.json`);
const read = () => JSON.parse(readFileSync(file, 'utf8'));

const mutant = { object: 'o', path: 'p', change: 'changed', was: 1, around: () => '', version: [] };
const cell = {
  name: 'c',
  rule: 'r',
  host: '',
  authority: '',
  service: '',
  method: 'GET',
  path: '/',
  connects: { kind: 'plain' },
} as const;
const found: SearchResult = {
  kills: [
    { mutant, by: { rejected: 'no' } },
    { mutant, by: { cell, expected: 'allowed', got: 'refused: rules' } },
  ],
  survivors: [mutant],
  equivalent: [
    { mutant, reason: 'a name' },
    { mutant, reason: 'a name' },
  ],
  requested: 7,
};
const disagreement = { side: 'b', cell, expected: 'allowed', got: 'refused: rules' } as const;

test('sums cover all policies and sides, in a fixed order', () => {
  const one = new Report('one');
  one.agreed('wiki', 'b', 10, [disagreement]);
  one.agreed('wiki', 'a', 5, []);
  one.hunted('wiki', 'b', found);
  one.write(file, parts);
  expect(read()).toEqual({
    cells: 15,
    disagreements: 1,
    sides: ['a', 'b'],
    mutants: 3,
    killed: 2,
    rejected: 1,
    equivalent: { 'a name': 2 },
    policies: {
      wiki: {
        a: { cells: 5, disagreements: 0 },
        b: { cells: 10, disagreements: 1, mutants: 3, killed: 2, rejected: 1, equivalent: { 'a name': 2 } },
      },
    },
  });
  const before = readFileSync(file, 'utf8');
  one.write(file, parts);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('the results of another test file stay, and earlier results of this file do not', () => {
  const other = new Report('other');
  other.agreed('wiki', 'c', 1, []);
  other.write(file, parts);
  const again = new Report('one');
  again.agreed('wiki', 'a', 6, []);
  again.write(file, parts);
  expect(read()).toMatchObject({
    cells: 7,
    sides: ['a', 'c'],
    mutants: 0,
    policies: { wiki: { a: { cells: 6 }, c: {} } },
  });
});

test('a side without cells has no mutants', () => {
  expect(() => new Report('x').hunted('wiki', 'a', found)).toThrow('a was not asked');
});

test('policies and sides are sorted by name', () => {
  const count = { cells: 1, disagreements: 0 };
  const { policies, sides } = written({ b: { z: count, y: count }, a: { x: count } });
  expect([Object.keys(policies), Object.keys(policies.b!), sides]).toEqual([
    ['a', 'b'],
    ['y', 'z'],
    ['x', 'y', 'z'],
  ]);
});
