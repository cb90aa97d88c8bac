import { isWildcard } from '../../base/host-name.ts';
import type { Host, Policy, Route, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { endpoints } from '../nginx/answers/endpoints.ts';
import { noRoute, pageLocation } from '../nginx/answers/page.ts';
import { hostLocation, refusal } from '../nginx/answers/problem-files.ts';
import { metadataLocations } from '../nginx/answers/resource-metadata.ts';
import type { NginxOptions } from '../nginx/options.ts';
import { filesOf } from '../nginx/render.ts';
import { allHosts, type Scene, type SceneHost, toScene } from '../nginx/scene.ts';
import { publicServers } from '../nginx/server/servers.ts';
import { conf, type Directive } from '../nginx/text/directive.ts';
import { type ConfFile, included } from '../nginx/text/files.ts';
import { HOST_LOCATION, hostFile } from '../nginx/text/names.ts';
import type { Emitted } from '../types.ts';
import { allowedFile, checkRouteFiles, checkServers, checksConf } from './checks.ts';
import { gaps } from './gaps.ts';
import { ingressFiles, readHeaders } from './ingress/index.ts';
import type { Asked } from './ingress/kit.ts';
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
function ownConf(scene: Scene, host: SceneHost): ConfFile {
  const { name } = host.host;
  const oddHost = conf`if ($meshgate_odd_host) { rewrite ^ ${HOST_LOCATION}? last; }`;
  const directives = conf`
    ${included(scene, 'answer.conf')}
    ${isWildcard(name) && oddHost}
    ${included(scene, 'server.conf')}
    ${included(scene, host.sessions ? 'refuse-pages.conf' : 'refuse.conf')}
    ${isWildcard(name) && hostLocation(scene)}
    ${included(scene, 'forms.conf')}
    ${metadataLocations(scene, host)}
    ${host.sessions && [...pageLocation(scene, host), ...endpoints(scene, host)]}
    ${noRoute(scene, host)}
  `;
  return [hostFile(name), directives, `The gateway's own endpoints of ${name}.`];
}

/** The servers of a sidecar: the listener, and the servers of the checks. */
const servers = (scene: Scene): readonly Directive[] => {
  const down = conf`location @meshgate_down { ${refusal(scene, 'check_unavailable')} }`;
  const listener = publicServers(scene, [included(scene, 'forms.conf'), ...down]);
  return listener.length === 0 ? [] : [...askMaps(scene), ...listener, ...checkServers(scene, scene.hosts)];
};

/** Renders the configuration of the sidecar, and what the files for ingresses are made from.
 * @throws UnprintableError for text that nginx could read as more than one text */
export function asking(policy: Policy, rules: readonly Rule[], { sidecarAddress, ...options }: SidecarOptions) {
  const whole = toScene(withoutWay(policy), rules, { ...options, sidecar: true });
  const scene: Scene = { ...whole, direct: [] };
  const routes = checkRouteFiles(scene);
  const files = filesOf(policy, rules, scene, {
    routes,
    servers: servers(scene),
    hosts: [
      ...allHosts(scene).map((host) => ownConf(scene, host)),
      ...scene.hosts.map((host) => checksConf(scene, routes, host)),
    ],
    shared: [allowedFile(scene), ...askFiles(scene)],
  });
  const { listen, insecureHttp } = policy.gateway;
  const { host, port } = sidecarAddress ?? { host: 'meshgate.meshgate.svc.cluster.local', port: listen };
  const asked: Asked = { scene, sidecar: { host, port, tls: !insecureHttp }, read: readHeaders(files) };
  return { files, asked, gaps: gaps(policy, rules, scene) };
}

/** Renders the configuration of an nginx that only answers the checks of an ingress, and the gateway's own endpoints.
 * @throws UnprintableError for text that nginx could read as more than one text */
export function renderSidecar(policy: Policy, rules: readonly Rule[], options: SidecarOptions): Emitted {
  const { files, asked, gaps } = asking(policy, rules, options);
  const ingress = ingressFiles(asked);
  return { files: { ...files, ...ingress.files }, gaps: [...gaps, ...ingress.gaps] };
}
