import { type Bare, child, choose, unwrap } from '../forms/descend.ts';
import { cardsOf, type MeshKind, relationsOf, togethers } from '../forms/mapping.ts';
import { type Path, quote } from '../forms/path.ts';
import { type DraftPolicy, meshesOf, repeated, servicesOf } from '../read/draft.ts';
import type { Report } from '../read/report.ts';
import { childrenOf, find, type Mapping, type Tree } from '../read/tree.ts';
import { show } from '../read/wrong-values.ts';
import { policySchema } from '../schema/policy.ts';

/* The only interpreter of what the schema says about the relations of keys, and about bounds. It alone knows what an
 * earlier error hides: a part that was removed may be the part that seems to be missing, and a key that has an error
 * itself excludes no other. */

/** The entries of a mapping or list, of which no two may have the same value at some keys. */
interface Around {
  /** The entry in which the walk is. */
  readonly name: string;
  /** By key, the last entry with each value. */
  readonly values: Map<unknown, Map<unknown, string>>;
  readonly meshKindAt: (path: Path) => MeshKind | undefined;
}

/** Returns the kind of the mesh to which the mapping at a path belongs; undefined if it belongs to none. */
function meshKindIn(draft: DraftPolicy): Around['meshKindAt'] {
  const kinds = new Map(
    meshesOf(draft).flatMap((at) => {
      const services = servicesOf(draft, at).map(([name]) => `services ${name}`);
      return [at.path.join(' '), ...services].map((it) => [it, at.mesh.kind]);
    }),
  );
  return ([section, name]) => kinds.get(section === 'mesh' ? section : `${section} ${name}`);
}

/** Checks the relations of all keys, and that values are within their bounds. */
export function checkRelations(report: Report, draft: DraftPolicy): void {
  visit(report, unwrap(policySchema), report.tree, [], { name: '', values: new Map(), meshKindAt: meshKindIn(draft) });
}

function visit(report: Report, bare: Bare, node: Tree, path: Path, around: Around): void {
  const schema = choose(bare, node.kind === 'map' ? {} : node.kind === 'list' ? [] : node.value);
  if (schema === undefined) return;
  if (node.kind === 'scalar') {
    const message = typeof node.value === 'string' ? schema.hint?.mistake?.(node.value) : undefined;
    if (message !== undefined) report.add(path, message);
    return;
  }
  if (node.kind === 'list' && schema.hint?.distinct !== undefined)
    checkDistinct(report, schema.hint.distinct, node.items, path);
  const cards = cardsOf(schema.schema);
  if (node.kind === 'map') checkTogether(report, schema, node, path);
  if (node.kind === 'map' && cards !== undefined && !report.has(path)) checkKeys(report, cards, node, path, around);
  const values: Around['values'] = new Map();
  for (const [step, below] of childrenOf(node)) {
    const inner = child(schema, step);
    const own = cards === undefined ? { ...around, name: String(step), values } : around;
    if (inner) visit(report, inner, below, [...path, step], own);
  }
}

function checkDistinct(report: Report, what: string, items: readonly Tree[], path: Path): void {
  const textOf = (it: Tree) => (it.kind === 'scalar' && typeof it.value === 'string' ? it.value : undefined);
  const texts = items.map(textOf);
  for (const [index, , other] of repeated(texts.entries(), (it) => it?.toLowerCase())) {
    report.add([...path, index], `the same ${what} as ${quote(texts[other] ?? '')}; keep one`);
  }
}

function checkTogether(report: Report, { schema }: Bare, node: Mapping, path: Path): void {
  const { notEmpty, oneOf, someOf } = togethers.get(schema) ?? {};
  if (report.touches(path)) return;
  if (notEmpty !== undefined && node.entries.size === 0) report.key(path, notEmpty);
  const [first, ...others] = oneOf?.keys.filter((key) => node.entries.has(key)) ?? [];
  if (oneOf !== undefined && first === undefined) {
    for (const key of oneOf.keys) {
      const kind = child({ schema, optional: false }, key)?.hint?.refers;
      // A definition that nothing uses may be the one that this mapping should name.
      if (kind !== undefined) report.lack(kind);
    }
    report.key(path, oneOf.none);
  } else if (others.length > 0) {
    report.key(path, `one ${oneOf?.what} has ${[first, ...others].join(' and ')}; keep one of them`);
  }
  if (someOf === undefined || someOf.keys.some((key) => node.entries.has(key))) return;
  report.missing(path, String(someOf.keys[0]), someOf.write);
}

type Cards = NonNullable<ReturnType<typeof cardsOf>>;

function checkKeys(report: Report, cards: Cards, node: Mapping, path: Path, around: Around): void {
  const meshKind = around.meshKindAt(path);
  for (const [key, made] of Object.entries(cards)) {
    const value = node.entries.get(key)?.node;
    const here = [...path, key];
    if (value === undefined) continue;
    const { unique } = relationsOf(made.card);
    if (unique !== undefined && value.kind === 'scalar' && value.value !== undefined) {
      const known = around.values.get(made) ?? new Map<unknown, string>();
      const other = known.get(value.value);
      if (other !== undefined) report.add(here, unique(other));
      around.values.set(made, known.set(value.value, around.name));
    }
    const idle = meshKind && idleIn(meshKind, relationsOf(made.card));
    if (idle === undefined) checkOthers(report, relationsOf(made.card), here);
    else if (!report.touches(here)) report.key(here, idle);
  }
  for (const [key, { card }] of Object.entries(cards)) {
    const write = meshKind && relationsOf(card).neededInMesh?.[meshKind];
    if (meshKind === undefined || write === undefined || node.entries.has(key) || report.touches(path)) continue;
    report.key([...path, key], `missing key "${key}", which ${titled(meshKind)} needs; write ${write}`);
  }
}

const titled = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Why a key has no effect in a kind of mesh; undefined if it has one. */
function idleIn(meshKind: MeshKind, { onlyInMesh, notInMesh }: ReturnType<typeof relationsOf>) {
  const [only, words] = Object.entries(onlyInMesh ?? {})[0] ?? [meshKind];
  if (only === meshKind) return notInMesh?.[meshKind];
  return words === true ? `no effect: the mesh is ${meshKind}, not ${only}; remove it` : words;
}

/** Reports the first relation of a key to others that does not hold. */
function checkOthers(report: Report, relations: ReturnType<typeof relationsOf>, here: Path): void {
  const path = here.slice(0, -1);
  const key = String(here.at(-1));
  const pathsOf = (names: string): readonly Path[] =>
    names.split('|').map((it) => (it.startsWith('/') ? it.slice(1).split('/') : [...path, ...it.split('/')]));
  const isThere = (other: Path): boolean => find(report.tree, other) !== undefined;
  const isHidden = (other: Path): boolean => report.has(other) || report.touches(other.slice(0, -1));
  const lacks = (names: string): boolean => !pathsOf(names).some((other) => isThere(other) || isHidden(other));
  for (const [names, words] of Object.entries(relations.noEffectWithout ?? {})) {
    if (!lacks(names)) continue;
    report.key(here, words === true ? `no effect without ${names}; add ${names}, or remove this` : words);
    return;
  }
  for (const [names, words] of Object.entries(relations.excludes ?? {})) {
    const other = pathsOf(names).find((it) => isThere(it) && !report.has(it));
    if (other === undefined) continue;
    report.key(here, words === true ? `${names} is there as well; keep one of the two` : words);
    return;
  }
  for (const [name, words] of Object.entries(relations.requires ?? {})) {
    if (lacks(name)) report.missing(path, name, words === true ? `${name}: next to ${key}` : words);
  }
}

const textOf = (it: Tree) =>
  it.kind === 'scalar' && it.value !== undefined ? `${typeof it.value} ${it.value}` : undefined;

/** Rejects lists that contain a value twice. The claims of a test are an exception. */
export function checkLists(report: Report, node: Tree = report.tree, path: Path = []): void {
  if (node.kind === 'scalar' || path.at(-1) === 'claims') return;
  // A repeated rule gets another error: an earlier rule covers it.
  const items = node.kind === 'list' && path.at(-1) !== 'allow' ? node.items : [];
  for (const [index, item] of repeated(items.entries(), textOf)) {
    if (item.kind === 'scalar') report.add([...path, index], `${show(item.value)} is in this list twice; remove one`);
  }
  for (const [step, below] of childrenOf(node)) checkLists(report, below, [...path, step]);
}
