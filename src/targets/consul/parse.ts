import { type HeaderIs, type Messages, messagesIn } from '../kit/message-order.ts';
import { NAMED } from '../kit/methods.ts';
import { DEFAULT_OWNER } from '../kit/owner.ts';
import { perFiles, unlike } from '../kit/reading.ts';
import { type Files, Foreign } from '../types.ts';
import { type ConsulPath, placesIn } from './path-regex.ts';

/** Any configuration entry, as `consul config read` prints it. */
export interface LiveEntry {
  readonly Kind: string;
  readonly Name: string;
  readonly Meta?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** What one service may send to another one; without an action, its permissions decide. */
export type ReadSource = ReturnType<typeof sourceOf>;
/** A permission, with the members that the reader understands. */
export type ReadPermission = ReturnType<typeof permissionOf>;

/** How to get files that can be read. */
const ASK = 'give a folder with the output of "consul config read -kind KIND -name NAME", one file for each entry';

type Fields = Readonly<Record<string, unknown>>;

/** The title of an entry: `kind NAME`. Consul ignores the case of names. */
export const entryTitle = ({ Kind, Name }: Pick<LiveEntry, 'Kind' | 'Name'>): string => `${Kind} ${Name}`;

/** The owner of an entry; undefined if meshgate did not render the entry. */
export const entryOwner = ({ Meta }: LiveEntry): string | undefined =>
  Meta?.['managed-by'] === 'meshgate' ? (Meta.gateway ?? DEFAULT_OWNER) : undefined;

/** Every entry in some files. A file contains one entry, several entries after each other, or a list. */
export const entriesIn = perFiles((files): readonly LiveEntry[] => {
  const all = Object.entries(files).flatMap(([name, text]) =>
    text.split(/(?<=^[}\]])\s*(?=^[{[])/m).flatMap((part): readonly unknown[] => {
      if (part.trim() === '') return [];
      const value = parsed(name, part);
      const again = repeatedMember(part);
      if (again !== undefined) throw new Error(`${name}: an object has ${again} twice, and Consul reads both`);
      return Array.isArray(value) ? value : [value];
    }),
  );
  return all.map((value) => {
    const { Kind, Name = Kind === MESH ? MESH : undefined } = (value ?? {}) as Partial<LiveEntry>;
    if (typeof Kind !== 'string' || typeof Name !== 'string') throw new Foreign(`no entries of Consul; ${ASK}`);
    return { ...(value as object), Kind, Name };
  });
});

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Foreign(`not JSON; ${ASK}`, file);
  }
}

/** The member that an object has twice. Consul ignores the case of names, and joins lists with the same name. */
function repeatedMember(json: string): string | undefined {
  const open: Set<string>[] = [];
  let text = '';
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"?|[{}:]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (token !== ':') text = token;
    else {
      const folded = String(JSON.parse(text)).toUpperCase().toLowerCase();
      if (open.at(-1)?.has(folded)) return text;
      open.at(-1)?.add(folded);
    }
  }
  return undefined;
}

/** The name that the entry of kind `mesh` has here. In Consul it has none. */
const MESH = 'mesh';

/** Whether a value is absent to Consul. A zero value disables a setting or selects its default. */
export function isEmpty(value: unknown): boolean {
  if (value == null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Checks that all members except these are empty. */
function only(value: unknown, keys: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null) throw unlike(value);
  const other = Object.entries(value).find(([key, own]) => !keys.includes(key) && !isEmpty(own));
  if (other !== undefined) throw unlike(other[0]);
  return value as Fields;
}

function listOf(value: unknown): readonly unknown[] {
  if (value != null && !Array.isArray(value)) throw unlike(value);
  return value ?? [];
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).map((it) => {
    if (typeof it !== 'string') throw unlike(it);
    return it;
  });
}

function methodsOf(value: unknown): readonly string[] {
  const strange = textsOf(value).find((it) => !NAMED.includes(it));
  if (strange !== undefined) throw unlike({ Methods: strange });
  return textsOf(value);
}

function textIn(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string' || value === '') throw unlike(fields);
  return value;
}

function actionIn(fields: Fields): 'allow' | 'deny' {
  const { Action } = fields;
  if (Action !== 'allow' && Action !== 'deny') throw unlike(fields);
  return Action;
}

/** For each claim that an assertion must have, its value. The key consists of the names in the claim's path, joined by
 * a NUL. */
function claimsOf(value: unknown, provider: string): ReadonlyMap<string, string> {
  const fields = only(value, ['Name', 'VerifyClaims']);
  const claims = listOf(fields.VerifyClaims).map((it): readonly [string, string] => {
    const claim = only(it, ['Path', 'Value']);
    return [textsOf(claim.Path).join('\0'), textIn(claim, 'Value')];
  });
  if (textIn(fields, 'Name') !== provider || new Map(claims).size < claims.length) throw unlike(value);
  return new Map(claims);
}

const PATHS = { PathExact: 'exact', PathPrefix: 'prefix', PathRegex: 'regex' } as const;

function headerOf(value: unknown): HeaderIs {
  const fields = only(value, ['Name', 'Exact', 'Regex', 'Invert']);
  return {
    name: textIn(fields, 'Name').toLowerCase(),
    ...(!isEmpty(fields.Exact) && { exact: textIn(fields, 'Exact') }),
    ...(!isEmpty(fields.Regex) && { regex: textIn(fields, 'Regex') }),
    ...(!isEmpty(fields.Invert) && { not: true }),
  };
}

function messagesOf(value: unknown): Messages {
  const found = messagesIn(listOf(value).map(headerOf));
  if (found === undefined) throw unlike({ Header: value });
  return found;
}

/** The places of a permission; or its pattern, if this is not an expression that names places. */
function placesOf(kind: 'exact' | 'prefix' | 'regex', value: string) {
  if (kind !== 'regex') return { places: [{ kind, value }] as readonly ConsulPath[] };
  const places = placesIn(value);
  return places === undefined ? { places: [], pattern: value } : { places };
}

function permissionOf(value: unknown, provider: string) {
  const fields = only(value, ['Action', 'HTTP', 'JWT']);
  const http = only(fields.HTTP, [...Object.keys(PATHS), 'Methods', 'Header']);
  const paths = (Object.keys(PATHS) as (keyof typeof PATHS)[]).filter((key) => !isEmpty(http[key]));
  const [key] = paths;
  if (key === undefined || paths.length > 1) throw unlike(http);
  const providers = isEmpty(fields.JWT)
    ? undefined
    : listOf(only(fields.JWT, ['Providers']).Providers).map((it) => claimsOf(it, provider));
  const action = actionIn(fields);
  if (providers?.length === 0 || (providers && action === 'deny')) throw unlike(value);
  return {
    action,
    ...placesOf(PATHS[key], textIn(http, key)),
    ...(!isEmpty(http.Methods) && { methods: methodsOf(http.Methods) }),
    // Without messages, the permission applies to every request; without providers, it requires no assertion. If there
    // are providers, a request must meet the conditions of one of them.
    ...(!isEmpty(http.Header) && { messages: messagesOf(http.Header) }),
    ...(providers && { providers }),
  };
}

/** Members that Consul adds, and members that have no meaning for proxies. */
const FILLED = ['CreateIndex', 'ModifyIndex', 'Meta', 'Hash'];

/** Members of Consul Enterprise. The default of each member means the same as its absence. */
const PLACES = ['Namespace', 'Partition'];

function checkPlace(fields: Fields): void {
  const unexpected = PLACES.find((key) => !isEmpty(fields[key]) && fields[key] !== 'default');
  if (unexpected !== undefined) throw unlike(unexpected);
}

function sourceOf(destination: string, value: unknown, provider: string) {
  const fields = only(value, ['Name', 'Action', 'Permissions', 'Precedence', 'Type', 'Description', ...PLACES]);
  checkPlace(fields);
  if (!isEmpty(fields.Type) && fields.Type !== 'consul') throw unlike(fields.Type);
  const permissions = listOf(fields.Permissions).map((it) => permissionOf(it, provider));
  const alike = isEmpty(fields.Action) ? {} : { action: actionIn(fields) };
  if ('action' in alike === permissions.length > 0) {
    const what = permissions.length > 0 ? 'both an Action and Permissions' : 'neither Action nor Permissions';
    throw new Error(`service-intentions ${destination}: the source ${fields.Name} has ${what}`);
  }
  return { name: textIn(fields, 'Name'), destination, permissions, ...alike };
}

/** The path pattern of a permission that names no places. */
function nonCanonicalPathIn(permission: { readonly HTTP?: Fields } | undefined): readonly unknown[] {
  const regex = permission?.HTTP?.PathRegex;
  return regex === undefined || (typeof regex === 'string' && placesIn(regex) !== undefined) ? [] : [regex];
}

/** For each source in an entry, the path patterns of its permissions as JSON. */
export function nonCanonicalPathsIn(entry: object): ReadonlyMap<string, string> {
  const { Sources } = entry as Fields;
  const sources = (Array.isArray(Sources) ? Sources : []) as readonly Fields[];
  return new Map(
    sources.map(({ Name, Permissions }) => {
      const permissions = (Array.isArray(Permissions) ? Permissions : []) as readonly { readonly HTTP?: Fields }[];
      return [String(Name), JSON.stringify(permissions.flatMap(nonCanonicalPathIn))];
    }),
  );
}

/** The sources in the rendered entries of an owner. It throws an Error for a construct that meshgate does not render. */
export function sourcesIn(files: Files, owner: string): readonly ReadSource[] {
  const entries = entriesIn(files).filter((it) => it.Kind === 'service-intentions' && entryOwner(it) === owner);
  return entries.flatMap((entry) => {
    checkPlace(only(entry, ['Kind', 'Name', 'Sources', ...FILLED, ...PLACES]));
    return listOf(entry.Sources).map((source) => sourceOf(entry.Name, source, owner));
  });
}
