import { isWildcard } from '../../../base/host-name.ts';
import { MAX_METADATA_BYTES } from '../../../base/limits.ts';
import type { Host, Policy, Provider, Route } from '../../../policy/checked/types.ts';
import { isIssuerUrl } from '../../../policy/forms/addresses.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { providerKind, TENANT } from '../../../providers/index.ts';
import { METADATA_PATH, resourceOf, resourcePath } from '../../../rules/decide/resource.ts';
import { requiresDpop } from '../../../rules/table/requires-dpop.ts';
import { routeScopes } from '../../../rules/table/scopes.ts';
import { PROOF_ALGORITHMS } from '../../../token/proof/types.ts';
import type { Context, HostContext } from '../render-context.ts';
import { counted } from '../server/strangers.ts';
import { conf, type Directive, key, line, literal, regex, variable } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { unknown } from './problem-files.ts';

/** The issuers at which a client can request tokens. A template stands for the issuers of its tenants. Issuers of
 * workload identities are left out. Issuers whose access tokens the gateway cannot accept are left out too, unless the
 * gateway asks the provider about tokens. */
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

/** The metadata of routes (RFC 9728 section 2), without the identifier of the resource. A long list of scopes is left
 * out, because challenges name the scopes that a request needs. */
function metadataOf(policy: Policy, host: Host, routes: readonly Route[]): object {
  const servers = serversOf(policy, host, routes);
  const scopes = [...new Set(routes.flatMap((route) => routeScopes(route, policy)))];
  const known = {
    ...(servers.length > 0 && { authorization_servers: servers }),
    bearer_methods_supported: ['header'],
    ...(policy.gateway.proof && { dpop_signing_alg_values_supported: PROOF_ALGORITHMS }),
    ...(requiresDpop(routes, policy) && { dpop_bound_access_tokens_required: true }),
    ...(host.clientCaFile !== undefined && { tls_client_certificate_bound_access_tokens: true }),
  };
  const entire = { ...known, ...(scopes.length > 0 && { scopes_supported: scopes }) };
  return jsonOf(entire).length > MAX_METADATA_BYTES ? known : entire;
}

/** The metadata as JSON in which nginx finds no variables: a provider's scopes may contain a `$`. */
const jsonOf = (metadata: object): string =>
  JSON.stringify(metadata).replace(
    /[$\x7f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The routes of each resource, by its path: `/x` and `/x/*` are one resource. */
function resources({ host }: HostContext): ReadonlyMap<string, readonly Route[]> {
  const found = new Map<string, Route[]>();
  for (const route of host.routes) {
    if (!route.accept.includes('bearer')) continue;
    const path = resourcePath(route.path);
    found.set(path, [...(found.get(path) ?? []), route]);
  }
  return found;
}

const keyOf = ({ host }: HostContext, path: string): string => host.name + path;

/** The paths of the metadata of a host's resources. */
export const metadataPaths = (host: HostContext): readonly string[] =>
  [...resources(host).keys()].map((path) => METADATA_PATH + path);

/** The keys of {@link metadataMaps}. They may be long. */
export const metadataKeys = ({ hosts }: Pick<Context, 'hosts'>): readonly string[] =>
  hosts.flatMap((host) => [...resources(host).keys()].map((path) => keyOf(host, path)));

const hasWildcards = ({ hosts }: Pick<Context, 'hosts'>): boolean => hosts.some(({ host }) => isWildcard(host.name));

/** The map with the resources of all hosts. A location for each resource would take some kilobytes of memory. */
export function metadataMaps(context: Context): readonly Directive[] {
  const { policy, hosts } = context;
  const port = policy.gateway.publicPort ?? DEFAULTS.publicPort;
  const text = ({ host }: HostContext, path: string, routes: readonly Route[]): string => {
    // The location adds the host, because a host may have many names.
    const behind = resourceOf('', path, port).replace('https://', '');
    return `${behind}",${jsonOf(metadataOf(policy, host, routes)).slice(1)}`;
  };
  const entries = hosts.flatMap((host) =>
    [...resources(host)].map(([path, routes]) => line(key(keyOf(host, path)), literal(text(host, path, routes)))),
  );
  const nameMap = conf`
    map $meshgate_resource_host $meshgate_resource_name { default $meshgate_resource_host; "~^\*" $host; }
  `;
  return conf`
    # Which providers issue tokens for a host and path (RFC 9728).
    map $uri $meshgate_resource_path {
      default "";
      ${regex('~', `^${METADATA_PATH.replaceAll('.', '\\.')}(?<meshgate_r>.*)$`)} $meshgate_r;
    }
    map $meshgate_resource_host$meshgate_resource_path $meshgate_resource {
      default "";
      ${entries}
    }
    ${hasWildcards(context) && nameMap}
  `;
}

/** The file for both locations of a host. */
export function metadataFile(context: Context): ConfFile {
  const strange = conf`if ($meshgate_resource_name !~ ^[a-z0-9.-]+$) { ${unknown} }`;
  const directives = conf`
    if ($request_method !~ ^(GET|HEAD)$) { ${unknown} }
    if ($meshgate_resource = "" ) { ${unknown} }
    ${hasWildcards(context) && strange}
    ${counted('metadata')}
  `;
  return ['metadata.conf', directives, 'Which provider issues tokens for a route (RFC 9728).'];
}

/** The locations where clients learn which provider issues tokens for a route, and which scopes they need. The metadata is
 * public: scripts in browsers may read it. One variable has the host as the policy writes it. For a wildcard host, another
 * variable has it as the client writes it. */
export function metadataLocations(context: Context, { host }: HostContext): readonly Directive[] {
  const name = variable(hasWildcards(context) ? 'meshgate_resource_name' : 'meshgate_resource_host');
  const own = conf`
    set $meshgate_resource_host ${host.name};
    ${included(context, 'metadata.conf')}
  `;
  return conf`
    # Which provider issues tokens for a route (RFC 9728).
    location = ${METADATA_PATH} { ${own} }
    location ^~ ${METADATA_PATH}/ { ${own} }
    location @meshgate_metadata {
      default_type application/json;
      add_header Access-Control-Allow-Origin * always; add_header Cache-Control max-age=300 always; add_header X-Content-Type-Options nosniff always; # scripts in browsers may read it
      return 200 '{"resource":"https://${name}$meshgate_resource';
    }
  `;
}
