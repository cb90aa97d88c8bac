import type { Named } from './hints.ts';
import { KINDS, namesOf, references, SECTIONS } from './names.ts';
import { quote } from './path.ts';
import type { Report } from './report.ts';
import { NAME, ROLE_NAME } from './scalars.ts';
import { nearest } from './suggest.ts';
import { find, rename } from './tree.ts';

const RESERVED = ['anyone', 'authenticated', 'nobody'];

/** Checks that names are well formed. If all references agree on another spelling, the definition gets it. */
export function checkDefinitions(report: Report): void {
  for (const kind of KINDS) {
    for (const name of namesOf(report, kind) ?? []) checkName(report, kind, name);
    mendNames(report, kind);
  }
}

const isName = (name: string, kind: Named) => (kind === 'role' ? ROLE_NAME : NAME).test(name);

function checkName(report: Report, kind: Named, name: string): void {
  const path = [...SECTIONS[kind], name];
  if (name === 'constructor' || (kind === 'role' && RESERVED.includes(name))) {
    report.key(path, `no ${kind} can have this name; choose another`);
  }
  if (isName(name, kind)) return;
  const fixed = plainName(name, kind);
  const rule = `lower case letters, digits and ${kind === 'role' ? '. _ -' : '-'}, a letter first, at most 63`;
  const a = /^[ai]/.test(kind) ? 'an' : 'a';
  report.key(path, `${quote(name)} is not the name of ${a} ${kind}; write ${fixed && `${quote(fixed)}: `}${rule}`);
  // Use the corrected name, unless other parts of the policy refer to the name as it is written.
  const section = find(report.tree, SECTIONS[kind]);
  const isUsed = references(report).some((it) => it.kind === kind && it.name === name);
  if (isUsed || section?.kind !== 'map' || !isName(fixed, kind) || section.entries.has(fixed)) return;
  rename(section, name, fixed);
  report.mark([...SECTIONS[kind], fixed]);
}

function plainName(name: string, kind: Named): string {
  const odd = kind === 'role' ? /[^a-z0-9._-]+/g : /[^a-z0-9-]+/g;
  const plain = name.toLowerCase().replace(odd, '-');
  return plain.replace(/^[^a-z]+/, '').slice(0, 63);
}

/** If several references agree on a name and only the definition is spelled differently, corrects the definition. */
function mendNames(report: Report, kind: Named): void {
  const section = find(report.tree, SECTIONS[kind]);
  if (section?.kind !== 'map') return;
  const uses = new Map<string, number>();
  for (const { name } of references(report).filter((it) => it.kind === kind)) uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const [name, count] of uses) {
    if (section.entries.has(name) || RESERVED.includes(name) || count < 2) continue;
    const guess = nearest(name, [...section.entries.keys()]);
    if (guess === undefined || uses.has(guess)) continue;
    const [wrong, right] = [quote(guess), quote(name)];
    const message = `nothing refers to ${wrong}, but ${count} places refer to ${right}; did you mean ${right}?`;
    report.key([...SECTIONS[kind], guess], message);
    rename(section, guess, name);
  }
}
