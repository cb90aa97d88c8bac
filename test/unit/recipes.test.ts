/** The examples of the recipes in CONTRIBUTING.md: each patch applies, touches few source files, and its tests pass. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const FOLDER = 'docs/contributing/recipes';

/** The recipes that have an example, with the most source files that it may touch. */
const MOST = { 'policy-key': 4, fact: 2, 'provider-kind': 2, reason: 2, command: 2 };

const patches = Object.entries(MOST).map(([name, most]) => {
  const text = readFileSync(join(FOLDER, `${name}.patch`), 'utf8');
  const files = [...text.matchAll(/^\+\+\+ b\/(\S+)$/gm)].map(([, file = '']) => file);
  return { name, most, files };
});

const tree = mkdtempSync(join(tmpdir(), 'meshgate-recipes-'));

/** Runs a program in the copy, without what tells a run of the tests where its results belong. */
const run = (program: string, ...args: readonly string[]) => {
  const { PATH, HOME } = process.env;
  const ran = spawnSync(program, args, { cwd: tree, encoding: 'utf8', env: { PATH, HOME } });
  return { code: ran.status, reported: ran.status === 0 ? '' : `${ran.stdout}${ran.stderr}` };
};
const fine = { code: 0, reported: '' };

beforeAll(() => {
  for (const part of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(part, join(tree, part), { recursive: true });
  }
  symlinkSync(resolve('node_modules'), join(tree, 'node_modules'));
});
afterAll(() => rmSync(tree, { recursive: true }));

test('every patch belongs to a recipe, and each recipe with a patch links to it', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(patches.map(({ name }) => `${name}.patch`).sort());
  const text = readFileSync('CONTRIBUTING.md', 'utf8');
  for (const { name, most } of patches) {
    const [recipe = ''] = text.split('\n### ').filter((it) => it.includes(`(${FOLDER}/${name}.patch)`));
    expect(recipe, name).toMatch(new RegExp(`^Source files: (?:at most )?${most}\\.`, 'm'));
  }
});

describe.each(patches)('the example of a $name', ({ name, most, files }) => {
  test(`touches at most ${most} source files, and has a test`, () => {
    expect(files.filter((file) => file.startsWith('src/')).length).toBeLessThanOrEqual(most);
    expect(files.filter((file) => file.endsWith('.test.ts')).length).toBeGreaterThan(0);
  });

  test('applies to the sources', () => {
    expect(run('git', 'apply', '--check', resolve(FOLDER, `${name}.patch`))).toEqual(fine);
  });
});

test('with all of them, the sources type-check, and the tests of the examples pass', () => {
  expect(run('git', 'apply', ...patches.map(({ name }) => resolve(FOLDER, `${name}.patch`)))).toEqual(fine);
  expect(run(process.execPath, 'node_modules/.bin/tsc', '-p', '.')).toEqual(fine);
  const tests = patches.flatMap(({ files }) => files.filter((file) => file.endsWith('.test.ts')));
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--maxWorkers=1'];
  expect(run(process.execPath, ...vitest, ...tests)).toEqual(fine);
});
