import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ALWAYS_PASSED } from '../../../src/policy/request-headers.ts';
import { TRUSTED } from '../../../src/policy/trusted/index.ts';
import { FORGED } from '../../security/forged-headers.ts';

const FILE = new URL('../../../docs/headers.md', import.meta.url);
const rows = Object.values(TRUSTED).flat();
const TITLES = {
  identity: 'Who the caller is',
  certificates: 'Certificates of clients',
  requests: 'Where a request comes from, and what it is',
} as const;

function table(key: keyof typeof TITLES): string {
  const lines = TRUSTED[key].map(({ by, source, names, family }) => {
    const more = family === undefined ? '' : `; of the open family \`${family}\``;
    return `| [${by}](${source}) | ${names.map((name) => `\`${name}\``).join(', ')}${more} |\n`;
  });
  return `### ${TITLES[key]}\n\n| trusted by | headers |\n| --- | --- |\n${lines.join('')}`;
}

/** `UPDATE_DOCS=1` writes both again. */
test('docs/headers.md has a row for each group of headers that always pass', () => {
  const text = readFileSync(FILE, 'utf8');
  const lines = ALWAYS_PASSED.map(
    ({ names, why }) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${why} |\n`,
  );
  const fresh = text.replace(
    /(<!-- always -->\n\n.*\n.*\n)(?:\|.*\n)*/,
    (_, head: string) => `${head}${lines.join('')}`,
  );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, fresh);
  expect(text).toContain('<!-- always -->');
  expect(text).toBe(fresh);
});

test('docs/headers.md has a row for each that trusts headers', () => {
  const text = readFileSync(FILE, 'utf8');
  const [head = '', rest = ''] = text.split('<!-- rows -->\n');
  const fresh = `${head}<!-- rows -->\n${(Object.keys(TITLES) as (keyof typeof TITLES)[]).map(table).join('\n')}`;
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, fresh);
  expect(rest).not.toBe('');
  expect(text).toBe(fresh);
});

test('each row has a source, and names that nginx can erase, also for gRPC calls', () => {
  for (const { by, source, names } of rows) {
    expect(source, by).toMatch(/^https:\/\/\S+$/);
    expect(new Set(names.map((name) => name.toLowerCase())).size, by).toBe(names.length);
    // nginx has a table of fixed size for the names that it sends with gRPC calls.
    for (const name of names) expect(name, by).toMatch(/^(?=.{1,46}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/);
  }
});

test('every header that has been forged is in a row', () => {
  const known = new Set(rows.flatMap(({ names }) => names.map((name) => name.toLowerCase())));
  expect(FORGED.filter((name) => !known.has(name.toLowerCase()))).toEqual([]);
});
