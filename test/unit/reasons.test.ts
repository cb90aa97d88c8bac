import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { detailOf, reasons, refuse } from '../../src/base/reasons.ts';

test('docs/reasons.md lists every reason with its status and help', () => {
  const rows = readFileSync('docs/reasons.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const expected = Object.entries(reasons).map(([code, entry]) => `| \`${code}\` | ${entry.status} | ${entry.help} |`);
  expect(rows).toEqual(expected);
});

test('a refusal says what was wrong, or what to do', () => {
  expect(detailOf(refuse('claim_absent', 'the token has no "exp"'))).toBe('the token has no "exp"');
  expect(detailOf(refuse('role_missing'))).toBe(reasons.role_missing.help);
});
