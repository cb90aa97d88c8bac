import { isWildcard } from '../../host-name.ts';
import { MAX_METADATA_BYTES } from '../../limits.ts';
import { isIssuerUrl } from '../../policy/addresses.ts';
import { DEFAULTS } from '../../policy/bounds.ts';
import type { Host, Policy, Provider, Route } from '../../policy/types.ts';
import { providerKind, TENANT } from '../../providers/index.ts';
import { requiresDpop } from '../../rules/requires-dpop.ts';
import { METADATA_PATH, resourceOf, resourcePath } from '../../rules/resource.ts';
import { routeScopes } from '../../rules/scopes.ts';
import { PROOF_ALGORITHMS } from '../../token/proof/types.ts';
import {
  block,
  commented,
  type Directive,
  fixed,
  key,
  line,
  literal,
  map,
  regex,
  row,
  template,
  variable,
} from './directive.ts';
import { type ConfFile, included } from './files.ts';
import { unknown } from './problem.ts';
import type { Scene, SceneHost } from './scene.ts';

/** The metadata of a resource (RFC 9728 section 2), without its identifier. */
interface Metadata {
  readonly authorization_servers?: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly string[];
  readonly dpop_signing_alg_values_supported?: readonly string[];
  readonly dpop_bound_access_tokens_required?: true;
  readonly tls_client_certificate_bound_access_tokens?: true;
}

/** The issuers at which a client can request tokens. A template stands for the issuers of its tenants. Issuers of
 * workload identities are left out. So are issuers whose access tokens the gateway cannot accept, unless it asks the
 * provider about tokens. */
function issuersOf(provider: Provider | undefined): readonly string[] {
  const { signin, wants } = providerKind(provider?.kind ?? '') ?? {};
  if (provider === undefined || signin === undefined) return [];
  const { issuer, issuers, introspection } = provider;
  if (wants !== undefined && introspection === undefined) return [];
  return issuer.includes(TENANT) ? (issuers ?? []) : [issuer];
}

/** The issuers for a host. Those without a discovery document are left out, because a client could not use them. */
function serversOf(policy: Policy, { providers }: Host, routes: readonly Route[]): readonly string[] {
  const own = routes.some(({ audiences }) => audiences !== undefined);
  const takesTokens = (name: string) => {
    const provider = policy.providers[name];
    if (own) return provider !== undefined;
    return provider !== undefined && (provider.anyAudience === true || provider.audiences.length > 0);
  };
  return providers
    .filter(takesTokens)
    .flatMap((name) => issuersOf(policy.providers[name]))
    .filter(isIssuerUrl);
}

/** The metadata of routes. A long list of scopes is left out, because challenges name the scopes that a request
 * needs. */
function metadataOf(policy: Policy, host: Host, routes: readonly Route[]): Metadata {
  const servers = serversOf(policy, host, routes);
  const scopes = [...new Set(routes.flatMap((route) => routeScopes(route, policy)))];
  const known: Metadata = {
    ...(servers.length > 0 && { authorization_servers: servers }),
    bearer_methods_supported: ['header'],
    ...(policy.gateway.proof && { dpop_signing_alg_values_supported: PROOF_ALGORITHMS }),
    ...(requiresDpop(routes, policy) && { dpop_bound_access_tokens_required: true as const }),
    ...(host.clientCaFile !== undefined && { tls_client_certificate_bound_access_tokens: true as const }),
  };
  const whole = { ...known, ...(scopes.length > 0 && { scopes_supported: scopes }) };
  return jsonOf(whole).length > MAX_METADATA_BYTES ? known : whole;
}

/** The metadata as JSON in which nginx replaces no variables. This matters because a provider chooses its scopes, and
 * they may contain a `$`. */
const jsonOf = (metadata: Metadata): string =>
  JSON.stringify(metadata).replace(
    /[$\x7f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The routes of each resource, by its path: `/x` and `/x/*` are one resource. */
function resources({ host }: SceneHost): ReadonlyMap<string, readonly Route[]> {
  const found = new Map<string, Route[]>();
  for (const route of host.routes) {
    if (!route.accept.includes('bearer')) continue;
    const path = resourcePath(route.path);
    found.set(path, [...(found.get(path) ?? []), route]);
  }
  return found;
}

const keyOf = ({ host }: SceneHost, path: string): string => host.name + path;

/** The keys of {@link metadataMaps}. They may be long. */
export function metadataKeys({ hosts }: Pick<Scene, 'hosts'>): readonly string[] {
  return hosts.flatMap((host) => [...resources(host).keys()].map((path) => keyOf(host, path)));
}

/** The variables with the host of a location: as the policy writes it, and as clients write it. */
const HOST = 'meshgate_resource_host';
const NAME = 'meshgate_resource_name';

const hasWildcards = ({ hosts }: Pick<Scene, 'hosts'>): boolean => hosts.some(({ host }) => isWildcard(host.name));

/** The map with the resources of all hosts. A location for each resource would take some kilobytes of memory. */
export function metadataMaps(scene: Scene): readonly Directive[] {
  const { policy, hosts } = scene;
  const port = policy.gateway.publicPort ?? DEFAULTS.publicPort;
  const text = ({ host }: SceneHost, path: string, routes: readonly Route[]): string => {
    // The location adds the host, because a host may have many names.
    const behind = resourceOf('', path, port).replace('https://', '');
    return `${behind}",${jsonOf(metadataOf(policy, host, routes)).slice(1)}`;
  };
  return [
    commented(
      'Which providers issue tokens for a host and path (RFC 9728).',
      map(variable('uri'), 'meshgate_resource_path', [
        ['default', literal('')],
        [regex('~', `^${METADATA_PATH.replaceAll('.', '\\.')}(?<meshgate_r>.*)$`), variable('meshgate_r')],
      ]),
    ),
    map(template(variable(HOST), variable('meshgate_resource_path')), 'meshgate_resource', [
      ['default', literal('')],
      ...hosts.flatMap((host) =>
        [...resources(host)].map(
          ([path, routes]) => [key(keyOf(host, path)), literal(text(host, path, routes))] as const,
        ),
      ),
    ]),
    ...(hasWildcards(scene)
      ? [
          map(variable(HOST), NAME, [
            ['default', variable(HOST)],
            [regex('~', '^\\*'), variable('host')],
          ]),
        ]
      : []),
  ];
}

const elsewhere = (...condition: Parameters<typeof block>[1]): Directive => block('if', condition, [unknown]);

/** The file with both locations of a host. The metadata is public: scripts in browsers may read it. */
export const metadataFile = (scene: Scene): ConfFile => [
  'metadata.conf',
  [
    line('default_type', 'application/json'),
    ...row(
      [
        line('add_header', 'Access-Control-Allow-Origin', literal('*'), 'always'),
        ...fixed('add_header Cache-Control max-age=300 always; add_header X-Content-Type-Options nosniff always'),
      ],
      'scripts in browsers may read it',
    ),
    elsewhere(template('(', variable('request_method')), '!~', regex('', '^(GET|HEAD)$)')),
    elsewhere(template('(', variable('meshgate_resource')), '=', literal(''), literal(')')),
    ...(hasWildcards(scene) ? [elsewhere(template('(', variable(NAME)), '!~', regex('', '^[a-z0-9.-]+$)'))] : []),
    line(
      'return',
      '200',
      template('{"resource":"https://', variable(hasWildcards(scene) ? NAME : HOST), variable('meshgate_resource')),
    ),
  ],
  'Which provider issues tokens for a route (RFC 9728).',
];

/** The locations where clients learn which provider issues tokens for a route, and which scopes they need. */
export function metadataLocations(scene: Scene, { host }: SceneHost): readonly Directive[] {
  const own = [line('set', variable(HOST), literal(host.name)), included(scene, 'metadata.conf')];
  return [
    commented(
      'Which provider issues tokens for a route (RFC 9728).',
      block('location', ['=', literal(METADATA_PATH)], own),
    ),
    block('location', ['^~', literal(`${METADATA_PATH}/`)], own),
  ];
}
