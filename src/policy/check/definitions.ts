import type { Named } from '../forms/hints.ts';
import { formatPath, type Path, quote } from '../forms/path.ts';
import { NAME, ROLE_NAME } from '../forms/scalars.ts';
import type { Report } from '../read/report.ts';
import { KINDS, namesIn, references, sectionsFor, sectionsOf } from '../read/sections.ts';
import { nearest } from '../read/suggest.ts';
import { find, rename } from '../read/tree.ts';

const RESERVED = ['anyone', 'authenticated', 'nobody'];

/** Checks that names are well formed. If all references agree on another spelling, the definition gets it. */
export function checkDefinitions(report: Report): void {
  for (const kind of KINDS) {
    for (const section of sectionsOf(report, kind)) {
      for (const name of namesIn(report, section) ?? []) checkName(report, kind, section, name);
      mendNames(report, kind, section);
    }
  }
}

const isName = (name: string, kind: Named) => (kind === 'role' ? ROLE_NAME : NAME).test(name);

/** The names in references to things of a kind that a section may define. */
const usedNames = (report: Report, kind: Named, section: Path): readonly string[] =>
  references(report)
    .filter((it) => it.kind === kind && sectionsFor(report, it).some((one) => formatPath(one) === formatPath(section)))
    .map(({ name }) => name);

function checkName(report: Report, kind: Named, section: Path, name: string): void {
  const path = [...section, name];
  if (name === 'constructor' || (kind === 'role' && RESERVED.includes(name))) {
    report.key(path, `no ${kind} can have this name; choose another`);
  }
  if (isName(name, kind)) return;
  const fixed = plainName(name, kind);
  const rule = `lower case letters, digits and ${kind === 'role' ? '. _ -' : '-'}, a letter first, at most 63`;
  const a = /^[ai]/.test(kind) ? 'an' : 'a';
  report.key(path, `${quote(name)} is not the name of ${a} ${kind}; write ${fixed && `${quote(fixed)}: `}${rule}`);
  // Use the corrected name, unless other parts of the policy refer to the name as it is written.
  const map = find(report.tree, section);
  const isUsed = usedNames(report, kind, section).includes(name);
  if (isUsed || map?.kind !== 'map' || !isName(fixed, kind) || map.entries.has(fixed)) return;
  rename(map, name, fixed);
  report.mark([...section, fixed]);
}

function plainName(name: string, kind: Named): string {
  const unexpected = kind === 'role' ? /[^a-z0-9._-]+/g : /[^a-z0-9-]+/g;
  const plain = name.toLowerCase().replace(unexpected, '-');
  return plain.replace(/^[^a-z]+/, '').slice(0, 63);
}

/** If several references agree on a name and only the definition is spelled differently, corrects the definition. */
function mendNames(report: Report, kind: Named, section: Path): void {
  const map = find(report.tree, section);
  if (map?.kind !== 'map') return;
  const uses = new Map<string, number>();
  for (const name of usedNames(report, kind, section)) uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const [name, count] of uses) {
    if (map.entries.has(name) || RESERVED.includes(name) || count < 2) continue;
    const guess = nearest(name, [...map.entries.keys()]);
    if (guess === undefined || uses.has(guess)) continue;
    const [wrong, right] = [quote(guess), quote(name)];
    const message = `nothing refers to ${wrong}, but ${count} places refer to ${right}; did you mean ${right}?`;
    report.key([...section, guess], message);
    rename(map, guess, name);
  }
}
