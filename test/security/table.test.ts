/** docs/SECURITY.md names tests that are there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  let named = 0;
  for (const row of rows) {
    for (const [, path, names] of row.matchAll(/\]\(\.\.\/(test\/[^)]+)\)((?:,? "[^"]+")*)/g)) {
      expect(existsSync(path!), path).toBe(true);
      const text = readFileSync(join(path!), 'utf8');
      for (const [, name] of names!.matchAll(/"([^"]+)"/g)) {
        named++;
        expect(text.includes(name!), `${path}: ${name}`).toBe(true);
      }
    }
  }
  expect(named).toBeGreaterThan(40);
});
