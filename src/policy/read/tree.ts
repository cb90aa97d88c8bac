import type { YamlAlias, YamlNode, YamlScalar } from '../../base/yaml.ts';
import { type Path, quote } from '../forms/path.ts';
import type { Expand, Expanded } from './variables.ts';

/** A policy as plain nodes with their places. Checks replace a wrong node, so that each mistake gives one error. */
export type Tree = Scalar | { readonly kind: 'list'; readonly at: number; readonly items: Tree[] } | Mapping;

export interface Scalar {
  readonly kind: 'scalar';
  readonly at: number;
  readonly value: unknown;
  /** Present if the value contains variables. */
  readonly expanded?: Expanded;
  /** Nothing is written after the colon. */
  readonly unsaid?: true;
}

export interface Mapping {
  readonly kind: 'map';
  readonly at: number;
  /** The place of the overlay that has changed this mapping. */
  readonly overlaid?: number;
  readonly entries: Map<string, { readonly at: number; readonly node: Tree }>;
}

/** The maximum number of nodes in a policy, and their maximum depth. An alias counts at each use. */
const MAX_NODES = 50_000;
const MAX_DEPTH = 40;

/** A mistake at an offset of the text. */
export interface Problem {
  readonly at: number;
  readonly message: string;
}

/** A construct that YAML allows, but that a policy must not contain. */
export interface TreeProblem extends Problem {
  readonly path: Path;
  /** The part that is left out because of the problem. */
  readonly discarded?: Tree;
}

/** A node for a value that is missing or already reported. It is not checked again. */
export const hole = (at: number): Scalar => ({ kind: 'scalar', at, value: undefined });

/** Makes one tree from YAML nodes, and expands the variables in it. Reports repeated keys, recursion and too many nodes.
 * @param base - the offset of the text among all texts of the policy
 * @param expand - `parameters`: the text is a profile, whose values and keys may have parameters, which stay as they are */
export function toTree(
  roots: readonly YamlNode[],
  base: number,
  expand: Expand | 'parameters',
  problem: (problem: TreeProblem) => void,
): Tree {
  const reader = new Reader(base, expand, problem);
  const [first = hole(base), ...others] = roots.map((root) => reader.read(root));
  for (const other of others) {
    if (first.kind === 'map' && other.kind === 'map') reader.merge(first, other);
  }
  return first;
}

class Reader {
  readonly #base: number;
  readonly #expand: Expand | 'parameters';
  readonly #problem: (problem: TreeProblem) => void;
  readonly #anchors = new Map<string, { readonly node: Tree; readonly size: number } | 'open'>();
  readonly #path: (string | number)[] = [];
  #nodes = 0;
  #full = false;

  constructor(base: number, expand: Expand | 'parameters', problem: (problem: TreeProblem) => void) {
    this.#base = base;
    this.#expand = expand;
    this.#problem = problem;
  }

  read(node: YamlNode): Tree {
    const at = this.#base + node.at;
    if (!this.#count(1, at)) return hole(at);
    if (this.#path.length > MAX_DEPTH) {
      return this.#refuse(at, 'nested too deeply; write plain lists and mappings, a few levels deep');
    }
    if (node.kind === 'alias') return this.#alias(node, at);
    const { anchor } = node;
    if (anchor) this.#anchors.set(anchor, 'open');
    const before = this.#nodes;
    const tree = this.#plain(node, at);
    if (anchor) this.#anchors.set(anchor, { node: tree, size: this.#nodes - before + 1 });
    return tree;
  }

  /** Adds the entries of another mapping. A repeated key is an error. */
  merge(into: Mapping, other: Mapping): void {
    for (const [key, { at, node }] of other.entries) this.#add(into, key, at, node);
  }

  #plain(node: Exclude<YamlNode, YamlAlias>, at: number): Tree {
    if (node.kind === 'scalar') return this.#scalar(node, at);
    if (node.kind === 'list') {
      return { kind: 'list', at, items: node.items.map((item, index) => this.#below(index, item)) };
    }
    const map: Mapping = { kind: 'map', at, entries: new Map() };
    for (const { key, value } of node.entries) {
      const name = key.text ?? '';
      this.#add(map, name, this.#base + key.at, this.#below(name, value));
    }
    return map;
  }

  #scalar({ value, text, isPlain }: YamlScalar, at: number): Tree {
    if (value === null && text === undefined) return { kind: 'scalar', at, value, unsaid: true };
    if (typeof value !== 'string' || this.#expand === 'parameters') return { kind: 'scalar', at, value };
    const expanded = this.#expand(value, isPlain);
    if (expanded === undefined) return { kind: 'scalar', at, value };
    if ('mistake' in expanded) return this.#refuse(at, expanded.mistake);
    return { kind: 'scalar', at, value: expanded.value, expanded };
  }

  #below(step: string | number, node: YamlNode): Tree {
    this.#path.push(step);
    const tree = this.read(node);
    this.#path.pop();
    return tree;
  }

  #add(map: Mapping, key: string, at: number, node: Tree): void {
    const mistake = map.entries.has(key) ? `the key ${quote(key)} is here twice; keep one` : this.#keyMistake(key);
    // A key with a variable keeps its value, so that nothing seems to be missing.
    if (mistake === undefined || mistake === VARIABLE_KEY) map.entries.set(key, { at, node });
    if (mistake === undefined) return;
    const discarded = mistake === VARIABLE_KEY ? {} : { discarded: node };
    this.#problem({ at, path: [...this.#path, key], message: mistake, ...discarded });
  }

  #keyMistake(key: string): string | undefined {
    if (key === '__proto__') return 'not allowed; choose another';
    return key.includes('${') && this.#expand !== 'parameters' ? VARIABLE_KEY : undefined;
  }

  #alias({ name }: YamlAlias, at: number): Tree {
    const anchor = this.#anchors.get(name);
    if (anchor === 'open') return this.#refuse(at, 'this alias is inside its own anchor; write the value itself');
    if (anchor === undefined)
      return this.#refuse(at, 'no anchor of this name stands before it; write the value itself');
    return this.#count(anchor.size, at) ? anchor.node : hole(at);
  }

  #refuse(at: number, message: string): Tree {
    this.#problem({ at, path: [...this.#path], message });
    return hole(at);
  }

  /** Counts nodes. If there are too many, reports one problem and returns false. */
  #count(nodes: number, at: number): boolean {
    if (this.#full) return false;
    this.#nodes += nodes;
    if (this.#nodes <= MAX_NODES) return true;
    this.#full = true;
    this.#refuse(at, 'the policy has too many values from here on; use fewer aliases, or split it');
    return false;
  }
}

const VARIABLE_KEY = 'a key cannot have variables; write the key itself, in an overlay for each stage';

export function find(tree: Tree | undefined, path: Path): Tree | undefined {
  let node = tree;
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.node;
    else node = node?.kind === 'list' ? node.items[Number(step)] : undefined;
  }
  return node;
}

/** Copies a tree. A part that an alias uses in several places is also shared in the copy. */
export function copyOf(tree: Tree, made: Map<Tree, Tree> = new Map()): Tree {
  const known = made.get(tree);
  if (known !== undefined) return known;
  const copy: Tree =
    tree.kind === 'list'
      ? { ...tree, items: tree.items.map((it) => copyOf(it, made)) }
      : tree.kind === 'map'
        ? {
            ...tree,
            entries: new Map([...tree.entries].map(([key, it]) => [key, { ...it, node: copyOf(it.node, made) }])),
          }
        : tree;
  made.set(tree, copy);
  return copy;
}

export function replace(tree: Tree, path: Path, node: Tree): void {
  const parent = find(tree, path.slice(0, -1));
  const step = path.at(-1);
  if (parent?.kind === 'map') {
    const key = String(step);
    parent.entries.set(key, { at: parent.entries.get(key)?.at ?? parent.at, node });
  } else if (parent?.kind === 'list') parent.items[Number(step)] = node;
}

/** The nodes directly below a list or a mapping, with their steps. */
export const childrenOf = (node: Exclude<Tree, Scalar>): Iterable<readonly [string | number, Tree]> =>
  node.kind === 'list' ? node.items.entries() : [...node.entries].map(([key, it]) => [key, it.node] as const);

/** Renames the key of an entry. The entry keeps its position in the mapping. */
export function rename(map: Mapping, key: string, to: string): void {
  const entries = [...map.entries];
  map.entries.clear();
  for (const [name, entry] of entries) map.entries.set(name === key ? to : name, entry);
}

export function plain(tree: Tree): unknown {
  if (tree.kind === 'list') return tree.items.map(plain);
  if (tree.kind === 'scalar') return tree.value;
  return Object.fromEntries([...tree.entries].map(([key, { node }]) => [key, plain(node)]));
}

/** Returns every key and text below a node. */
export function words(tree: Tree): string[] {
  if (tree.kind === 'scalar') return typeof tree.value === 'string' ? [tree.value] : [];
  if (tree.kind === 'list') return tree.items.flatMap(words);
  return [...tree.entries].flatMap(([key, { node }]) => [key, ...words(node)]);
}
