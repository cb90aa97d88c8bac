import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testGoldens } from '../goldens.ts';
import { cases, golden, goldenPolicy, render, withoutDigest } from './golden.ts';

/** The golden folder with the list of erased headers, and with files that the others need no copy of. */
const SMALLEST = 'smallest';
const smallest = render(goldenPolicy(SMALLEST)).files;

/** The files of a golden folder: the rendered ones that differ from those of the smallest policy. */
testGoldens('nginx', (name) => {
  const { files, gaps } = render(goldenPolicy(name));
  const isOwn = (path: string, text: string) =>
    !path.startsWith('erase') && withoutDigest(text) !== withoutDigest(smallest[path] ?? '');
  const kept = Object.entries(files).filter(([path, text]) => name === SMALLEST || isOwn(path, text));
  const texts = kept.map(([path, text]) => [path.replace(/[0-9a-f]{32}/, 'DIGEST'), withoutDigest(text)]);
  return { files: Object.fromEntries(texts), gaps };
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
