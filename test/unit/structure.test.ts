/** Checks how the files of src/ depend on each other, how long they are, how folders divide them, and what has a budget. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { longLists, measures, tooLarge } from '../size.ts';

/** Folders from the bottom to the top: each imports only from those before it. DESIGN.md says why. */
const ORDER = [
  'base',
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
  'migrate',
  'cli',
  'entries',
  'release',
];

/** The files that run in nginx and those that only the command needs never import each other. */
const APART = ['njs to targets', 'cli to njs'];

/** The folders of policy/ in the same order. Reports and drafts (`read`) do not know how files are put together, so the
 * overlays and the files of teams (`compose`) come above them. */
const POLICY_ORDER = [
  'forms',
  'trusted',
  'facts',
  'schema',
  'checked',
  'read',
  'check',
  'compose',
  'advice',
  // The files of policy/ itself.
  '.',
];

/** Files whose names begin with the same word, from which on they are a folder with this name. */
const FOLDER_FROM = 3;

/** The current exceptions. Each test fails when one of them is no longer needed, so that the lists only become
 * shorter. */
const CYCLES: readonly string[] = [];
const UPWARD: readonly string[] = [];
const PREFIXED: readonly string[] = [];

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

type Graph = ReadonlyMap<string, readonly string[]>;

const imports: Graph = new Map([...texts].map(([name, text]) => [name, importsIn(name, text)]));

const edges = [...imports].flatMap(([from, all]) => all.map((to) => ({ from, to })));

/** All that a file or folder imports, directly or not. */
function reachedFrom(name: string, graph: Graph): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...(graph.get(name) ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    waiting.push(...(graph.get(next) ?? []));
  }
  return reached;
}

/** Files or folders that import each other, as one text for each cycle. */
function cycles(graph: Graph): readonly string[] {
  const reached = new Map([...graph.keys()].map((name) => [name, reachedFrom(name, graph)]));
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
const folderOf = (name: string): string => name.split('/')[0] ?? '';

/** The folder inside the folder of {@link ORDER} in which a file is; `.` if it is in none. */
const roomOf = (name: string): string => name.split('/').slice(1, -1)[0] ?? '.';

/** The names of files by a part of each name. */
function grouped(part: (name: string) => string): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const name of texts.keys()) groups.set(part(name), [...(groups.get(part(name)) ?? []), name]);
  return groups;
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
  expect([...cycles(imports)].sort()).toEqual(CYCLES);
});

test('no folder imports from one above it', () => {
  const upward = edges.filter(({ from, to }) => {
    const [own, other] = [folderOf(from), folderOf(to)];
    return ORDER.indexOf(other) > ORDER.indexOf(own) || APART.includes(`${own} to ${other}`);
  });
  expect(upward.map(line).sort()).toEqual(UPWARD);
});

test('one file reads and writes YAML: no other imports a library for it', () => {
  const importing = [...texts].filter(([, text]) => /from '(?:js-)?yaml'/.test(text));
  expect(importing.map(([name]) => name)).toEqual(['base/yaml']);
});

test('migrate/ imports the language of policies, and nothing else of the product', () => {
  const others = edges.filter(
    ({ from, to }) =>
      folderOf(from) === 'migrate' &&
      !['base', 'migrate', 'policy', 'providers'].includes(folderOf(to)) &&
      to !== 'session/urls',
  );
  expect(others.map(line)).toEqual([]);
});

test('the command loads migrate/ as a bundle: it imports only its types', () => {
  const from = new Set(edges.filter(({ to }) => folderOf(to) === 'migrate').map((it) => it.from));
  const loading = [...from]
    .filter((name) => folderOf(name) !== 'migrate')
    .flatMap((name) => (texts.get(name) ?? '').match(/^.*'[^']*\/migrate\/.*$/gm) ?? []);
  expect(loading.length).toBeGreaterThan(0);
  expect(loading.filter((it) => !/^import type |\btypeof import\(/.test(it))).toEqual([]);
});

test.each(['audit', 'cli', 'policy', 'rules'])('no folders of %s/ import each other', (folder) => {
  const inside = edges.filter(({ from, to }) => folderOf(from) === folder && folderOf(to) === folder);
  const rooms = new Map<string, string[]>();
  for (const [from, to] of inside.map((edge) => [roomOf(edge.from), roomOf(edge.to)] as const)) {
    if (from !== to) rooms.set(from, [...(rooms.get(from) ?? []), to]);
  }
  expect(rooms.size).toBeGreaterThan(2);
  expect(cycles(rooms)).toEqual([]);
});

test('no folder of policy/ imports from one above it', () => {
  const own = [...texts.keys()].filter((name) => folderOf(name) === 'policy');
  expect([...new Set(own.map(roomOf))].sort()).toEqual([...POLICY_ORDER].sort());
  const rank = (name: string) => POLICY_ORDER.indexOf(roomOf(name));
  const upward = edges.filter(({ from, to }) => own.includes(from) && own.includes(to) && rank(to) > rank(from));
  expect(upward.map(line)).toEqual([]);
});

test(`no ${FOLDER_FROM} files of a folder have names that begin with the same word`, () => {
  const firstWord = (name: string) => join(dirname(name), /^[^-.]+/.exec(basename(name))?.[0] ?? '');
  const prefixed = [...grouped(firstWord)].filter(([, files]) => files.length >= FOLDER_FROM).map(([prefix]) => prefix);
  expect(prefixed.sort()).toEqual(PREFIXED);
});

test('only the index of the meshes imports from the folder of a mesh', () => {
  const meshOf = (name: string) => /^targets\/(?!kit\/|nginx\/|ext-authz\/|ingress\/)([^/]+)\//.exec(name)?.[1];
  const others = edges.filter(
    ({ from, to }) => meshOf(to) !== undefined && meshOf(from) !== meshOf(to) && from !== 'targets/index',
  );
  expect(others.map(line)).toEqual([]);
});

test('src/ and docs/ are within the budgets of test/size.json', () => {
  expect(tooLarge(measures())).toEqual([]);
});

test('each budget is of something that is measured', () => {
  const budgets = JSON.parse(readFileSync('test/size.json', 'utf8'));
  expect(Object.keys(budgets)).toEqual(measures().map(({ name }) => name));
});

test('a measure above its budget, or without one, is reported', () => {
  const all = [
    { name: 'lines', is: 10, budget: 10 },
    { name: 'words', is: 11, budget: 10 },
    { name: 'files', is: 1, budget: undefined, found: ['a.ts'] },
  ];
  expect(tooLarge(all)).toEqual(['words: 11, budget 10', 'files: 1, budget missing\n  a.ts']);
});

test('parameters are counted in functions, methods and arrows, with types that have commas and arrows', () => {
  expect(longLists('function five(a: A, b: B<C, D>, c: (d: D, e: E) => F, { g, h }: G, i = [1, 2]): H {}')).toEqual([
    'five',
  ]);
  expect(longLists('function four(a: A, b: B<C, D>, c: (d: D, e: E) => F, { g, h }: G,): H {}')).toEqual([]);
  expect(longLists('class A {\n  #five(a, b, c, d, e): Promise<A> {}\n}')).toEqual(['#five']);
  expect(longLists('const five = <T>(a: T, b, c, d, e): T => a;')).toHaveLength(1);
  expect(longLists("call(a, b, c, d, e); call('(a, b, c, d, e) => f'); // five(a, b, c, d, e) {}")).toEqual([]);
});
