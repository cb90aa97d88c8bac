import { BY_ROLE, EVERY_ROLE, holderOf } from '../../assertion/claims.ts';
import type { PersonWho } from '../../policy/types.ts';
import { pathAtoms } from '../../rules/atoms.ts';
import { ODD_PATH } from '../../rules/canonical.ts';
import type { MeshRule, Path } from '../../rules/types.ts';
import { methodsOf, NAMED, REST } from '../named-methods.ts';
import { METHODS } from '../reach.ts';
import { EVERYBODY } from './entries.ts';
import { type ReadPermission, type ReadProvider, type ReadSource, sourcesIn, unreadable } from './parse.ts';
import { assertedText, NOWHERE, serviceHost } from './project.ts';

/** Whom a permission lets pass, as a rule has it. */
type Passing = Pick<MeshRule, 'who' | 'agent' | 'alone' | 'asserted'>;

const PERSON = holderOf(null);

function passingOf({ name, claims }: ReadProvider): Passing {
  const [audience, as] = [claims.get('aud'), claims.get('as')];
  if (audience === undefined || as === undefined) throw unreadable([...claims]);
  const asserted = assertedText(as, audience, name);
  if (claims.size === 2) return { who: { kind: 'authenticated' }, asserted };
  const [path = '', holder = ''] = [...claims].find(([path]) => path.startsWith(`${BY_ROLE}\0`)) ?? [];
  const role = path.slice(BY_ROLE.length + 1);
  const [, agent = null, isAlone] = holder === PERSON ? [] : (/^agent ([^ ]+)( alone)?$/.exec(holder) ?? []);
  const alone = isAlone !== undefined;
  if (role === '' || claims.size !== 3 || holder !== holderOf(agent, alone)) throw unreadable([...claims]);
  const who: PersonWho = role === EVERY_ROLE ? { kind: 'authenticated' } : { kind: 'role', role };
  return { who, agent, ...(alone && { alone }), asserted };
}

const ANYONE: Passing = { who: { kind: 'anyone' } };

/** Whether a permission takes a canonical path. */
function hasPath({ path: { kind, value } }: ReadPermission, path: string): boolean {
  if (kind === 'exact') return path === value;
  // Those that meshgate renders match no canonical path.
  return kind === 'prefix' && path.startsWith(value);
}

const hasMethod = ({ methods }: ReadPermission, method: string): boolean =>
  methods === undefined || methods.includes(method);

/** The path that a permission speaks of, as rules have it: its slash at the end keeps a prefix on a segment. */
function pathOf({ path: { kind, value } }: ReadPermission): readonly Path[] {
  if (kind === 'regex') return [];
  if (kind === 'exact') return [{ exact: value }];
  if (!value.endsWith('/')) throw unreadable(value);
  return [{ prefix: value.slice(0, -1), except: [] }];
}

/** Odd paths are refused before any prefix lets them pass, and whatever nothing takes is refused. */
function check({ name, destination, permissions }: ReadSource): void {
  const where = `service-intentions ${destination}, ${name}`;
  const regexes = permissions.filter(({ path }) => path.kind === 'regex');
  const odd = ({ action, path: { value }, methods }: ReadPermission) =>
    action === 'deny' && methods === undefined && (value.startsWith(ODD_PATH) || value.startsWith(`(${ODD_PATH}`));
  if (!regexes.every(odd)) throw unreadable(`${where}: PathRegex`);
  const opens = permissions.some(({ action, path }) => action === 'allow' && path.kind === 'prefix');
  if (opens && permissions[0]?.path.kind !== 'regex') throw new Error(`${where}: odd paths are not refused`);
  const last = permissions.at(-1);
  if (last?.path.kind !== 'prefix' || last.path.value !== '/' || last.methods !== undefined) {
    throw new Error(`${where}: what no permission takes is left to the default of the mesh`);
  }
}

const baseOf = (path: Path): string => ('exact' in path ? path.exact : path.prefix);
const isInside = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

/** Whether whoever passes by the one passes by the other. */
function includes(wide: Passing, { who, agent, alone, asserted }: Passing): boolean {
  if (wide.who.kind === 'anyone') return true;
  if (wide.alone !== alone) return false;
  if ((wide.agent !== undefined && wide.agent !== agent) || wide.asserted !== asserted) return false;
  return wide.who.kind === 'authenticated' || JSON.stringify(wide.who) === JSON.stringify(who);
}

/** What takes a request with a method, and whom it lets pass. */
interface Taken {
  readonly method: string;
  readonly index: number;
  readonly passing: readonly Passing[];
}

function taken({ permissions }: ReadSource, path: string): readonly Taken[] {
  return METHODS.flatMap((method): readonly Taken[] => {
    const index = permissions.findIndex((it) => hasPath(it, path) && hasMethod(it, method));
    const { action, providers } = permissions[index] ?? { action: 'deny' };
    return action === 'deny' ? [] : [{ method, index, passing: providers?.map(passingOf) ?? [ANYONE] }];
  });
}

/** One rule for each who passes at a path, with the methods that they may use there, by whatever permission. */
function rulesAt(source: ReadSource, path: Path, sample: string): readonly MeshRule[] {
  const host = serviceHost(source.destination);
  const all = taken(source, sample);
  const people = new Map(all.flatMap(({ passing }) => passing.map((it) => [JSON.stringify(it), it] as const)));
  return [...people.values()].map((passing): MeshRule => {
    const own = all.filter((it) => it.passing.some((wide) => includes(wide, passing)));
    const names = own.map(({ method }) => method);
    const named = NAMED.filter((method) => names.includes(method));
    const methods = methodsOf(named, names.includes(REST));
    const id = `Permissions[${own[0]?.index}] of ${source.name}`;
    const plain = { id, at: NOWHERE, route: id, host, path, service: host, as: source.name };
    return { ...plain, ...(methods !== undefined && { methods }), ...passing };
  });
}

function rulesOf(source: ReadSource): readonly MeshRule[] {
  if (source.action === 'deny') return [];
  if (source.action === 'allow') {
    const host = serviceHost(source.destination);
    const id = `Action of ${source.name}`;
    const path = { prefix: '', except: [] };
    return [{ id, at: NOWHERE, route: id, host, path, service: host, as: source.name, ...ANYONE }];
  }
  check(source);
  const atoms = pathAtoms(source.permissions.flatMap(pathOf));
  const points = atoms.filter(({ kind }) => kind === 'point').map(({ base }) => ({ exact: base }));
  const prefixes = atoms.filter(({ kind }) => kind === 'below').map(({ base }) => ({ prefix: base, except: [] }));
  return atoms.flatMap(({ kind, base, path }) => {
    if (kind === 'point') return rulesAt(source, { exact: base }, path);
    const inner = [...points, ...prefixes].filter(
      (it) => isInside(baseOf(it), base) && !('prefix' in it && it.prefix === base),
    );
    return rulesAt(source, { prefix: base, except: inner }, path);
  });
}

/**
 * Reads Consul's entries back as rules, as far as Consul keeps them; see {@link ./project.ts}. Entries that say of
 * themselves that they came from no policy are passed over.
 *
 * @param files what was rendered, or what `consul config read` says of it, whatever the names
 * @throws Error where there is something that meshgate would not render
 */
export function readConsul(files: Readonly<Record<string, string>>): readonly MeshRule[] {
  const sources = sourcesIn(files);
  const closed = new Set(sources.filter(({ name }) => name === EVERYBODY).map(({ destination }) => destination));
  const open = sources.find(({ destination }) => !closed.has(destination));
  if (open !== undefined) {
    throw new Error(`service-intentions ${open.destination}: whom no source names is left to other intentions`);
  }
  return sources.flatMap(rulesOf);
}
