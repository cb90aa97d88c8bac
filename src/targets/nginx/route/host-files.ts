import { isWildcard } from '../../../base/host-name.ts';
import type { Inner } from '../../../policy/checked/types.ts';
import { endpoints } from '../answers/endpoints.ts';
import { noRoute, pageLocation } from '../answers/page.ts';
import { certificateLocation, hostLocation } from '../answers/problem-files.ts';
import { metadataLocations } from '../answers/resource-metadata.ts';
import type { Context, HostContext } from '../render-context.ts';
import { controllerChecks, EVERYTHING, inOrder } from '../server/controller.ts';
import { conf, type Directive, literal, variable } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { HOP_PATH, HOST_LOCATION, hostFile, ingressFile, innerFile } from '../text/names.ts';
import { hostHeaders } from './common-headers.ts';
import { type RouteFiles, routeLocations } from './location.ts';
import { certificateFor, modulesOf, upstreamTls, verified } from './module.ts';
import { innerListener, outerListener, type RouteListener } from './route-listener.ts';
import { authorization, passesAny } from './service-credential.ts';
import { refusesWorkers } from './worker.ts';

/** The files with TLS settings for each ingress. Routes that lead only to one ingress share one TLS context. */
export function ingressTlsFiles(context: Context): readonly ConfFile[] {
  const ingresses = new Set(context.hosts.flatMap(({ ingress }) => ingress ?? []));
  return [...ingresses].map((ingress) => [
    ingressFile(ingress),
    modulesOf(context.hosts).flatMap((module) => [
      ...upstreamTls(module),
      ...verified(module, literal(ingress.serverName), ingress.caFile),
      ...certificateFor(module, variable('meshgate_cert'), variable('meshgate_key')),
    ]),
    `TLS to the ingress ${ingress.host} of ${ingress.mesh === undefined ? 'the mesh' : `mesh ${ingress.mesh}`}, for all routes that lead to it.`,
  ]);
}

/** A location around all routes of a host, with the directives that each route needs. They override the directives of
 * outer levels. No route has its own `proxy_set_header`, which would replace the inherited list. If each location
 * repeated the list, this would cost about 125 KB of nginx's memory per location, and as much of the processor's
 * cache. Only hosts where people sign in have pages for the refusals of the check. */
function around(context: Context, files: RouteFiles, host: HostContext, listener: RouteListener): readonly Directive[] {
  const exact = new Set(host.routes.filter(({ route }) => route.kind === 'exact').map(({ route }) => route.path));
  const all = host.routes.some(({ route }) => route.kind === 'prefix' && route.path === '');
  const shared = modulesOf([host]).flatMap((module) => [
    included(context, module === 'grpc' ? 'proxy-grpc.conf' : 'proxy.conf'),
    ...hostHeaders(host, module, listener.cookie, passesAny(context) ? authorization(module, host.passes) : []),
  ]);
  const { inController } = context.options;
  const routes = (inController ? inOrder(host.routes) : host.routes).flatMap(
    (route) => conf`
      # ${route.route.name} → ${route.services.map(({ name }) => name).join(', ')}
      ${routeLocations(context, files, { host, door: listener, exact }, route)}
    `,
  );
  return conf`
    location ${inController ? EVERYTHING : ['^~', '/']} {
      ${host.sessions ? included(context, 'session.conf') : conf`error_page 401 = @meshgate_refuse;`}
      ${shared}
      ${host.ingress && included(context, ingressFile(host.ingress))}
      ${routes}
      # No route of the policy covers other paths.
      ${!all && noRoute(context, host)}
    }
  `;
}

/** The directives of a host's server. All its routes are inside one location. */
function listenerConf(
  context: Context,
  files: RouteFiles,
  host: HostContext,
  listener: RouteListener,
): readonly Directive[] {
  const { name } = host.host;
  const unknownHost = conf`
    # At a wildcard host, the client chooses the host name, which becomes part of URLs.
    if ($meshgate_odd_host) { rewrite ^ ${HOST_LOCATION}? last; }
  `;
  const routes = conf`
    # The routes, inside one location with the directives that they share.
    ${host.routes.length > 0 && around(context, files, host, listener)}
    ${host.routes.length === 0 && noRoute(context, host)}
  `;
  return conf`
    ${listener.server}
    ${controllerChecks(context, host)}
    # This check rejects everything, so locations that you add here are closed.
    auth_request ${listener.check}-;
    ${included(context, 'answer.conf')}
    ${isWildcard(name) && unknownHost}
    ${included(context, 'server.conf')}
    ${included(context, host.sessions ? 'refuse-pages.conf' : 'refuse.conf')}
    ${refusesWorkers(host)}
    ${(isWildcard(name) || context.options.inController) && hostLocation(context)}
    ${listener.server.length > 0 && certificateLocation(context, name)}
    # The location of the check. Clients cannot request it.
    location ^~ ${listener.check} {
      ${included(context, listener.file)}
      ${listener.credentials}
    }
    ${listener.check !== HOP_PATH && metadataLocations(context, host)}
    ${host.sessions && [...pageLocation(context, host), ...endpoints(context, host)]}
    ${routes}
  `;
}

/** The file that the `server {}` of a host includes. */
export const hostConf = (context: Context, files: RouteFiles, host: HostContext): ConfFile => [
  hostFile(host.host.name),
  listenerConf(context, files, host, outerListener(context, host)),
  `For the server {} of ${host.host.name}.`,
];

/** The file of the host for the inner listener, where people do not sign in. */
export const innerConf = (context: Context, files: RouteFiles, host: HostContext, inner: Inner): ConfFile => [
  innerFile(host.host.name),
  listenerConf(context, files, { ...host, sessions: false, passes: false }, innerListener(context, inner, host)),
  `For the server {} of ${host.host.name} at the inner listener.`,
];
