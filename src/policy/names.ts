import { type Bare, child, choose, unwrap } from './descend.ts';
import type { Named } from './hints.ts';
import type { Path } from './path.ts';
import type { Report } from './report.ts';
import { policySchema } from './schema.ts';
import { find, type Tree } from './tree.ts';

/** Where each kind of thing is defined. */
export const SECTIONS: Readonly<Record<Named, Path>> = {
  provider: ['providers'],
  role: ['roles'],
  agent: ['agents'],
  service: ['services'],
  ingress: ['mesh', 'ingresses'],
  identity: ['mesh', 'identities'],
};

export const KINDS: readonly Named[] = ['provider', 'role', 'agent', 'service', 'ingress', 'identity'];

/** Names of everything of a kind, in the order of the file; undefined if an error hides them. */
export function namesOf(report: Report, kind: Named): readonly string[] | undefined {
  const path = SECTIONS[kind];
  const section = find(report.tree, path);
  if (section?.kind === 'map') return [...section.entries.keys()];
  return path.some((_, index) => report.has(path.slice(0, index + 1))) ? undefined : [];
}

/** One use of a name. */
export interface Reference {
  readonly kind: Named;
  readonly name: string;
  /** Path of the value, or for a key, of its entry. */
  readonly path: Path;
  readonly isKey: boolean;
}

/** Every use of a name, found through the schema of each value. */
export function references(report: Report): readonly Reference[] {
  const found: Reference[] = [];
  visit(unwrap(policySchema), report.tree, [], found);
  return found;
}

function visit(bare: Bare, node: Tree, path: Path, found: Reference[]): void {
  const schema = choose(bare, node.kind === 'map' ? {} : node.kind === 'list' ? [] : node.value);
  if (!schema) return;
  if (node.kind === 'scalar') {
    const kind = schema.hint?.refers;
    if (kind && typeof node.value === 'string') found.push({ kind, name: node.value, path, isKey: false });
    return;
  }
  const children =
    node.kind === 'list' ? node.items.entries() : [...node.entries].map(([k, it]) => [k, it.node] as const);
  for (const [step, below] of children) {
    const here = [...path, step];
    const kind = schema.hint?.keysRefer;
    if (kind && typeof step === 'string') found.push({ kind, name: step, path: here, isKey: true });
    const inner = child(schema, step);
    if (inner) visit(inner, below, here, found);
  }
}
