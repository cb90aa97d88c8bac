/** Pairs of valid policies that differ in one key, for each key that the language has. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { choose, descend, elementOf, kindOf, type Schema, unwrap } from '../../../src/policy/forms/descend.ts';
import { cardsOf, type Decides, decidedBy, type Key } from '../../../src/policy/forms/mapping.ts';
import { ROUTES } from '../../../src/policy/forms/path.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { policySchema } from '../../../src/policy/schema/policy.ts';

type Tree = { [key: string | number]: unknown };

/** A key in one policy: its path in the language, as in `hosts.*./.proxy.read_timeout`, and its place in the file. */
interface Place {
  readonly tree: Tree;
  readonly path: readonly (string | number)[];
  readonly schema: Schema;
}

export interface Known {
  readonly path: string;
  readonly name: string;
  readonly decides: Decides;
}

export interface Pair {
  readonly left: string;
  readonly right: string;
}

const UNIT = join(import.meta.dirname, '..');

const yaml = (folder: string) =>
  readdirSync(join(UNIT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(UNIT, folder, name));

const FILES = ['rules/fixtures', 'policy', 'targets', '../../docs/examples'].flatMap(yaml);

const isValid = (text: string): boolean => parsePolicy(text, 'policy.yaml').policy !== undefined;

const policies = FILES.map((file) => readFileSync(file, 'utf8'))
  .filter(isValid)
  .map((text) => parse(text, { merge: true }) as Tree);

const isTree = (value: unknown): value is Tree => kindOf(value) === 'mapping';

const idOf = new Map<Key, number>();

/** A name for a key that is the same at each place of the same mapping, such as facts inside of facts. Hosts and routes
 * have keys in common. */
function nameOf(key: Key, path: string): string {
  const id = idOf.get(key) ?? idOf.size;
  idOf.set(key, id);
  return `${id}${path.startsWith(`hosts.*.${ROUTES}`) ? ' of a route' : ''}`;
}

/** Every key that the language has, with its path, as in `gateway.keys.stale`. */
export function* keys(schema: Schema = policySchema, path = '', around: readonly Schema[] = []): Generator<Known> {
  const { schema: bare } = unwrap(schema);
  if (around.includes(bare)) return;
  const inside = [...around, bare];
  const def = bare._zod.def as { options?: readonly Schema[]; valueType?: Schema; element?: Schema };
  for (const option of def.options ?? []) yield* keys(option, path, inside);
  if (def.valueType) yield* keys(def.valueType, `${path}.*`, inside);
  if (def.element) yield* keys(def.element, `${path}[]`, inside);
  for (const [name, key] of Object.entries(cardsOf(bare) ?? {})) {
    const here = path === '' ? name : `${path}.${name}`;
    yield { path: here, name: nameOf(key, here), decides: decidedBy(key.card) };
    yield* keys(key.schema, here, inside);
  }
}

/** Every key in a value. */
function* places(
  tree: Tree,
  value: unknown,
  schema: Schema,
  at: Place['path'] = [],
  path = '',
): Generator<[string, Place]> {
  const bare = choose(unwrap(schema), value)?.schema;
  if (bare === undefined) return;
  if (Array.isArray(value)) {
    const element = elementOf({ schema: bare, optional: false });
    for (const [i, own] of value.entries()) if (element) yield* places(tree, own, element, [...at, i], `${path}[]`);
  }
  if (!isTree(value)) return;
  const cards = cardsOf(bare);
  const { valueType } = bare._zod.def as { valueType?: Schema };
  for (const [name, own] of Object.entries(value)) {
    const isRoute = name.startsWith('/') && cards?.[ROUTES] !== undefined;
    const inner = isRoute ? descend(bare, [ROUTES, name], undefined)?.schema : (cards?.[name]?.schema ?? valueType);
    if (inner === undefined) continue;
    const key = isRoute ? `${ROUTES}.*` : cards ? name : '*';
    const here = path === '' ? key : `${path}.${key}`;
    const card = cards?.[name];
    if (card) yield [nameOf(card, here), { tree, path: [...at, name], schema: inner }];
    yield* places(tree, own, inner, [...at, name], here);
  }
}

const found = new Map<string, Place[]>();
for (const tree of policies) {
  for (const [name, place] of places(tree, tree, policySchema)) found.set(name, [...(found.get(name) ?? []), place]);
}

/** A copy of a tree with another value at a path; without the key if the value is undefined. */
function changedAt(tree: unknown, [key, ...rest]: Place['path'], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = (Array.isArray(tree) ? [...tree] : { ...(tree as Tree) }) as Tree;
  if (rest.length === 0 && value === undefined) delete copy[key];
  else copy[key] = changedAt((tree as Tree)[key], rest, value);
  return copy;
}

/** Texts that some key of the language accepts. */
const TEXTS: readonly string[] = [
  ...['/run/other/x.pem', 'other', 'https://other.example.com', 'https://other.example.com/x', 'other.example.com'],
  ...[
    'other.mesh:81',
    'spiffe://example.org/other',
    '77s',
    '11m',
    '3d',
    '77/s',
    '9/m',
    '9m',
    'X-Other',
    '127.0.0.1:99',
  ],
  ...['/other/', 'anyone', 'authenticated', 'acr-2', 'login', 'http2', 'grpc', 'Other', 'example.net', 'none', 'dpop'],
  ...['mailto:other@example.com', 'bearer', 'session', 'certificate', 'nobody', 'allowed', 'GET', 'linkerd', 'istio'],
];

/** The names that a policy defines. */
function namesIn({ providers, roles, agents, services, mesh, meshes }: Tree): readonly string[] {
  const { ingresses, identities } = (mesh ?? {}) as Tree;
  const all = [providers, roles, agents, services, ingresses, identities, meshes];
  return all.flatMap((it) => Object.keys((it ?? {}) as Tree));
}

/** Values that might be valid instead of a value. */
function* others(value: unknown, schema: Schema, names: readonly string[]): Generator<unknown> {
  const { hint } = unwrap(schema);
  if (hint?.refers !== undefined) yield* names.filter((it) => it !== value);
  const bare = choose(unwrap(schema), value)?.schema ?? schema;
  const { entries, values } = bare._zod.def as { entries?: object; values?: readonly unknown[] };
  yield* Object.values(entries ?? {}).filter((it) => it !== value);
  yield* (values ?? []).filter((it) => it !== value);
  if (typeof value === 'boolean') yield !value;
  if (typeof value === 'number') yield* [value + 1, value - 1, 4];
  if (typeof value === 'string') yield* [...TEXTS, `${value}x`, `${value}/x`, `x${value}`].filter((it) => it !== value);
  if (Array.isArray(value)) {
    const element = elementOf({ schema: bare, optional: false });
    if (value.length > 1) yield* [value.slice(1), value.slice(0, -1)];
    for (const it of element ? others(value[0], element, names) : [])
      yield* [
        [...value, it],
        [it, ...value.slice(1)],
      ];
    yield* [...TEXTS].flatMap((it) => [[it], [...value, it]]);
  }
  if (isTree(value)) {
    for (const name of Object.keys(value)) yield changedAt(value, [name], undefined);
    const type = (bare._zod.def as { valueType?: Schema }).valueType ?? bare;
    for (const [name, own] of Object.entries(value)) {
      const inner = cardsOf(bare)?.[name]?.schema ?? type;
      for (const it of inner === bare ? [] : others(own, inner, names)) yield changedAt(value, [name], it);
    }
    yield { ...value, Other: 'x' };
  }
  yield undefined;
}

/** With more attempts, the search would take minutes for keys that only change together with others. */
const ATTEMPTS = 200;

/** Returns policies that differ in one key; undefined if there are none. */
export function pairFor({ name }: Known): Pair | undefined {
  let attempts = 0;
  for (const { tree, path, schema } of found.get(name) ?? []) {
    const left = JSON.stringify(tree);
    if (!isValid(left)) continue;
    const value = path.reduce<unknown>((inner, key) => (inner as Tree)[key], tree);
    for (const other of others(value, schema, namesIn(tree))) {
      const right = JSON.stringify(changedAt(tree, path, other));
      if (right === left) continue;
      if (isValid(right)) return { left, right };
      attempts += 1;
      if (attempts > ATTEMPTS) return undefined;
    }
  }
  return undefined;
}
