/** docs/SECURITY.md names tests that are there. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const rows = readFileSync('docs/SECURITY.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (lesson|---)/.test(line));

test('each row has a test or says why it has none', () => {
  expect(rows.length).toBeGreaterThan(30);
  for (const row of rows) {
    const cell = row.split(' | ').at(-1)!;
    expect(cell, row).toMatch(/^(not applicable yet: .+|\[[\w-]+\]\(\.\.\/test\/\S+\).*) \|$/);
  }
});

test('each file that is named has the tests that are named', () => {
  const named = rows.flatMap((row) =>
    [...row.matchAll(/\]\(\.\.\/(test\/[^)]+)\)((?:,? "[^"]+")*)/g)].flatMap(([, path = '', names = '']) =>
      [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ path, name })),
    ),
  );
  expect(named.length).toBeGreaterThan(40);
  const missing = named.filter(({ path, name }) => !existsSync(path) || !readFileSync(path, 'utf8').includes(name));
  expect(missing).toEqual([]);
});
