import type { Host, Route } from '../policy/types.ts';
import { isCanonical, isOwnPath } from '../raw-path.ts';
import type { ReasonCode } from '../reasons.ts';
import { isMetadataPath } from './resource.ts';
import { parseTarget } from './target.ts';

/** The route of a request, or why it has none. */
export type Match =
  | { readonly host: Host; readonly route: Route }
  | {
      readonly reason: Extract<
        ReasonCode,
        'request_malformed' | 'host_unknown' | 'path_not_canonical' | 'route_unknown'
      >;
    };

/** A name or an address in brackets, with a port; wider than a policy's hosts, narrower than what clients may send. */
const hostPort = /^([A-Za-z0-9!$%&'()*+,.;=_~-]+|\[[A-Za-z0-9!$&'()*+,.:;=_~-]*\])(?::([0-9]*))?$/;

/** The name in a Host header as nginx compares it: lower case, without port and final dot; `undefined` means 400. */
function hostName(header: string): string | undefined {
  const [, host, port = ''] = hostPort.exec(header.replace(/^ +|(?<! ) +$/g, '')) ?? [];
  if (host === undefined || host === '.' || host.includes('..') || Number(port) > 65535) return undefined;
  return host.toLowerCase().replace(/\.$/, '');
}

/** Characters of a name below a wildcard. The client chooses the name, and URLs of the gateway contain it. */
const plainName = /^[a-z0-9.-]+$/;

/** The exact host, else the longest wildcard. */
function findHost(hosts: readonly Host[], name: string): Host | undefined {
  const isBelow = ({ name: wildcard }: Host) => wildcard.startsWith('*.') && name.endsWith(wildcard.slice(1));
  const wild = plainName.test(name) ? hosts.filter(isBelow) : [];
  const exact = hosts.find((host) => host.name === name && !name.startsWith('*'));
  return exact ?? wild.sort((a, b) => b.name.length - a.name.length)[0];
}

/** The exact route, else the longest prefix by whole segments, whatever their order is. */
export function findRoute(routes: readonly Route[], path: string): Route | undefined {
  const exact = routes.find((route) => route.kind === 'exact' && route.path === path);
  if (exact !== undefined) return exact;
  return routes
    .filter((route) => route.kind === 'prefix' && (path === route.path || path.startsWith(`${route.path}/`)))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

/** Finds the route of a request as nginx does with the rendered configuration, for commands that run without nginx.
 *
 * @param header the Host header, with or without a port
 * @param target the raw target of the request line with its query; an absolute-form target has its own host
 * @returns reason `request_malformed` if nginx cannot read it, `host_unknown`, `path_not_canonical` for a raw path that
 * could mean another one, `route_unknown`
 */
export function match(hosts: readonly Host[], header: string, target: string): Match {
  const parsed = parseTarget(target);
  const given = hostName(header);
  const name = parsed?.host === undefined ? given : hostName(parsed.host);
  if (parsed === undefined || name === undefined) return { reason: 'request_malformed' };
  const host = findHost(hosts, name);
  // If a bad Host comes with an absolute target, the server of the target's host refuses it, after checking the path.
  if (given === undefined && (host === undefined || isCanonical(parsed.raw))) return { reason: 'request_malformed' };
  if (host === undefined) return { reason: 'host_unknown' };
  if (!isCanonical(parsed.raw)) return { reason: 'path_not_canonical' };
  // The gateway's own paths are never routes.
  if (isOwnPath(parsed.path) || isMetadataPath(parsed.path)) return { reason: 'route_unknown' };
  const route = findRoute(host.routes, parsed.path);
  return route === undefined ? { reason: 'route_unknown' } : { host, route };
}
