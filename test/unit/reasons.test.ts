import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reasons } from '../../src/reasons.ts';

test('docs/reasons.md lists every reason with its status and help', () => {
  const rows = readFileSync('docs/reasons.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const expected = Object.entries(reasons).map(([code, entry]) => `| \`${code}\` | ${entry.status} | ${entry.help} |`);
  expect(rows).toEqual(expected);
});
