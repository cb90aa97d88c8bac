import { formatPath, type Path, quote } from '../forms/path.ts';
import type { Report } from '../read/report.ts';
import { namesIn, type Reference, references, sectionsFor, sectionsOf, serviceOfReference } from '../read/sections.ts';
import { nearest, oneOf } from '../read/suggest.ts';
import { find, hole, rename, replace, type Tree } from '../read/tree.ts';

const EVERYBODY = ['anyone', 'authenticated'];

/** Checks that every reference names a definition. Replaces a wrong reference by the name that was probably meant. */
export function checkReferences(report: Report): void {
  const unknown = references(report).filter((it) => !isKnown(report, it));
  const missing = new Map<string, number>();
  for (const reference of unknown) {
    // A correction in the meantime may have made an identity known.
    if (isKnown(report, reference) || isEverybody(report, reference) || isJoined(report, reference)) continue;
    const guess = nearest(reference.name, candidatesFor(report, reference));
    const key = `${reference.kind} ${reference.name} ${sectionsFor(report, reference).map(formatPath)}`;
    if (guess === undefined && missing.has(key)) report.mark(reference.path);
    else report.add(reference.path, messageFor(report, reference, guess, unknown), reference.isKey ? 'key' : 'value');
    if (guess === undefined) missing.set(key, 1);
    mend(report, reference, guess);
  }
}

function isKnown(report: Report, reference: Reference): boolean {
  const { kind, name, path } = reference;
  const sections = sectionsFor(report, reference);
  const isHidden = sections.length === 0 || sections.some((section) => namesIn(report, section) === undefined);
  if (isHidden || definedFor(report, reference).includes(name) || (inAllow(path) && EVERYBODY.includes(name)))
    return true;
  // routes/unreachable-rules.ts reports an identity for a service without a mesh.
  return kind === 'identity' && isOfDirectService(report, reference);
}

/** The names that a reference may have. */
const definedFor = (report: Report, reference: Reference): readonly string[] =>
  sectionsFor(report, reference).flatMap((section) => namesIn(report, section) ?? []);

const inAllow = (path: Path) => path[0] === 'hosts' && path.at(-2) === 'allow';

const candidatesFor = (report: Report, reference: Reference): readonly string[] => [
  ...definedFor(report, reference),
  ...(inAllow(reference.path) ? EVERYBODY : []),
];

function isOfDirectService(report: Report, reference: Reference): boolean {
  const service = serviceOfReference(report, reference);
  return service !== undefined && ['url', 'insecure_url'].some((key) => service.entries.has(key));
}

/** Names the mesh of a reference, and other meshes that define the name, if the policy has several meshes. */
function meshText(report: Report, reference: Reference): string {
  const own = sectionsFor(report, reference);
  const all = sectionsOf(report, reference.kind);
  const [, mesh] = own[0] ?? [];
  if (all.length < 2 || own.length > 1) return '';
  const others = all.filter((section) => namesIn(report, section)?.includes(reference.name)).map(([, name]) => name);
  const where = others.length === 0 ? '' : `, only in ${others.map((it) => quote(String(it))).join(' and ')}`;
  return ` in mesh ${quote(String(mesh))}${where}`;
}

/** Reports `role: anyone`, and reads it as `who: anyone`. */
function isEverybody(report: Report, { name, path }: Reference): boolean {
  if (path.at(-1) !== 'role' || path.at(-3) !== 'allow' || !EVERYBODY.includes(name)) return false;
  report.add(path, `${quote(name)} is not a role; write who: ${name}`);
  const rule = find(report.tree, path.slice(0, -1));
  if (rule?.kind === 'map') rename(rule, 'role', 'who');
  return true;
}

/** `[okta keycloak]` is a list of two names in which the comma is missing. */
function isJoined(report: Report, reference: Reference): boolean {
  const { name, path } = reference;
  const list = find(report.tree, path.slice(0, -1));
  const parts = name.split(/[\s,;]+/);
  const index = path.at(-1);
  const known = candidatesFor(report, reference);
  if (list?.kind !== 'list' || typeof index !== 'number' || parts.length < 2) return false;
  if (!parts.every((part) => known.includes(part))) return false;
  report.add(path, `a comma is missing; write ${parts.join(', ')}`);
  const at = list.items[index]?.at ?? list.at;
  const [first, ...others] = parts.map((value): Tree => ({ kind: 'scalar', at, value }));
  // The other names are added at the end, so that the indexes of the existing elements stay the same.
  if (first) list.items[index] = first;
  list.items.push(...others);
  return true;
}

function messageFor(report: Report, it: Reference, guess: string | undefined, unknown: readonly Reference[]): string {
  const { kind, name } = it;
  const mesh = meshText(report, it);
  if (guess !== undefined) return `no ${kind} ${quote(name)}${mesh}; did you mean ${quote(guess)}?`;
  const names = candidatesFor(report, it);
  const define = `define it under ${sectionsFor(report, it).map(formatPath).join(' or ')}`;
  const sections = (other: Reference) => sectionsFor(report, other).map(formatPath).join();
  const isSame = (other: Reference) => other.kind === kind && other.name === name && sections(other) === sections(it);
  const places = unknown.filter(isSame).length;
  const also = places > 1 ? `, which ${places} places name` : '';
  return `no ${kind} ${quote(name)}${mesh}${also}; ${names.length === 0 ? define : `write ${oneOf(names)}, or ${define}`}`;
}

function mend(report: Report, { path, isKey, name, kind }: Reference, guess: string | undefined): void {
  if (isKey) {
    const map = find(report.tree, path.slice(0, -1));
    if (map?.kind !== 'map') return;
    if (guess === undefined || map.entries.has(guess)) map.entries.delete(name);
    else rename(map, name, guess);
    report.obscure(path.slice(0, -1));
    return;
  }
  const at = find(report.tree, path)?.at ?? 0;
  replace(report.tree, path, guess === undefined ? hole(at) : { kind: 'scalar', at, value: guess });
  if (guess === undefined) report.lack(kind);
}
