import { COMBINED } from '../facts/combined.ts';
import { bitsOf, OPERATORS } from '../facts/describe.ts';
import { TOKEN } from '../facts/operator.ts';
import { type Bare, choose, elementOf, keysOf, type Schema, takes, valuesOf } from '../forms/descend.ts';
import { type Path, quote, ROUTES } from '../forms/path.ts';
import type { Report } from './report.ts';
import { isFilePath, isSecretKey } from './secrets.ts';
import { namesOf } from './sections.ts';
import { advise, nearest, oneOf } from './suggest.ts';
import { find, type Mapping, rename } from './tree.ts';

type Values = Record<string, unknown>;

/** Reports a key that the schema does not have. Renames it to the key that was probably meant, or removes it. */
export function mendUnknownKey(report: Report, path: Path, key: string, schema: Bare, value: Values): void {
  const map = find(report.tree, path);
  const entry = map?.kind === 'map' ? map.entries.get(key) : undefined;
  if (map?.kind !== 'map' || !entry) return;
  const route = path.length === 2 && path[0] === 'hosts' ? asRoute(key, value[key]) : undefined;
  const routes = route === undefined ? undefined : find(map, [ROUTES]);
  if (route !== undefined && routes?.kind === 'map' && !routes.entries.has(route)) {
    const mistake = PATTERN.test(key) ? 'a path is not a pattern' : 'a path begins with "/"';
    report.key([...path, key], `${mistake}; write ${quote(route)}`);
    routes.entries.set(route, entry);
    map.entries.delete(key);
    return;
  }
  const known = new Map(keysOf(choose(schema, value) ?? schema) ?? []);
  known.delete(ROUTES);
  if (value[key] === null && mendColon(report, path, key, map, known)) return;
  const guess = DENIALS.has(key) ? undefined : guessKey(key, value, known);
  const isFact = guess === undefined && path.at(-2) === 'allow' && FACTS.has(key);
  if (isPastedSecret(key, value[key])) {
    report.key([...path, key], secretMessage(known));
    report.obscure(path);
    map.entries.delete(key);
    return;
  }
  report.key([...path, key], isFact ? factMessage(key) : messageFor(key, guess, known));
  const meant = guess === undefined ? undefined : known.get(guess);
  if (guess !== undefined && meant && !map.entries.has(guess) && holds(meant.schema, value[key])) {
    rename(map, key, guess);
  } else {
    report.mention(entry.node);
    report.obscure(path);
    map.entries.delete(key);
  }
}

/** Whether an unknown key has a secret as its value, instead of a path. */
const isPastedSecret = (key: string, value: unknown): boolean =>
  !key.endsWith('_file') &&
  isSecretKey(key) &&
  (typeof value === 'string' || typeof value === 'number') &&
  !isFilePath(String(value));

function secretMessage(known: ReadonlyMap<string, Bare>): string {
  const file = ['secret_file', 'keys_file', 'key_file', 'pem_file'].find((it) => known.has(it));
  const instead = file === undefined ? 'remove it' : `put it into a file, and write ${file}: /run/secrets/NAME`;
  return `a policy contains no secrets; ${instead}`;
}

/** Corrects a key whose colon is missing, such as `{ prefix okta- }`. */
function mendColon(report: Report, path: Path, key: string, map: Mapping, known: ReadonlyMap<string, Bare>): boolean {
  const [, name = '', written = ''] = /^(\S+)\s+(?=\S)(.+)$/.exec(key) ?? [];
  const value = written.replace(/^(["'])(.*)\1$/, '$2');
  const at = map.entries.get(key)?.at ?? map.at;
  if (!known.has(name) || map.entries.has(name)) return false;
  report.key([...path, key], `a colon is missing; write ${name}: ${written}`);
  rename(map, key, name);
  map.entries.set(name, { at, node: { kind: 'scalar', at, value } });
  return true;
}

/** Whether a schema accepts this value, or a list of such values, because another check reports missing brackets. */
function holds(schema: Schema, value: unknown): boolean {
  const element = elementOf({ schema, optional: false });
  return takes(schema, value) || (element !== undefined && typeof value === 'string' && takes(element, value));
}

/** Keys that a later version will have. An error about such a key says so. */
const LATER = new Set('amr namespaces insecure_raw_paths waypoint ambient'.split(' '));

/** Keys of facts. If such a key is outside of a role, the error says that it belongs into a role. */
const FACTS = new Set<string>([
  ...OPERATORS.filter((key) => (bitsOf(key) & TOKEN) !== 0),
  ...['groups', 'provider', ...COMBINED],
]);

const factMessage = (key: string) =>
  `a rule names a role, and ${quote(key)} belongs to the role; write role: staff here, and staff: { group: staff } under roles`;

/** A location pattern of nginx, or a regular expression. */
const PATTERN = /^(?:\^~|~\*?|=)?\s*\^?(\/.*?)(\/?\.\*)?\$?$/;

/** The path that a pattern means: exact if the end of the pattern is anchored, otherwise a prefix. */
function plainPath(pattern: string): string | undefined {
  const [, base = '', rest] = PATTERN.exec(pattern) ?? [];
  if (base === '') return undefined;
  const exact = rest === undefined && /^=|\$$/.test(pattern);
  return exact ? base : `${base.replace(/\/$/, '')}/*`;
}

/** Returns the path that was meant, if the key of a host looks like a path or its value looks like a route. */
function asRoute(key: string, value: unknown): string | undefined {
  if (key.startsWith('/')) return undefined;
  const meant = plainPath(key);
  if (meant !== undefined) return meant;
  const holdsRoute = typeof value === 'object' && value !== null && ('service' in value || 'allow' in value);
  return holdsRoute || /[/*]/.test(key) ? `/${key.replace(/^\.\//, '')}` : undefined;
}

/** The number of unknown keys of each mapping, so that they are counted only once. */
const counted = new WeakMap<Values, number>();

function strangersOf(value: Record<string, unknown>, known: ReadonlyMap<string, Bare>): number {
  const count = counted.get(value) ?? Object.keys(value).filter((key) => !known.has(key)).length;
  counted.set(value, count);
  return count;
}

/** The key that was probably meant: a similar one, or the only missing key that accepts the value. */
function guessKey(key: string, value: Record<string, unknown>, known: ReadonlyMap<string, Bare>): string | undefined {
  const absent = [...known].filter(([name]) => !Object.hasOwn(value, name));
  const near =
    nearest(
      key,
      absent.map(([name]) => name),
    ) ?? nearest(key, [...known.keys()]);
  if (near !== undefined || LATER.has(key)) return near;
  if (strangersOf(value, known) > 1) return undefined;
  const missing = absent.filter(([, it]) => !it.optional && takes(it.schema, value[key]));
  return missing.length === 1 ? missing[0]?.[0] : undefined;
}

/** Keys with which people would deny requests. */
const DENIALS = new Set('deny denied block blocked reject forbid refuse except'.split(' '));

function messageFor(key: string, guess: string | undefined, known: ReadonlyMap<string, Bare>): string {
  if (DENIALS.has(key)) return `rules only allow, and whatever no rule allows is denied; remove ${quote(key)}`;
  if (key === '<<') return 'merge keys are not part of the language; write the keys themselves';
  const instead = guess === undefined ? undefined : `did you mean ${quote(guess)}?`;
  if (LATER.has(key)) return `the key ${quote(key)} is not supported in this version; ${instead ?? 'remove it'}`;
  return `unknown key ${quote(key)}; ${instead ?? advise(key, [...known.keys()])}`;
}

export function reportMissing(report: Report, path: Path, { schema, hint }: Bare): void {
  const key = path.at(-1);
  if (key === undefined) {
    report.add(path, 'the file is empty; write version: 1, providers, services and hosts');
    return;
  }
  if (hint?.refers) report.lack(hint.refers);
  const names = hint?.refers && namesOf(report, hint.refers);
  const keys = keysOf({ schema, optional: false });
  const write = keys ? `with ${oneOf([...keys.keys()])} below it` : names?.length ? oneOf(names) : hint?.write;
  const value = write ?? oneOf(valuesOf({ schema, optional: false }) ?? []);
  report.key(path, `missing key ${quote(String(key))}; write ${key}: ${value}`);
}
