import { namesOf, type Reference, references, SECTIONS } from './names.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { nearest, oneOf } from './suggest.ts';
import { find, hole, rename, replace, type Tree } from './tree.ts';

const EVERYBODY = ['anyone', 'authenticated'];

/** Checks that every reference names a definition. Replaces a wrong reference by the name that was probably meant. */
export function checkReferences(report: Report): void {
  const unknown = references(report).filter((it) => !isKnown(report, it));
  const missing = new Map<string, number>();
  for (const reference of unknown) {
    // A correction in the meantime may have made an identity known.
    if (isKnown(report, reference) || isEverybody(report, reference) || isJoined(report, reference)) continue;
    const guess = nearest(reference.name, candidatesFor(report, reference));
    const key = `${reference.kind} ${reference.name}`;
    if (guess === undefined && missing.has(key)) report.mark(reference.path);
    else report.add(reference.path, messageFor(report, reference, guess, unknown), reference.isKey ? 'key' : 'value');
    if (guess === undefined) missing.set(key, 1);
    mend(report, reference, guess);
  }
}

function isKnown(report: Report, { kind, name, path }: Reference): boolean {
  const names = namesOf(report, kind);
  if (names === undefined || names.includes(name) || (inAllow(path) && EVERYBODY.includes(name))) return true;
  // check-rules.ts reports an identity for a service without a mesh.
  return kind === 'identity' && isOfDirectService(report, path);
}

const inAllow = (path: Path) => path[0] === 'hosts' && path.at(-2) === 'allow';

function candidatesFor(report: Report, { kind, path }: Reference): readonly string[] {
  return [...(namesOf(report, kind) ?? []), ...(inAllow(path) ? EVERYBODY : [])];
}

function isOfDirectService(report: Report, rule: Path): boolean {
  const own = find(report.tree, [...rule.slice(0, -1), 'service']);
  const service = own ?? find(report.tree, [...rule.slice(0, 4), 'service']);
  const definition = service?.kind === 'scalar' ? find(report.tree, ['services', String(service.value)]) : undefined;
  return definition?.kind === 'map' && ['url', 'insecure_url'].some((key) => definition.entries.has(key));
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
  if (guess !== undefined) return `no ${kind} ${quote(name)}; did you mean ${quote(guess)}?`;
  const names = candidatesFor(report, it);
  const define = `define it under ${SECTIONS[kind].join('.')}`;
  const places = unknown.filter((other) => other.kind === kind && other.name === name).length;
  const also = places > 1 ? `, which ${places} places name` : '';
  return `no ${kind} ${quote(name)}${also}; ${names.length === 0 ? define : `write ${oneOf(names)}, or ${define}`}`;
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
