import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { modules } from '../gateway/conformance-modules.ts';

/** Compares docs/contributing/CONFORMANCE.md, the list of modules and their tests with each other. */

const table = readFileSync('docs/contributing/CONFORMANCE.md', 'utf8');
const tests = readFileSync('test/gateway/conformance.test.ts', 'utf8');

/** Rows of the document that begin with a module's name. */
const rows = [...table.matchAll(/^\| `(oidcc-[\w-]+)` \|(.*)\|$/gm)].map(([, name = '', rest = '']) => ({
  name,
  cells: rest.split('|').map((cell) => cell.trim()),
}));

/** Names of tests: `test('…'`, and the first of each row of a `test.each`. */
const named = [...tests.matchAll(/(?:test\(|^ {2}\[)'(oidcc-[\w-]+)'/gm)].map(([, name]) => name);

describe('the conformance modules', () => {
  test('are in the document, with their outcome, in the order of the list', () => {
    const applying = rows.filter(({ cells }) => cells.length === 3);
    expect(applying.map(({ name, cells }) => [name, cells[0], cells[2]])).toEqual(
      modules.map(({ name, provider, outcome }) => [name, provider, `passes: ${outcome}`]),
    );
    for (const { cells } of applying) expect(cells[1]).toContain('(../../test/gateway/conformance.test.ts)');
  });

  test('each have a test of the same name, and no test has another name', () => {
    expect(named.toSorted()).toEqual(modules.map(({ name }) => name).toSorted());
  });

  test('are not also listed as useless', () => {
    const others = rows.filter(({ cells }) => cells.length === 1);
    expect(others.length).toBeGreaterThan(5);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  test.each([
    ['basic', 14],
    ['config', 5],
    ['rp-initiated-logout', 3],
    ['back-channel-logout', 8],
  ])('of the profile %s are all listed', (profile, count) => {
    expect(modules.filter((one) => one.profile === profile)).toHaveLength(count);
  });
});
