import type { Named } from './hints.ts';
import { namesOf, type Reference, references, SECTIONS } from './names.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { NAME, ROLE_NAME } from './scalars.ts';
import { nearest, oneOf } from './suggest.ts';
import { find, hole, rename, replace } from './tree.ts';

/** Words with a meaning of their own where a role may stand. */
const RESERVED = ['anyone', 'authenticated', 'nobody'];
const EVERYBODY = ['anyone', 'authenticated'];
const KINDS: readonly Named[] = ['provider', 'role', 'service', 'identity'];

const isName = (name: string, kind: Named) => (kind === 'role' ? ROLE_NAME : NAME).test(name);
const an = (kind: Named) => `${kind === 'identity' ? 'an' : 'a'} ${kind}`;

/** Names are well formed, and whatever is referred to exists; what does not is mended as it was probably meant. */
export function checkNames(report: Report): void {
  for (const kind of KINDS) checkDefinitions(report, kind);
  for (const kind of KINDS) mendDefinitions(report, kind);
  for (const reference of references(report)) resolve(report, reference);
}

function checkDefinitions(report: Report, kind: Named): void {
  const section = find(report.tree, SECTIONS[kind]);
  for (const name of namesOf(report, kind) ?? []) {
    const path = [...SECTIONS[kind], name];
    if (name === 'constructor' || (kind === 'role' && RESERVED.includes(name)))
      report.add(path, `no ${kind} can have this name; choose another`, 'key');
    if (isName(name, kind)) continue;
    const fixed = plainName(name, kind);
    const instead = fixed === '' ? '' : `${quote(fixed)}: `;
    report.add(
      path,
      `${quote(name)} is not the name of ${an(kind)}; write ${instead}lower case letters, digits and ${kind === 'role' ? '. _ -' : '-'}, a letter first, at most 63`,
      'key',
    );
    // Read as it should be written, unless others refer to it as it is.
    const isUsed = references(report).some((it) => it.kind === kind && it.name === name);
    if (isUsed || section?.kind !== 'map' || !isName(fixed, kind) || section.entries.has(fixed)) continue;
    rename(section, name, fixed);
    report.mark([...SECTIONS[kind], fixed]);
  }
}

/** Where several places agree on a name and the definition alone spells it otherwise, the definition is wrong. */
function mendDefinitions(report: Report, kind: Named): void {
  const names = namesOf(report, kind);
  const section = find(report.tree, SECTIONS[kind]);
  if (!names || section?.kind !== 'map') return;
  const uses = new Map<string, number>();
  for (const { name } of references(report).filter((it) => it.kind === kind)) uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const [name, count] of uses) {
    const guess = names.includes(name) || EVERYBODY.includes(name) ? undefined : nearest(name, names);
    if (guess === undefined || uses.has(guess) || !section.entries.has(guess)) continue;
    const path = [...SECTIONS[kind], guess];
    if (count < 2) continue;
    report.add(
      path,
      `nothing refers to ${quote(guess)}, and ${count} places to ${quote(name)}; did you mean ${quote(name)}?`,
      'key',
    );
    rename(section, guess, name);
  }
}

function plainName(name: string, kind: Named): string {
  const odd = kind === 'role' ? /[^a-z0-9._-]+/g : /[^a-z0-9-]+/g;
  return name
    .toLowerCase()
    .replace(odd, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63);
}

/** Looks a name up; if it is unknown, says so and puts what was meant in its place. */
function resolve(report: Report, reference: Reference): void {
  const { kind, name, path, isKey } = reference;
  const inAllow = kind === 'role' && path[0] === 'hosts' && path.at(-2) === 'allow';
  if (inAllow && EVERYBODY.includes(name)) return;
  const names = namesOf(report, kind);
  if (names === undefined || names.includes(name)) return;
  // What a service that is reached directly does with an identity is nothing: check-rules.ts says that.
  if (kind === 'identity' && isOfDirectService(report, path)) return;
  const isRule = path.at(-1) === 'role' && path.at(-3) === 'allow';
  if (isRule && EVERYBODY.includes(name)) {
    report.add(path, `${quote(name)} is no role; write who: ${name}`);
    const rule = find(report.tree, path.slice(0, -1));
    if (rule?.kind === 'map') rename(rule, 'role', 'who');
    return;
  }
  const candidates = inAllow ? [...names, ...EVERYBODY] : names;
  const guess = nearest(name, candidates);
  report.add(path, `no ${kind} ${quote(name)}; ${instead(kind, guess, candidates)}`, isKey ? 'key' : 'value');
  mend(report, reference, guess);
}

function isOfDirectService(report: Report, rule: Path): boolean {
  const service = find(report.tree, [...rule.slice(0, 4), 'service']);
  const definition = service?.kind === 'scalar' ? find(report.tree, ['services', String(service.value)]) : undefined;
  return definition?.kind === 'map' && ['url', 'insecure_url'].some((key) => definition.entries.has(key));
}

function instead(kind: Named, guess: string | undefined, names: readonly string[]): string {
  if (guess !== undefined) return `did you mean ${quote(guess)}?`;
  const define = `define it under ${SECTIONS[kind].join('.')}`;
  return names.length === 0 ? define : `write ${oneOf(names)}, or ${define}`;
}

function mend(report: Report, { path, isKey, name }: Reference, guess: string | undefined): void {
  if (isKey) {
    const map = find(report.tree, path.slice(0, -1));
    if (map?.kind !== 'map') return;
    if (guess === undefined || map.entries.has(guess)) map.entries.delete(name);
    else rename(map, name, guess);
    return;
  }
  const at = find(report.tree, path)?.at ?? 0;
  replace(report.tree, path, guess === undefined ? hole(at) : { kind: 'scalar', at, value: guess });
}
