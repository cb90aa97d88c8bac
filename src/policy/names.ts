import { type Bare, child, choose, unwrap } from './descend.ts';
import type { Hint, Named } from './hints.ts';
import type { Path } from './path.ts';
import type { Report } from './report.ts';
import { policySchema } from './schema.ts';
import { childrenOf, find, type Tree } from './tree.ts';

export const SECTIONS: Readonly<Record<Named, Path>> = {
  provider: ['providers'],
  role: ['roles'],
  agent: ['agents'],
  service: ['services'],
  ingress: ['mesh', 'ingresses'],
  identity: ['mesh', 'identities'],
};

export const KINDS = Object.keys(SECTIONS) as readonly Named[];

/** The names of all things of a kind in file order; undefined if an error hides them. */
export function namesOf(report: Report, kind: Named): readonly string[] | undefined {
  const path = SECTIONS[kind];
  const section = find(report.tree, path);
  if (section?.kind === 'map') return [...section.entries.keys()];
  return path.some((_, index) => report.has(path.slice(0, index + 1))) ? undefined : [];
}

/** A place in the policy that refers to a name. */
export interface Reference extends Pick<Hinted, 'path' | 'isKey'> {
  readonly kind: Named;
  readonly name: string;
}

/** A value or a key whose schema has a hint. */
interface Hinted {
  readonly hint: Hint;
  readonly text: string;
  /** The path of the value. For a key, this is the path of its entry. */
  readonly path: Path;
  readonly isKey: boolean;
}

/** Returns every text, and every key of a mapping, whose schema has a hint. */
function hinted(report: Report): readonly Hinted[] {
  const found: Hinted[] = [];
  visit(unwrap(policySchema), report.tree, [], found);
  return found;
}

function visit(bare: Bare, node: Tree, path: Path, found: Hinted[]): void {
  const schema = choose(bare, node.kind === 'map' ? {} : node.kind === 'list' ? [] : node.value);
  const hint = schema?.hint;
  if (!schema) return;
  if (node.kind === 'scalar') {
    if (hint && typeof node.value === 'string') found.push({ hint, text: node.value, path, isKey: false });
    return;
  }
  for (const [step, below] of childrenOf(node)) {
    const here = [...path, step];
    if (hint && typeof step === 'string') found.push({ hint, text: step, path: here, isKey: true });
    const inner = child(schema, step);
    if (inner) visit(inner, below, here, found);
  }
}

export const references = (report: Report): readonly Reference[] =>
  hinted(report).flatMap(({ hint, text: name, path, isKey }) => {
    const kind = isKey ? hint.keysRefer : hint.refers;
    return kind ? [{ kind, name, path, isKey }] : [];
  });

/** Checks that numbers which policies write as texts are within their bounds. */
export function checkBounds(report: Report): void {
  for (const { hint, text, path, isKey } of hinted(report)) {
    const message = isKey ? undefined : hint.mistake?.(text);
    if (message !== undefined) report.add(path, message);
  }
}
