import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const folder = new URL('golden/', import.meta.url);
const cases = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

/** `golden/X.yaml` has the errors in `golden/X.txt`, one a line; `vitest run FILE -u` writes them again. */
describe('a policy with mistakes', () => {
  test.each(cases)('%s', async (name) => {
    const { errors, policy } = parsePolicy(readFileSync(new URL(name, folder), 'utf8'), name);
    expect(policy).toBeUndefined();
    const lines = errors.map((error) => `${formatError(error)}\n`);
    expect(lines.filter((line) => line.indexOf('\n') !== line.length - 1)).toEqual([]);
    expect(new Set(lines).size).toBe(lines.length);
    await expect(lines.join('')).toMatchFileSnapshot(new URL(name.replace('.yaml', '.txt'), folder).pathname);
  });
});
