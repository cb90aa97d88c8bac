/** Checks how the files of src/ depend on each other, and how long they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** Folders from the bottom to the top: each imports only from those before it. DESIGN.md says why. */
const ORDER = [
  'foundation',
  'x509',
  'providers',
  'policy',
  'token',
  'session',
  'caller',
  'assertion',
  'health',
  'rules',
  'audit',
  'targets',
  'njs',
  'cli',
  'entry',
  'release',
];

/** The files that run in nginx and those that only the command needs never import each other. */
const APART = ['njs to targets', 'cli to njs'];

/** Files of src/ itself that nginx or Node runs. All others there are the foundation, which imports no folder. */
const ENTRIES = [
  'meshgate',
  'hop',
  'signin',
  'client',
  'health',
  'cookies',
  'counts',
  'seal',
  'apikey_auth',
  'status',
  'cli',
];

/** Longest source file in lines. */
const LONGEST = 350;

/** The current exceptions. Each test fails when one of them is no longer needed, so that the lists only become
 * shorter. */
const CYCLES: readonly string[] = [];
const UPWARD: readonly string[] = [];
const LONG: readonly string[] = [];

const SOURCE = 'src';

/** Names of source files without their ending, with their text. */
const texts = new Map(
  readdirSync(SOURCE, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file.replace(/(\.d)?\.ts$/, ''), readFileSync(join(SOURCE, file), 'utf8')] as const),
);

/** Every file that the text names by a relative path, also for types alone. */
function importsIn(name: string, text: string): readonly string[] {
  const named = [...text.matchAll(/'(\.{1,2}\/[^'\n]+)\.ts'/g)].map(([, path = '']) => join(dirname(name), path));
  return [...new Set(named)];
}

const imports = new Map([...texts].map(([name, text]) => [name, importsIn(name, text)]));

const edges = [...imports].flatMap(([from, all]) => all.map((to) => ({ from, to })));

/** All that a file imports, directly or not. */
function reachedFrom(name: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...(imports.get(name) ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    waiting.push(...(imports.get(next) ?? []));
  }
  return reached;
}

/** Files that import each other, as one text for each cycle. */
function cycles(): readonly string[] {
  const reached = new Map([...imports.keys()].map((name) => [name, reachedFrom(name)]));
  const circles = [...reached].flatMap(([name, own]) =>
    own.has(name)
      ? [
          [...own]
            .filter((other) => reached.get(other)?.has(name))
            .sort()
            .join(' '),
        ]
      : [],
  );
  return [...new Set(circles)];
}

/** Folder of a file as {@link ORDER} names it. */
function folderOf(name: string): string {
  const [folder = ''] = name.split('/');
  if (folder !== name) return folder;
  return ENTRIES.includes(name) ? 'entry' : 'foundation';
}

const line = ({ from, to }: { readonly from: string; readonly to: string }): string => `${from} imports ${to}`;

test('every import names a source file', () => {
  expect(edges.length).toBeGreaterThan(1000);
  expect(edges.filter(({ to }) => !texts.has(to)).map(line)).toEqual([]);
});

test('every folder has a place in the order', () => {
  expect([...new Set([...texts.keys()].map(folderOf))].sort()).toEqual([...ORDER].sort());
});

test('no files import each other', () => {
  expect([...cycles()].sort()).toEqual(CYCLES);
});

test('no folder imports from one above it', () => {
  const upward = edges.filter(({ from, to }) => {
    const [own, other] = [folderOf(from), folderOf(to)];
    return ORDER.indexOf(other) > ORDER.indexOf(own) || APART.includes(`${own} to ${other}`);
  });
  expect(upward.map(line).sort()).toEqual(UPWARD);
});

test('only the index of the meshes imports from the folder of a mesh', () => {
  const meshOf = (name: string) => /^targets\/(?!kit\/|nginx\/|ext-authz\/|ingress\/)([^/]+)\//.exec(name)?.[1];
  const others = edges.filter(
    ({ from, to }) => meshOf(to) !== undefined && meshOf(from) !== meshOf(to) && from !== 'targets/index',
  );
  expect(others.map(line)).toEqual([]);
});

test(`no source file has more than ${LONGEST} lines`, () => {
  const long = [...texts].filter(([, text]) => text.split('\n').length - 1 > LONGEST).map(([name]) => name);
  expect(long.sort()).toEqual(LONG);
});
