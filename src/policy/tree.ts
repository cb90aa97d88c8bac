import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import { type Path, pathKey } from './path.ts';
import { ROUTES } from './sections.ts';

/** Offsets in the text: of an entry's key, if it has one, and of its value. */
export interface Mark {
  readonly key?: number;
  readonly value: number;
}

/** A document as plain values, and where each of them stands. */
export interface Tree {
  readonly value: unknown;
  readonly marks: ReadonlyMap<string, Mark>;
}

/** Turns a YAML document into plain values. */
export function toTree(document: Document): Tree {
  const marks = new Map<string, Mark>();
  return { value: plain(document.contents as Node | null, [], marks, undefined), marks };
}

function plain(node: Node | null, path: Path, marks: Map<string, Mark>, key: number | undefined): unknown {
  const value = node?.range?.[0] ?? key ?? 0;
  marks.set(pathKey(path), key === undefined ? { value } : { key, value });
  if (isMap(node)) {
    const entries = node.items.map((pair) => {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      const at = (pair.key as Node).range?.[0];
      return [name, plain(pair.value as Node | null, [...path, name], marks, at)] as const;
    });
    return Object.fromEntries(entries);
  }
  if (isSeq(node)) return node.items.map((item, index) => plain(item as Node, [...path, index], marks, undefined));
  if (isAlias(node)) return undefined;
  return isScalar(node) ? node.value : null;
}

/** Moves the routes of each host under one key, so that the host's other keys can be checked as keys. */
export function regroup(root: unknown): unknown {
  if (!isObject(root) || !isObject(root.hosts)) return root;
  const hosts = Object.entries(root.hosts).map(([name, host]) => [name, isObject(host) ? regroupHost(host) : host]);
  return { ...root, hosts: Object.fromEntries(hosts) };
}

function regroupHost(host: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(host);
  const routes = entries.filter(([key]) => key.startsWith('/'));
  return {
    ...Object.fromEntries(entries.filter(([key]) => !key.startsWith('/'))),
    [ROUTES]: Object.fromEntries(routes),
  };
}

/** True for a mapping. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
