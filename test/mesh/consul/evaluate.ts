import type {
  ConsulEntry,
  Header,
  JwtProvider,
  Permission,
  Required,
  ServiceDefaults,
  ServiceIntentions,
  Source,
} from './objects.ts';
import { readPath } from './target.ts';

/**
 * How the proxy of a workload decides a request, from Consul's documents of intentions (precedence of sources, the
 * first permission that matches is terminal) and from agent/xds/rbac.go and jwt_authn.go of Consul 1.16.3, which say
 * what matches: path, method and headers, never the JWT. test/unit/mesh/consul-answers.test.ts compares it with the
 * answers of a real Envoy.
 */

/** All entries, by kind. */
export interface Store {
  readonly providers: ReadonlyMap<string, JwtProvider>;
  readonly defaults: ReadonlyMap<string, ServiceDefaults>;
  readonly intentions: ReadonlyMap<string, ServiceIntentions>;
}

/** A signed token, and its header. */
export interface Token {
  /** Lower case. */
  readonly header: string;
  /** JWKS with the key that signed it. */
  readonly keys: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A request that arrives at a workload. */
export interface Requested {
  /** Name of the service. */
  readonly service: string;
  /** SPIFFE id that mutual TLS proved; undefined: no TLS. */
  readonly client?: string;
  readonly method: string;
  /** Raw, with query. */
  readonly path: string;
  readonly token?: Token;
  /** By their names in lower case; each has one value. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly now: number;
}

/** The settings of the mesh around the entries. */
export interface Setup {
  readonly trustDomain: string;
  /** `default_intention_policy`, or the default policy of the ACLs. */
  readonly byDefault: 'allow' | 'deny';
  /** The mode of proxy-defaults for connections without TLS. */
  readonly mutualTls: 'strict' | 'permissive';
  /** Paths are normalised before they are matched: the default since Consul 1.20.1. */
  readonly normalizes?: true;
}

export type Verdict =
  | { readonly kind: 'allowed'; readonly forwarded: boolean }
  | { readonly kind: 'no connection' }
  /** No caller's request passes. */
  | { readonly kind: 'refused' }
  /** With another token it would pass. */
  | { readonly kind: 'refused token' };

const HTTP = ['http', 'http2', 'grpc'];

/**
 * The entries as a store that accepted them in this order.
 *
 * @throws Error if two are the same entry, or one rests on another that is not there
 */
export function storeOf(entries: readonly ConsulEntry[]): Store {
  const of = <K extends ConsulEntry['kind']>(kind: K) => {
    const own = entries.filter((entry): entry is Extract<ConsulEntry, { kind: K }> => entry.kind === kind);
    const map = new Map(own.map((entry) => [entry.name, entry]));
    if (map.size < own.length) throw new Error(`a ${kind} is there twice`);
    return map;
  };
  const store = {
    providers: of('jwt-provider'),
    defaults: of('service-defaults'),
    intentions: of('service-intentions'),
  };
  for (const { name, sources } of store.intentions.values()) {
    const permissions = sources.flatMap((it) => it.permissions);
    if (permissions.length > 0 && !HTTP.includes(store.defaults.get(name)?.protocol ?? 'tcp')) {
      throw new Error(`service ${name} has no protocol that permissions can look into`);
    }
    const missing = permissions.flatMap(({ jwt }) => jwt).find(({ provider }) => !store.providers.has(provider));
    if (missing !== undefined) throw new Error(`no jwt-provider ${missing.provider}`);
  }
  return store;
}

const PLACE = 'ns/default/dc/[^/]+/svc';

/** Whether a SPIFFE id is that of a service of the default namespace. The datacenter is ignored. */
export const isService = (client: string, trustDomain: string): boolean =>
  isComplete(`spiffe://${trustDomain}/${PLACE}/[^/]+`, client);

/** Whether a source includes a client. Consul writes names into expressions as they are, so a dot matches anything. The
 * wildcard includes every service that no other source includes. */
function includes({ name }: Source, client: string, all: readonly Source[], trustDomain: string): boolean {
  const named = (it: string) => isComplete(`spiffe://${trustDomain}/${PLACE}/${it}`, client);
  if (name !== EVERY) return named(name);
  return isService(client, trustDomain) && !all.some((it) => it.name !== EVERY && named(it.name));
}

const EVERY = '*';

/** The sources of a service. Those of the destination `*` join them, even if the service denies them by its own
 * wildcard: a proxy never subtracts a wildcard from a name. */
function sourcesOf({ intentions }: Store, service: string): readonly Source[] {
  const own = intentions.get(service)?.sources ?? [];
  const wide = intentions.get(EVERY)?.sources ?? [];
  return [...own, ...wide.filter(({ name }) => name !== EVERY && !own.some((it) => it.name === name))];
}

const EXPRESSIONS = new Map<string, RegExp>();

function isComplete(regex: string, value: string): boolean {
  const known = EXPRESSIONS.get(regex) ?? new RegExp(`^(?:${regex})$`, 's');
  EXPRESSIONS.set(regex, known);
  return known.test(value);
}

/** Matches a header as agent/xds/rbac.go and Envoy do: a missing header matches nothing, also when the match is
 * inverted. */
function isSo({ name, how, value, invert }: Header, headers: Readonly<Record<string, string>>): boolean {
  const own = headers[name];
  const found = {
    Present: () => own !== undefined,
    Exact: () => own === value,
    Prefix: () => own?.startsWith(value) ?? false,
    Suffix: () => own?.endsWith(value) ?? false,
    Regex: () => own !== undefined && isComplete(value, own),
  };
  return found[how]() !== invert;
}

/** Without query; Envoy's regular expressions match the whole. */
function matches({ exact, prefix, regex, methods, headers }: Permission, path: string, requested: Requested): boolean {
  const { method } = requested;
  if (!headers.every((it) => isSo(it, requested.headers ?? {}))) return false;
  if (methods.length > 0 && !methods.includes(method)) return false;
  if (exact !== '') return path === exact;
  if (prefix !== '') return path.startsWith(prefix);
  return regex === '' || isComplete(regex, path);
}

/** Seconds that Envoy allows for clocks that differ. Consul never tells it the entry's `ClockSkewSeconds`. */
const SKEW = 60;

/** The claims of a provider's verified token; undefined: there is none. An invalid token counts as none. */
function payload(provider: JwtProvider, { token, now }: Requested): Token['claims'] | undefined {
  if (token === undefined || !provider.headers.includes(token.header)) return undefined;
  const { iss, aud, exp, nbf } = token.claims as { iss?: string; aud?: string; exp?: number; nbf?: number };
  const good =
    provider.keys === token.keys &&
    iss === provider.issuer &&
    (provider.audiences.length === 0 || provider.audiences.includes(aud ?? '')) &&
    (exp === undefined || exp + SKEW > now) &&
    (nbf === undefined || nbf - SKEW <= now);
  return good ? token.claims : undefined;
}

/** A claim is compared if it is text; a list or a mapping never matches. */
function holds({ providers }: Store, { provider, claims }: Required, requested: Requested): boolean {
  const own = providers.get(provider);
  const reported = own && payload(own, requested);
  if (own === undefined || reported === undefined) return false;
  return claims.every(({ path, value }) => {
    const found = path.reduce<unknown>((from, key) => {
      const inner = typeof from === 'object' && from !== null && !Array.isArray(from) && Object.hasOwn(from, key);
      return inner ? (from as Record<string, unknown>)[key] : undefined;
    }, reported);
    return found === value;
  });
}

/** Providers whose tokens the filter before all permissions verifies; by default it removes the header. */
function forwards({ providers }: Store, sources: readonly Source[], requested: Requested): boolean {
  const names = sources.flatMap(({ permissions }) => permissions.flatMap(({ jwt }) => jwt.map((it) => it.provider)));
  return [...new Set(names)].every((name) => {
    const provider = providers.get(name) as JwtProvider;
    return provider.forward || payload(provider, requested) === undefined;
  });
}

/** How permissions decide. If the default is `allow`, proxies only know which requests to refuse, and the tokens that an
 * allowing permission requires are ignored. */
function declaredBy(
  store: Store,
  { action, permissions }: Source,
  path: string,
  requested: Requested,
  byDefault: string,
) {
  if (permissions.length === 0) return action === 'allow' ? 'allowed' : 'refused';
  const permission = permissions.find((it) => matches(it, path, requested));
  if (permission === undefined) return byDefault === 'allow' ? 'allowed' : 'refused';
  if (permission.action === 'deny') return 'refused';
  const good = permission.jwt.length === 0 || permission.jwt.some((it) => holds(store, it, requested));
  return good || byDefault === 'allow' ? 'allowed' : 'refused token';
}

/** Asks the proxy of a service. */
export function verdictOf(
  store: Store,
  requested: Requested,
  { trustDomain, byDefault, mutualTls, normalizes }: Setup,
): Verdict {
  const { service, client } = requested;
  const defaults = store.defaults.get(service);
  if (client === undefined) {
    // No intention applies to a connection without mutual TLS.
    const mode = defaults?.mutualTls || mutualTls;
    return mode === 'permissive' ? { kind: 'allowed', forwarded: true } : { kind: 'no connection' };
  }
  const path = readPath(requested.method, requested.path, normalizes === true);
  if (path === undefined) return { kind: 'refused' };
  const sources = sourcesOf(store, service);
  const own = sources.filter((it) => includes(it, client, sources, trustDomain));
  const reported = own.map((it) => declaredBy(store, it, path, requested, byDefault));
  // Where the default denies, a proxy knows what passes, and else what is refused; one of several sources is enough.
  const allowed = byDefault === 'allow' ? reported.every((it) => it === 'allowed') : reported.includes('allowed');
  if (allowed) return { kind: 'allowed', forwarded: forwards(store, sources, requested) };
  return { kind: reported.includes('refused token') ? 'refused token' : 'refused' };
}
