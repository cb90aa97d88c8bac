import { hostNamed } from '../../base/host-name.ts';
import { isCanonical, isOwnPath } from '../../base/raw-path.ts';
import type { ReasonCode } from '../../base/reasons.ts';
import type { Host, Route } from '../../policy/checked/types.ts';
import { isMetadataPath } from './resource.ts';
import { parseTarget } from './target.ts';

/** The route of a request, or the reason why it has none. */
export type Match =
  | { readonly host: Host; readonly route: Route }
  | {
      readonly reason: Extract<
        ReasonCode,
        'request_malformed' | 'host_unknown' | 'path_not_canonical' | 'route_unknown'
      >;
    };

/** A host name or an address in brackets, and a port. Policies allow less than this, and clients may send more. */
const hostPort = /^([A-Za-z0-9!$%&'()*+,.;=_~-]+|\[[A-Za-z0-9!$&'()*+,.:;=_~-]*\])(?::([0-9]*))?$/;

/** Returns the name in a Host header as nginx compares it; undefined if nginx would answer 400. */
function hostName(header: string): string | undefined {
  const [, host, port = ''] = hostPort.exec(header.replace(/^ +|(?<! ) +$/g, '')) ?? [];
  if (host === undefined || host === '.' || host.includes('..') || Number(port) > 65535) return undefined;
  return host.toLowerCase().replace(/\.$/, '');
}

/** Returns the exact route, or else the longest prefix that ends at a path segment, whatever their order is. */
export function findRoute(routes: readonly Route[], path: string): Route | undefined {
  const exact = routes.find((route) => route.kind === 'exact' && route.path === path);
  if (exact !== undefined) return exact;
  return routes
    .filter((route) => route.kind === 'prefix' && (path === route.path || path.startsWith(`${route.path}/`)))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

/** Finds the route of a request as nginx would with the rendered configuration, for commands that run without nginx.
 * `target` is the target of the request line, with its query. In absolute form, the target contains a host. Reasons:
 * `request_malformed` if nginx cannot read the request, `host_unknown`, `path_not_canonical` if the raw path could mean
 * another path, `route_unknown`. */
export function match(hosts: readonly Host[], header: string, target: string): Match {
  const parsed = parseTarget(target);
  const given = hostName(header);
  const name = parsed?.host === undefined ? given : hostName(parsed.host);
  if (parsed === undefined || name === undefined) return { reason: 'request_malformed' };
  const host = hostNamed(hosts, name);
  // With an absolute target and an invalid Host header, nginx uses the target's server, which checks the path first.
  if (given === undefined && (host === undefined || isCanonical(parsed.raw))) return { reason: 'request_malformed' };
  if (host === undefined) return { reason: 'host_unknown' };
  if (!isCanonical(parsed.raw)) return { reason: 'path_not_canonical' };
  // The gateway's own paths are never routes.
  if (isOwnPath(parsed.path) || isMetadataPath(parsed.path)) return { reason: 'route_unknown' };
  const route = findRoute(host.routes, parsed.path);
  return route === undefined ? { reason: 'route_unknown' } : { host, route };
}
