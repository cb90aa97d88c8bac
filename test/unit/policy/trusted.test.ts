import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ALWAYS_PASSED } from '../../../src/policy/check/routes/given-headers.ts';
import { TRUSTED } from '../../../src/policy/trusted/index.ts';
import { FORGED } from '../../security/forged-headers.ts';
import { proxyHeaders } from '../../security/proxy-headers.ts';

const FILE = new URL('../../../docs/headers.md', import.meta.url);
const SMALLEST = new URL('../targets/nginx/golden/smallest/', import.meta.url);
const rows = Object.values(TRUSTED).flat();
const TITLES = {
  identity: 'Who the caller is',
  certificates: 'Certificates of clients',
  requests: 'Where a request comes from, and what it is',
} as const;

function table(key: keyof typeof TITLES): string {
  const words = (all: readonly string[]): string => all.map((it) => `\`${it}\``).join(', ');
  const lines = TRUSTED[key].map(({ by, source, names, family, composed }) => {
    if (composed !== undefined) {
      return `| [${by}](${source}) | one of ${words(composed.heads)}; then \`-\`; then one of ${words(composed.words)} |\n`;
    }
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

describe('each name of another product', () => {
  const rendered = ['erase.conf', 'headers.conf'].map((file) => readFileSync(new URL(file, SMALLEST), 'utf8')).join('');
  const erased = new Set([...rendered.matchAll(/proxy_set_header (\S+) /g)].map(([, name = '']) => name.toLowerCase()));
  const [, decided = ''] = /<!-- decided -->\n\n.*\n.*\n((?:\|.*\n)+)/.exec(readFileSync(FILE, 'utf8')) ?? [];
  const passing = [...decided.matchAll(/^\| (`.*?`) \| /gm)]
    .flatMap(([, names = '']) => [...names.matchAll(/`([^`]+)`/g)])
    .map(([, name = '']) => name.toLowerCase());

  test('is erased, or docs/headers.md says why it passes', () => {
    const all = proxyHeaders().map((name) => name.toLowerCase());
    expect(all.length).toBeGreaterThan(350);
    const open = all.filter((name) => !erased.has(name) && !name.startsWith('$'));
    expect(open.filter((name) => !passing.includes(name))).toEqual([]);
    expect(passing.filter((name) => erased.has(name))).toEqual([]);
    expect(passing.filter((name) => !open.includes(name))).toEqual([]);
    expect(open.length).toBeGreaterThan(10);
  });

  test.each([
    // Of no list: new combinations of the same words.
    ['X-SSO-User-Email', 'OIDC-Preferred-Username', 'X-Keycloak-Groups', 'X-Entra-Username', 'X-SAML-Principal'],
    ['X-TLS-Client-S-DN-UID', 'X-Client-Certificate-Fingerprint', 'X-Mtls-Spiffe-Id', 'X-Cert-Subject-DN'],
  ])('is erased too if its parts are those of other names: %s %s', (...names) => {
    expect(names.filter((name) => !erased.has(name.toLowerCase()))).toEqual([]);
  });
});
