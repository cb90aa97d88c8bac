import { encode } from 'jose/base64url';
import { assertionJwksUri } from '../../assertion/published.ts';
import { TO_SERVICE } from '../../base/internal-headers.ts';
import type { Assertion, Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { DEFAULT_OWNER, ownerOf } from '../kit/owner.ts';
import type { MeshOptions } from '../types.ts';
import { consulName, type Destination, destinationsOf } from './destinations.ts';
import { AUDIENCE, passOf } from './pass.ts';
import { type ConsulPermission, permissionsOf } from './permissions.ts';

/** What marks the rendered entries of an owner. Only a gateway with a name of its own has its name here. */
const metaOf = (owner: string): Readonly<Record<string, string>> => ({
  'managed-by': 'meshgate',
  ...(owner !== DEFAULT_OWNER && { gateway: owner }),
});

/** Consul's wildcard source: it stands for every service that no other source names, and has the lowest precedence. */
export const EVERYBODY = '*';

/** How many verified assertions a proxy caches: one for each caller and service, each for at least half a minute. */
const REMEMBERED = 1000;
/** How long a proxy waits for the keys of the gateway. Consul counts whole seconds. */
const KEYS_TIMEOUT_MS = 5000;

/** Base64 with padding (RFC 4648 section 4). Go's decoder requires the padding. */
function base64(text: string): string {
  const plain = encode(new TextEncoder().encode(text)).replace(/-/g, '+').replace(/_/g, '/');
  return plain.padEnd(Math.ceil(plain.length / 4) * 4, '=');
}

/** Where proxies get the gateway's keys; undefined if neither the options nor the policy say it. */
export function keySetOf({ mesh }: Policy, assertion: Assertion, { assertionJwks }: MeshOptions) {
  if (assertionJwks !== undefined) return { Local: { JWKS: base64(assertionJwks) } };
  if (mesh?.assertionCaFile === undefined) return undefined;
  return {
    Remote: {
      URI: assertionJwksUri(assertion),
      RequestTimeoutMs: KEYS_TIMEOUT_MS,
      UseSNI: true,
      JWKSCluster: { TLSCertificates: { TrustedCA: { Filename: mesh.assertionCaFile } } },
    },
  };
}

type Plan = ReturnType<typeof planEntries>;
export type ConsulKeySet = NonNullable<ReturnType<typeof keySetOf>>;

/** The input of the renderer: the intentions, the services whose assertions they require, in the order of the policy,
 * and the settings of assertions, if one is required. */
export function planEntries(policy: Policy, rules: readonly Rule[]) {
  const all = destinationsOf(policy, rules).map((destination) => intentions(policy, destination));
  const routed = new Set(
    all
      .flatMap(({ Sources }) => Sources.flatMap(({ Permissions = [] }) => Permissions))
      .flatMap(({ JWT }) => JWT?.Providers ?? [])
      .flatMap(({ VerifyClaims }) => VerifyClaims.flatMap(({ Path, Value }) => (Path[0] === AUDIENCE ? Value : []))),
  );
  const { assertion } = policy.gateway;
  return {
    intentions: all,
    audiences: Object.keys(policy.services).filter((name) => routed.has(name)),
    ...(assertion && routed.size > 0 && { assertion }),
  };
}

function provider(policy: Policy, audiences: readonly string[], assertion: Assertion, keys: ConsulKeySet) {
  return {
    Kind: 'jwt-provider' as const,
    Name: ownerOf(policy),
    Issuer: assertion.issuer,
    Audiences: audiences,
    JSONWebKeySet: keys,
    Locations: [{ Header: { Name: TO_SERVICE.assertion, Forward: true } }],
    // Consul reads 0 as 30, so the smallest value is 1. Consul 1.22 gives proxies neither this value nor the cache.
    ClockSkewSeconds: Math.max(1, policy.gateway.clockSkew),
    CacheConfig: { Size: REMEMBERED },
    Meta: metaOf(ownerOf(policy)),
  };
}

/** The defaults of a service: intentions need a proxy that reads HTTP, and it must accept only mutual TLS. */
const defaults = (owner: string, name: string, protocol: Service['protocol']) => ({
  Kind: 'service-defaults' as const,
  Name: name,
  Protocol: protocol ?? 'http',
  MutualTLSMode: 'strict',
  Meta: metaOf(owner),
});

interface Source {
  readonly Name: string;
  readonly Action?: 'deny';
  readonly Permissions?: readonly ConsulPermission[];
}

function intentions(policy: Policy, { name, sources }: Destination) {
  const owner = ownerOf(policy);
  const all: readonly Source[] = [
    ...sources.map(({ name, rules }) => ({
      Name: name,
      Permissions: permissionsOf(rules, (rule) => passOf(policy, rule), owner),
    })),
    { Name: EVERYBODY, Action: 'deny' },
  ];
  return { Kind: 'service-intentions' as const, Name: name, Sources: all, Meta: metaOf(owner) };
}

/** A configuration entry of Consul, of a kind that this folder renders. */
export type ConsulEntry = ReturnType<typeof provider | typeof defaults | typeof intentions>;

/** Every entry that enforces the rules, in the order in which Consul accepts them: the JWT provider, then the protocol
 * of each service, then its intentions.
 * @param keys where proxies get the keys for the assertion; undefined if no permission needs one */
export function consulEntries(
  policy: Policy,
  { intentions, audiences, assertion }: Plan,
  keys?: ConsulKeySet,
): readonly ConsulEntry[] {
  const services = Object.values(policy.services).filter(({ direct }) => direct === undefined);
  return [
    ...(assertion && keys ? [provider(policy, audiences, assertion, keys)] : []),
    ...intentions.map(({ Name }) =>
      defaults(ownerOf(policy), Name, services.find((it) => consulName(it) === Name)?.protocol),
    ),
    ...intentions,
  ];
}
