import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIRECTIONS, type Direction, INTERNAL_NAMES, type InternalHeader } from '../../src/base/internal-headers.ts';
import { INTERNAL } from '../security/forged-headers.ts';

const DOCS = new URL('../../docs/contributing/rendered-nginx.md', import.meta.url);
const GOLDEN = new URL('targets/nginx/golden/', import.meta.url);
const SOURCES = new URL('../../src/', import.meta.url);

const row = ({ setBy, readBy }: Direction, it: InternalHeader): string =>
  `| \`${it.name}${it.name === 'X-Meshgate-H' ? 'N' : ''}\` | ${it.setBy ?? setBy} | ${it.readBy ?? readBy} | ${it.when ?? 'always'} | ${it.says} |\n`;

/** `UPDATE_DOCS=1` writes it again. */
test('docs/contributing/rendered-nginx.md has a row for each internal header', () => {
  const rows = Object.values<Direction>(DIRECTIONS).flatMap((direction) =>
    Object.values(direction.headers).map((header) => row(direction, header)),
  );
  const text = readFileSync(DOCS, 'utf8');
  const fresh = text.replace(
    /(<!-- internal headers -->\n\n.*\n.*\n)(?:\|.*\n)*/,
    (_, head: string) => `${head}${rows.join('')}`,
  );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(DOCS, fresh);
  expect(text).toContain('<!-- internal headers -->');
  expect(text).toBe(fresh);
});

test('the table has the names that tests forge, and no others', () => {
  const forged = INTERNAL.filter((name) => !/^X-Meshgate-H\d+$/.test(name));
  expect(INTERNAL_NAMES).toEqual([...forged].sort());
});

test('no other source file spells a name out', () => {
  const files = readdirSync(SOURCES, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name) && entry.name !== 'internal-headers.ts',
  );
  const found = files.flatMap(({ parentPath, name }) => {
    const code = readFileSync(`${parentPath}/${name}`, 'utf8').replace(/^ *(\/\*|\*|\/\/).*/gm, '');
    return /['"`](\$?http_)?x[-_]meshgate[-_]\w[\w-]*['"`]/i.test(code) ? [name] : [];
  });
  expect(found).toEqual([]);
});

/** Names after `X-Meshgate-`, in the order of the alphabet. */
const names = (text: string): readonly string[] => text.split(' ').map((name) => `X-Meshgate-${name}`);

/** The rendered files of all golden folders. */
const rendered = readdirSync(GOLDEN, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.conf'))
  .map(({ parentPath, name }) => readFileSync(`${parentPath}/${name}`, 'utf8'));

const found = (texts: readonly string[], pattern: RegExp): readonly string[] =>
  [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name)))].sort();

test('nginx sends these to the check, and reads these from its answers', () => {
  const ways = rendered.flatMap((text) =>
    /^# How nginx asks the check/.test(text)
      ? [text]
      : (text.match(/^location \^~ \/\.meshgate\/(?:check|hop)\/ \{(?:.*\}$|[\s\S]*?^\})/gm) ?? []),
  );
  const told = found(ways, /proxy_set_header (X-Meshgate-\S+)/g);
  // No golden policy has rules with tools.
  expect(told).toEqual(names('Address Assertion Credential Host Method Navigation Networks Origin Uri'));
  expect(Object.values(DIRECTIONS.toCheck.headers).map(({ name }) => name)).toEqual(expect.arrayContaining([...told]));
  const read = found(rendered, /\$upstream_http_(x_meshgate_[a-z_]+)/g);
  const expected =
    'assertion caller detail dpop_nonce h reason retry_after service_credential set_cookie signin status';
  expect(read).toEqual(expected.split(' ').map((name) => `x_meshgate_${name}`));
  const known = Object.values(DIRECTIONS.fromCheck.headers).map(({ name }) => name.toLowerCase().replaceAll('-', '_'));
  expect([...known].sort()).toEqual(read);
});
