/** Consul's own Go module reads every entry that is rendered, whole; a field that it does not know is refused. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeWith } from '../harness/needs.ts';
import { decode, lacksDecoder } from './consul/decode.ts';

const ROOT = fileURLToPath(new URL('../unit/targets/consul/golden', import.meta.url));

type Json = Readonly<Record<string, unknown>>;

function entriesOf(folder: string): readonly Json[] {
  const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith('.json'));
  return files.map((file) => JSON.parse(readFileSync(join(ROOT, folder, file), 'utf8')));
}

const goldens = readdirSync(ROOT).map((folder) => [folder, entriesOf(folder)] as const);

/** Keys that people choose: labels, and no fields. */
const FREE = ['managed-by', 'gateway'];

/** Copies of a value in each of which one field, at any depth, is misspelt; with the field's name. */
function* misspelt(value: unknown): Generator<readonly [field: string, value: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const [field, other] of misspelt(item)) yield [field, value.with(index, other)];
    }
    return;
  }
  const entries = Object.entries(value).filter(([key]) => !FREE.includes(key));
  for (const [key, own] of entries) {
    const { [key]: _, ...rest } = value as Json;
    yield [key, { ...rest, [`${key}s`]: own }];
    for (const [field, other] of misspelt(own)) yield [field, { ...value, [key]: other }];
  }
}

describeWith(lacksDecoder(), "Consul's own decoder", () => {
  test.each(goldens)('reads all objects of %s', (_, entries) => {
    expect(entries.length).toBeGreaterThan(1);
    expect(decode(entries)).toMatchObject(entries.map((entry) => ({ entry })));
  });

  test('refuses each field of each entry if it is misspelt', () => {
    const all = goldens.flatMap(([, entries]) => entries.flatMap((entry) => [...misspelt(entry)]));
    const fields = new Set(all.map(([field]) => field));
    expect([...fields]).toEqual(expect.arrayContaining(['Kind', 'MutualTLSMode', 'JWKS', 'TrustedCA', 'VerifyClaims']));
    const taken = decode(all.map(([, entry]) => entry)).flatMap((it, index) => ('entry' in it ? all[index]?.[0] : []));
    expect(taken).toEqual([]);
  });

  test.each<[string, Json, RegExp]>([
    ['an unknown field', { Kind: 'service-intentions', Name: 'wiki', Sorces: [] }, /invalid keys: Sorces/],
    ['a text for a number', { Kind: 'jwt-provider', Name: 'meshgate', ClockSkewSeconds: '30' }, /expected type 'int'/],
    ['a kind that is not defined', { Kind: 'service-intention', Name: 'wiki' }, /invalid config entry kind/],
    [
      'a regular expression that RE2 cannot read',
      {
        Kind: 'service-intentions',
        Name: 'wiki',
        Sources: [{ Name: '*', Permissions: [{ Action: 'deny', HTTP: { PathRegex: '(?!x)' } }] }],
      },
      /error parsing regexp/,
    ],
  ])('refuses %s with Consul’s own error', (_, entry, words) => {
    expect(decode([entry])).toEqual([{ error: expect.stringMatching(words) }]);
  });
});
