import { DEFAULTS, MAX_INTROSPECTION_TIMEOUT } from '../limits.ts';
import { kindOfIssuer, type ProviderKind, type ProviderKindName, providerKinds } from '../providers/index.ts';
import type { ROUTES } from './path.ts';
import type { Raw } from './schema.ts';
import type * as policy from './types.ts';
import { seconds } from './units.ts';

type RawGateway = NonNullable<Raw['gateway']>;
type RawProvider = Raw['providers'][string];
type RawHost = Raw['hosts'][string];
type RawRoute = RawHost[typeof ROUTES][string];

const time = (text: string | undefined, fallback: number) => (text === undefined ? fallback : seconds(text));

/** A default time must not exceed a shorter time that the policy sets. */
function buildSession(raw: NonNullable<RawGateway['session']>): policy.SessionPolicy {
  const absolute = time(raw.absolute, DEFAULTS.sessionAbsolute);
  const idle = time(raw.idle, Math.min(DEFAULTS.sessionIdle, absolute));
  const fresh = time(raw.fresh, Math.min(DEFAULTS.sessionFresh, idle));
  return { keysFile: raw.keys_file, idle, absolute, fresh };
}

function buildRoom({
  people = DEFAULTS.sessionPeople,
  insecure_forget_revocations: forgetful,
}: NonNullable<RawGateway['session']>): policy.SessionRoom {
  return { people, ...(forgetful && { forgetful: true as const }) };
}

/** The gateway's settings for browsers. */
export function buildGatewaySignin(raw: RawGateway): Partial<policy.Gateway> {
  const { public_port, session, signin, store } = raw;
  return {
    ...(public_port !== undefined && { publicPort: public_port }),
    ...(session && { session: buildSession(session), sessionRoom: buildRoom(session) }),
    ...(signin && {
      signin: {
        ...(signin.host !== undefined && { host: signin.host }),
        ...(signin.tls && { tls: { certFile: signin.tls.cert_file, keyFile: signin.tls.key_file } }),
        ...(signin.pages_dir !== undefined && { pagesDir: signin.pages_dir }),
        ...(signin.limit && {
          limit: {
            rate: signin.limit.rate ?? DEFAULTS.signinRate,
            burst: signin.limit.burst ?? DEFAULTS.signinBurst,
          },
        }),
      },
    }),
    ...(store && {
      store: {
        endpoints: store.etcd,
        ...(store.ca_file !== undefined && { caFile: store.ca_file }),
        ...(store.cert_file !== undefined && { certFile: store.cert_file }),
        ...(store.key_file !== undefined && { keyFile: store.key_file }),
        prefix: store.prefix ?? DEFAULTS.storePrefix,
      },
    }),
  };
}

/** A provider's kind: from the policy, or by its issuer. */
export function kindOf({ kind, issuer }: Pick<RawProvider, 'kind' | 'issuer'>): ProviderKindName {
  return kind ?? kindOfIssuer(issuer);
}

function buildAuth(raw: NonNullable<RawProvider['client']>): policy.ClientAuth {
  const { secret_file, auth, keys_file, cert_file, key_file } = raw;
  if (secret_file !== undefined) return { kind: `client_secret_${auth ?? 'basic'}`, secretFile: secret_file };
  if (keys_file !== undefined) return { kind: 'private_key_jwt', keysFile: keys_file };
  if (cert_file === undefined || key_file === undefined) return { kind: 'none' };
  return { kind: 'tls_client_auth', certFile: cert_file, keyFile: key_file };
}

/** The gateway as the provider's OAuth client; empty if nobody signs in with it. */
export function buildClient(name: string, raw: RawProvider): Pick<policy.Provider, 'client' | 'signin'> {
  const { client, signin = {} } = raw;
  if (client === undefined) return {};
  const { scopes, prompt, max_age, acr_values, domains, userinfo, label, par } = signin;
  const kind: ProviderKind = providerKinds[kindOf(raw)];
  const defaults = kind.signin ?? { scopes: [], userinfo: false };
  return {
    client: { id: client.id, auth: buildAuth(client) },
    signin: {
      scopes: scopes ?? defaults.scopes,
      ...(prompt !== undefined && { prompt }),
      ...(max_age !== undefined && { maxAge: seconds(max_age) }),
      ...(acr_values && { acrValues: acr_values }),
      domains: domains ?? [],
      userinfo: userinfo ?? defaults.userinfo,
      label: label ?? name,
      ...(par !== undefined && { par }),
    },
  };
}

/** How the gateway asks the provider about tokens. */
export function buildIntrospection({ introspection: raw }: RawProvider): Pick<policy.Provider, 'introspection'> {
  if (raw === undefined) return {};
  return {
    introspection: {
      ...(raw.endpoint !== undefined && { endpoint: raw.endpoint }),
      timeout: time(raw.timeout, MAX_INTROSPECTION_TIMEOUT),
      cache: time(raw.cache, DEFAULTS.introspectionCache),
      negative: time(raw.negative, DEFAULTS.introspectionNegative),
      stale: time(raw.stale, 0),
      ...(raw.jwts && { jwts: raw.jwts }),
      ...(raw.insecure_any_type && { anyType: raw.insecure_any_type }),
    },
  };
}

/** The endpoint for groups; the default scope is Microsoft's for all permissions of an application. */
export function buildGroups({ groups_endpoint: endpoint }: RawProvider): Pick<policy.Provider, 'groupsEndpoint'> {
  if (endpoint === undefined) return {};
  const origin = /^https:\/\/[^/:]+/.exec(endpoint)?.[0] ?? '';
  return { groupsEndpoint: { endpoint, scope: `${origin}/.default` } };
}

/** The credentials of a route: from the policy, or what the host's providers support. */
export function buildAccept(raw: Raw, host: RawHost, route: RawRoute): readonly policy.CredentialKind[] {
  if (route.accept) return route.accept;
  const providers = (host.providers ?? Object.keys(raw.providers)).flatMap((name) => raw.providers[name] ?? []);
  const bearer =
    route.audiences !== undefined || providers.some((it) => it.audiences !== undefined || it.insecure_any_audience);
  const session = raw.gateway?.session !== undefined && providers.some((it) => it.client !== undefined);
  return [...(bearer || !session ? (['bearer'] as const) : []), ...(session ? (['session'] as const) : [])];
}

/** The owner for the refusal page. */
export function buildOwner(host: RawHost, route: RawRoute): Pick<policy.Route, 'owner' | 'ask'> {
  const [owner, ask] = [route.owner ?? host.owner, route.ask ?? host.ask];
  return { ...(owner !== undefined && { owner }), ...(ask !== undefined && { ask }) };
}
