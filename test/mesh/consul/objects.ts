/**
 * Consul's configuration entries as its servers accept them: defaults filled in, unknown fields rejected. From the
 * documents and from agent/structs/config_entry_*.go of Consul 1.16.3, the last version under the MPL.
 */

export interface JwtProvider {
  readonly kind: 'jwt-provider';
  readonly name: string;
  readonly issuer: string;
  /** Empty: tokens with any audience. */
  readonly audiences: readonly string[];
  /** Ids of the keys that the entry itself gives to proxies; undefined: they fetch them. */
  readonly keys?: string;
  readonly remote?: unknown;
  /** Lower case. */
  readonly headers: readonly string[];
  readonly forward: boolean;
  readonly skew: number;
}

export interface ServiceDefaults {
  readonly kind: 'service-defaults';
  readonly name: string;
  readonly protocol: string;
  /** Empty: the value of proxy-defaults. */
  readonly mutualTls: string;
}

export interface Claim {
  readonly path: readonly string[];
  readonly value: string;
}

export interface Required {
  readonly provider: string;
  readonly claims: readonly Claim[];
}

export interface Header {
  /** Lower case. */
  readonly name: string;
  readonly how: 'Present' | 'Exact' | 'Prefix' | 'Suffix' | 'Regex';
  readonly value: string;
  readonly invert: boolean;
}

export interface Permission {
  readonly action: string;
  readonly exact: string;
  readonly prefix: string;
  readonly regex: string;
  readonly methods: readonly string[];
  /** All of them are required. */
  readonly headers: readonly Header[];
  /** One of these is enough; none: no token is read. */
  readonly jwt: readonly Required[];
}

export interface Source {
  readonly name: string;
  readonly action: string;
  readonly permissions: readonly Permission[];
}

export interface ServiceIntentions {
  readonly kind: 'service-intentions';
  readonly name: string;
  readonly sources: readonly Source[];
}

export type ConsulEntry = JwtProvider | ServiceDefaults | ServiceIntentions;

type Fields = Readonly<Record<string, unknown>>;

class Refused extends Error {}

/** The fields of a mapping: only these, and all required ones. */
function fields(value: unknown, known: readonly string[], required: readonly string[] = []): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused('not a mapping');
  for (const key of Object.keys(value)) if (!known.includes(key)) throw new Refused(`unknown field ${key}`);
  for (const key of required) if (!Object.hasOwn(value, key)) throw new Refused(`missing field ${key}`);
  return value as Fields;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Refused(`${what} is no text`);
  return value;
}

function named(value: unknown, what: string): string {
  if (text(value, what) === '') throw new Refused(`${what} is required`);
  return value as string;
}

const optional = (value: unknown, what: string): string => (value === undefined ? '' : text(value, what));

function list<T>(value: unknown, each: (item: unknown) => T): readonly T[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Refused('not a list');
  return value.map(each);
}

/** A place in the entry, without fields that have no default and are 0. */
function entire(value: unknown, fallback: number): number {
  if (value === undefined || value === 0) return fallback;
  if (!Number.isInteger(value)) throw new Refused('no whole number');
  return value as number;
}

function base64(value: string): string {
  const decoded = Buffer.from(value, 'base64');
  if (decoded.toString('base64') !== value) throw new Refused('JWKS must be valid base64 encoded string');
  return decoded.toString();
}

/** Exactly one of the keys is there. */
function oneOf(value: Fields, keys: readonly string[]): string {
  const there = keys.filter((key) => Object.hasOwn(value, key) && value[key] !== '');
  if (there.length !== 1) throw new Refused(`must specify exactly one of ${keys.join(', ')}`);
  return there[0] as string;
}

const REMOTE = [
  ...['URI', 'RequestTimeoutMs', 'CacheDuration', 'FetchAsynchronously', 'UseSNI', 'RetryPolicy'],
  'JWKSCluster',
];

function keySet(value: unknown): Pick<JwtProvider, 'keys' | 'remote'> {
  const set = fields(value, ['Local', 'Remote']);
  if (oneOf(set, ['Local', 'Remote']) === 'Remote') {
    const remote = fields(set.Remote, REMOTE, ['URI']);
    named(remote.URI, 'URI');
    return { remote };
  }
  const local = fields(set.Local, ['JWKS', 'Filename']);
  return oneOf(local, ['JWKS', 'Filename']) === 'JWKS' ? { keys: base64(text(local.JWKS, 'JWKS')) } : { remote: local };
}

const META = ['Kind', 'Name', 'Meta'];

function provider(value: unknown): JwtProvider {
  const own = ['JSONWebKeySet', 'Issuer', 'Audiences', 'Locations', 'Forwarding', 'ClockSkewSeconds', 'CacheConfig'];
  const entry = fields(value, [...META, ...own], ['JSONWebKeySet']);
  const locations = list(entry.Locations, (item) => {
    const { Header } = fields(item, ['Header'], ['Header']);
    const header = fields(Header, ['Name', 'ValuePrefix', 'Forward']);
    return { name: named(header.Name, 'header'), forward: header.Forward === true };
  });
  return {
    kind: 'jwt-provider',
    name: named(entry.Name, 'Name'),
    issuer: optional(entry.Issuer, 'Issuer'),
    audiences: list(entry.Audiences, (it) => text(it, 'audience')),
    ...keySet(entry.JSONWebKeySet),
    // Envoy looks there unless told otherwise, behind "Bearer ".
    headers: locations.length === 0 ? ['authorization'] : locations.map(({ name }) => name.toLowerCase()),
    forward: locations.at(-1)?.forward ?? false,
    skew: entire(entry.ClockSkewSeconds, 30),
  };
}

const MUTUAL_TLS = ['', 'strict', 'permissive'];

function defaults(value: unknown): ServiceDefaults {
  const entry = fields(value, [...META, 'Protocol', 'MutualTLSMode']);
  const mutualTls = optional(entry.MutualTLSMode, 'MutualTLSMode');
  if (!MUTUAL_TLS.includes(mutualTls)) throw new Refused(`invalid MutualTLSMode ${mutualTls}`);
  const protocol = entry.Protocol === undefined ? 'tcp' : text(entry.Protocol, 'Protocol').toLowerCase();
  return { kind: 'service-defaults', name: named(entry.Name, 'Name'), protocol, mutualTls };
}

function required(value: unknown): Required {
  const { Name, VerifyClaims } = fields(value, ['Name', 'VerifyClaims']);
  const claims = list(VerifyClaims, (item): Claim => {
    const claim = fields(item, ['Path', 'Value']);
    return { path: list(claim.Path, (it) => text(it, 'Path')), value: optional(claim.Value, 'Value') };
  });
  return { provider: named(Name, 'JWT provider'), claims };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE'];

function action(value: unknown): string {
  if (value !== 'allow' && value !== 'deny') throw new Refused('Action must be set to allow or deny');
  return value;
}

function path(value: unknown): string {
  const own = optional(value, 'path');
  if (own !== '' && !own.startsWith('/')) throw new Refused(`path does not start with /: ${own}`);
  return own;
}

const HOW = ['Present', 'Exact', 'Prefix', 'Suffix', 'Regex'] as const;

/** config_entry_intentions.go: a name, and one way to match it. */
function header(value: unknown): Header {
  const own = fields(value, ['Name', 'Invert', ...HOW], ['Name']);
  const ways = HOW.filter((key) => own[key] !== undefined && own[key] !== '' && own[key] !== false);
  const [how] = ways;
  if (how === undefined || ways.length > 1) throw new Refused('should only contain one of Present, Exact, …');
  const reported = how === 'Present' ? '' : text(own[how], how);
  return { name: named(own.Name, 'Name').toLowerCase(), how, value: reported, invert: own.Invert === true };
}

function permission(value: unknown): Permission {
  const { Action, HTTP, JWT } = fields(value, ['Action', 'HTTP', 'JWT'], ['HTTP']);
  const http = fields(HTTP, ['PathExact', 'PathPrefix', 'PathRegex', 'Methods', 'Header']);
  const headers = list(http.Header, header);
  const [exact, prefix] = [path(http.PathExact), path(http.PathPrefix)];
  const regex = optional(http.PathRegex, 'PathRegex');
  const methods = list(http.Methods, (it) => {
    const method = text(it, 'method').toUpperCase();
    if (!METHODS.includes(method)) throw new Refused(`invalid method ${method}`);
    return method;
  });
  const paths = [exact, prefix, regex].filter((it) => it !== '').length;
  if (paths > 1 || new Set(methods).size < methods.length) throw new Refused('at most one path, each method once');
  if (paths + methods.length + headers.length === 0) throw new Refused('HTTP should not be empty');
  const jwt = JWT === undefined ? [] : list(fields(JWT, ['Providers']).Providers, required);
  // Every path begins with a slash.
  return { action: action(Action), exact, prefix: paths === 0 ? '/' : prefix, regex, methods, headers, jwt };
}

function source(value: unknown): Source {
  const own = fields(value, ['Name', 'Action', 'Permissions']);
  const permissions = list(own.Permissions, permission);
  if (permissions.length > 0 && own.Action !== undefined) throw new Refused('Action must be omitted');
  return {
    name: named(own.Name, 'Name'),
    action: permissions.length > 0 ? '' : action(own.Action),
    permissions,
  };
}

function intentions(value: unknown): ServiceIntentions {
  const entry = fields(value, [...META, 'Sources']);
  const sources = list(entry.Sources, source);
  if (sources.length === 0) throw new Refused('At least one source is required');
  if (new Set(sources.map(({ name }) => name)).size < sources.length) throw new Refused('a source is there twice');
  const name = named(entry.Name, 'Name');
  if (name.includes('*') && sources.some(({ permissions }) => permissions.length > 0)) {
    throw new Refused('Permissions cannot be specified on intentions with wildcarded destinations');
  }
  return { kind: 'service-intentions', name, sources };
}

/**
 * An entry as Consul stores it.
 *
 * @throws Error where it is not taken
 */
export function takenIn(value: unknown): ConsulEntry {
  const { Kind } = (value ?? {}) as { readonly Kind?: unknown };
  switch (Kind) {
    case 'jwt-provider':
      return provider(value);
    case 'service-defaults':
      return defaults(value);
    case 'service-intentions':
      return intentions(value);
    default:
      throw new Refused(`invalid config entry kind ${JSON.stringify(Kind)}`);
  }
}
