import { isWildcard } from '../../base/host-name.ts';
import type { Host, Policy, Route, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { endpoints } from '../nginx/answers/endpoints.ts';
import { noRoute, pageLocation } from '../nginx/answers/page.ts';
import { hostLocation, refusal } from '../nginx/answers/problem-files.ts';
import { metadataLocations } from '../nginx/answers/resource-metadata.ts';
import type { NginxOptions } from '../nginx/options.ts';
import { filesOf } from '../nginx/render.ts';
import { allHosts, type Context, type HostContext, toContext } from '../nginx/render-context.ts';
import { publicServers } from '../nginx/server/server-blocks.ts';
import { conf, type Directive } from '../nginx/text/directive.ts';
import { type ConfFile, included } from '../nginx/text/files.ts';
import { HOST_LOCATION, hostFile } from '../nginx/text/names.ts';
import type { Emitted } from '../types.ts';
import { allowedFile, checkRouteFiles, checkServers, checksConf } from './checks.ts';
import { gaps } from './gaps.ts';
import { askingIngressFiles, readHeaders } from './ingress/index.ts';
import type { CheckInput } from './ingress/kit.ts';
import { askFiles, askMaps } from './listener.ts';

export interface SidecarOptions extends NginxOptions {
  /** Where ingresses reach the sidecar; absent: at a service of Kubernetes. */
  readonly sidecarAddress?: { readonly host: string; readonly port: number };
}

/** Without what only the way to a service needs. */
function withoutWay({ mesh, meshes, ...policy }: Policy): Policy {
  const { inner, ...gateway } = policy.gateway;
  const service = ({ protocol, requestHeaders, ingress, ingresses, ...rest }: Service): Service => ({
    ...rest,
    authority: rest.name,
    direct: { host: rest.name, port: 443, tls: true, serverName: rest.name },
  });
  const route = ({ cors, proxy, ...rest }: Route): Route => rest;
  const host = ({ clientCaFile, ...rest }: Host): Host => ({ ...rest, routes: rest.routes.map(route) });
  return {
    ...policy,
    gateway,
    services: Object.fromEntries(Object.entries(policy.services).map(([name, one]) => [name, service(one)])),
    hosts: policy.hosts.map(host),
  };
}

/** The file of a host at the listener: the gateway's own endpoints, and the forms of checks. */
function ownConf(context: Context, host: HostContext): ConfFile {
  const { name } = host.host;
  const unknownHost = conf`if ($meshgate_odd_host) { rewrite ^ ${HOST_LOCATION}? last; }`;
  const directives = conf`
    ${included(context, 'answer.conf')}
    ${isWildcard(name) && unknownHost}
    ${included(context, 'server.conf')}
    ${included(context, host.sessions ? 'refuse-pages.conf' : 'refuse.conf')}
    ${isWildcard(name) && hostLocation(context)}
    ${included(context, 'forms.conf')}
    ${metadataLocations(context, host)}
    ${host.sessions && [...pageLocation(context, host), ...endpoints(context, host)]}
    ${noRoute(context, host)}
  `;
  return [hostFile(name), directives, `The gateway's own endpoints of ${name}.`];
}

/** The servers of a sidecar: the listener, and the servers of the checks. */
const servers = (context: Context): readonly Directive[] => {
  const down = conf`location @meshgate_down { ${refusal(context, 'check_unavailable')} }`;
  const listener = publicServers(context, [included(context, 'forms.conf'), ...down]);
  return listener.length === 0 ? [] : [...askMaps(context), ...listener, ...checkServers(context, context.hosts)];
};

/** Renders the configuration of the sidecar, and what the files for ingresses are made from.
 * @throws UnprintableError for text that nginx could read as more than one text */
export function extAuthFiles(policy: Policy, rules: readonly Rule[], { sidecarAddress, ...options }: SidecarOptions) {
  const entire = toContext(withoutWay(policy), rules, { ...options, sidecar: true });
  const context: Context = { ...entire, direct: [] };
  const routes = checkRouteFiles(context);
  const files = filesOf(policy, rules, context, {
    routes,
    servers: servers(context),
    hosts: [
      ...allHosts(context).map((host) => ownConf(context, host)),
      ...context.hosts.map((host) => checksConf(context, routes, host)),
    ],
    shared: [allowedFile(context), ...askFiles(context)],
  });
  const { listen, insecureHttp } = policy.gateway;
  const { host, port } = sidecarAddress ?? { host: 'meshgate.meshgate.svc.cluster.local', port: listen };
  const checkInput: CheckInput = { context, sidecar: { host, port, tls: !insecureHttp }, read: readHeaders(files) };
  return { files, checkInput, gaps: gaps(policy, rules, context) };
}

/** Renders the configuration of an nginx that only answers the checks of an ingress, and the gateway's own endpoints.
 * @throws UnprintableError for text that nginx could read as more than one text */
export function renderSidecar(policy: Policy, rules: readonly Rule[], options: SidecarOptions): Emitted {
  const { files, checkInput, gaps } = extAuthFiles(policy, rules, options);
  const ingress = askingIngressFiles(checkInput);
  return { files: { ...files, ...ingress.files }, gaps: [...gaps, ...ingress.gaps] };
}
