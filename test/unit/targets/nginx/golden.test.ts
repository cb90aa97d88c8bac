import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cases, golden, goldenPolicy, render, withoutDigest } from './golden.ts';

/** The golden folder with the list of erased headers, and with files that the others need no copy of. */
const SMALLEST = 'smallest';
const smallest = render(goldenPolicy(SMALLEST)).files;

/** The content of a golden folder: the rendered files that differ from those of the smallest policy, and the gaps as
 * lines. */
function rendered(name: string): Readonly<Record<string, string>> {
  const { files, gaps } = render(goldenPolicy(name));
  const isOwn = (path: string, text: string) =>
    !path.startsWith('erase') && withoutDigest(text) !== withoutDigest(smallest[path] ?? '');
  const kept = Object.entries(files).filter(([path, text]) => name === SMALLEST || isOwn(path, text));
  const texts = kept.map(([path, text]) => [path.replace(/[0-9a-f]{32}/, 'DIGEST'), withoutDigest(text)]);
  return { ...Object.fromEntries(texts), 'gaps.txt': gaps.map(({ part, text }) => `${part}: ${text}\n`).join('') };
}

function onDisk(name: string): readonly string[] {
  return readdirSync(golden(name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'policy.yaml')
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(golden(name).length + 1))
    .sort();
}

function update(name: string, files: Readonly<Record<string, string>>): void {
  for (const old of onDisk(name)) rmSync(golden(name, old));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(golden(name, path)), { recursive: true });
    writeFileSync(golden(name, path), text);
  }
}

/** UPDATE_GOLDEN=1 writes the current output; read the difference before it is committed. */
describe.each(cases)('%s', (name) => {
  const files = rendered(name);
  if (process.env.UPDATE_GOLDEN === '1') update(name, files);

  test('the same files', () => {
    expect(Object.keys(files).sort()).toEqual(onDisk(name));
  });

  test.each(Object.keys(files))('%s', (path) => {
    expect(files[path]).toBe(readFileSync(golden(name, path), 'utf8'));
  });
});

/** Names that a file sends, with either module of nginx. */
const sent = (text = ''): readonly string[] =>
  [...text.matchAll(/_set_header (\S+) /g)].map(([, name = '']) => name.toLowerCase());

test.each(cases)('%s: erases all that the smallest policy erases, unless it sets it itself', (name) => {
  const text = readFileSync(golden(SMALLEST, 'erase.conf'), 'utf8');
  const wanted = sent(text.replace(/^.*# the policy$/gm, ''));
  expect(wanted.length).toBeGreaterThan(1000);
  const { files } = render(goldenPolicy(name));
  for (const module of Object.keys(files).includes('erase-grpc.conf') ? ['', '-grpc'] : ['']) {
    const found = new Set([...sent(files[`erase${module}.conf`]), ...sent(files[`headers${module}.conf`])]);
    const left = wanted.filter((it) => !found.has(it));
    const hosts = Object.entries(files).filter(([path]) => /^(hosts|inner)\//.test(path));
    // If a host passes a credential of its service on, every host's file says what happens to the header.
    for (const [, host] of hosts) expect(left.filter((it) => !sent(host).includes(it))).toEqual([]);
    expect(left.filter((it) => it !== 'authorization')).toEqual([]);
  }
});
