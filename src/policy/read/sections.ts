import { type Bare, child, choose, unwrap } from '../forms/descend.ts';
import type { Named } from '../forms/hints.ts';
import type { Path } from '../forms/path.ts';
import { policySchema } from '../schema/policy.ts';
import type { Report } from './report.ts';
import { childrenOf, find, type Mapping, type Tree } from './tree.ts';

const SECTIONS: Readonly<Record<Named, Path>> = {
  provider: ['providers'],
  role: ['roles'],
  agent: ['agents'],
  service: ['services'],
  mesh: ['meshes'],
  ingress: ['mesh', 'ingresses'],
  identity: ['mesh', 'identities'],
};

export const KINDS = Object.keys(SECTIONS) as readonly Named[];

/** The sections that define things of a kind. Each mesh defines its own ingresses and identities. */
export function sectionsOf(report: Report, kind: Named): readonly Path[] {
  const section = SECTIONS[kind];
  const meshes = section[0] === 'mesh' ? find(report.tree, ['meshes']) : undefined;
  if (meshes?.kind !== 'map') return [section];
  return [...meshes.entries.keys()].map((mesh) => ['meshes', mesh, ...section.slice(1)]);
}

/** The names in a section in file order; undefined if an error hides them. */
export function namesIn(report: Report, path: Path): readonly string[] | undefined {
  const section = find(report.tree, path);
  if (section?.kind === 'map') return [...section.entries.keys()];
  return path.some((_, index) => report.has(path.slice(0, index + 1))) ? undefined : [];
}

/** The names of all things of a kind in file order; undefined if an error hides them. */
export function namesOf(report: Report, kind: Named): readonly string[] | undefined {
  const all = sectionsOf(report, kind).map((section) => namesIn(report, section));
  return all.every((names) => names !== undefined) ? [...new Set(all.flat())] : undefined;
}

/** The service on which the meaning of a reference depends: the service of an ingress, or of a rule's identity. */
function serviceAt(report: Report, { kind, path }: Pick<Reference, 'kind' | 'path'>): string | undefined {
  if (kind === 'ingress') return String(path[1]);
  const own = find(report.tree, [...path.slice(0, -1), 'service']);
  const service = own ?? find(report.tree, [...path.slice(0, 4), 'service']);
  return service?.kind === 'scalar' ? String(service.value) : undefined;
}

/** The definition of the service on which the meaning of a reference depends; undefined if there is none. */
export function serviceOfReference(report: Report, reference: Pick<Reference, 'kind' | 'path'>): Mapping | undefined {
  const definition = find(report.tree, ['services', serviceAt(report, reference) ?? '']);
  return definition?.kind === 'map' ? definition : undefined;
}

/** The sections that may define the name of a reference. For an ingress or an identity, this is the section of the mesh
 * of its service, or all sections if the mesh is not known. */
export function sectionsFor(report: Report, reference: Pick<Reference, 'kind' | 'path'>): readonly Path[] {
  const all = sectionsOf(report, reference.kind);
  if (all.length < 2) return all;
  const service = serviceOfReference(report, reference);
  const named = service?.entries.get('mesh')?.node;
  const mesh = named === undefined ? 'default' : named.kind === 'scalar' ? named.value : undefined;
  const own = service && all.filter((section) => section[1] === mesh);
  return own?.length ? own : all;
}

/** A place in the policy that refers to a name. */
export interface Reference {
  readonly kind: Named;
  readonly name: string;
  /** The path of the value. For a key, this is the path of its entry. */
  readonly path: Path;
  readonly isKey: boolean;
}

/** Returns every text, and every key of a mapping, that is the name of a thing. */
export function references(report: Report): readonly Reference[] {
  const found: Reference[] = [];
  visit(unwrap(policySchema), report.tree, [], found);
  return found;
}

function visit(bare: Bare, node: Tree, path: Path, found: Reference[]): void {
  const schema = choose(bare, node.kind === 'map' ? {} : node.kind === 'list' ? [] : node.value);
  if (!schema) return;
  const { refers, keysRefer } = schema.hint ?? {};
  if (node.kind === 'scalar') {
    if (refers && typeof node.value === 'string') found.push({ kind: refers, name: node.value, path, isKey: false });
    return;
  }
  for (const [step, below] of childrenOf(node)) {
    const here = [...path, step];
    if (keysRefer && typeof step === 'string') found.push({ kind: keysRefer, name: step, path: here, isKey: true });
    const inner = child(schema, step);
    if (inner) visit(inner, below, here, found);
  }
}
