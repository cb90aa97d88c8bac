import { ingressPath } from '../../policy/checked/ingresses.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { toClientTable } from '../../rules/table/client-table.ts';
import { toHealthConfig } from '../../rules/table/health-config.ts';
import { toSigninTable } from '../../rules/table/signin-table.ts';
import { tableModule, toTable } from '../../rules/table/table.ts';
import type { Rule } from '../../rules/types.ts';
import type { Emitted, Files, Gap } from '../types.ts';
import { signinFiles } from './answers/endpoints.ts';
import { pageFile } from './answers/page.ts';
import { problemFile } from './answers/problem-files.ts';
import { refuseFiles } from './answers/refuse.ts';
import { metadataFile } from './answers/resource-metadata.ts';
import { checkFiles } from './check/server.ts';
import { mapsFile } from './maps.ts';
import type { NginxOptions } from './options.ts';
import { allHosts, type Context, toContext } from './render-context.ts';
import { corsFiles } from './route/cors.ts';
import { hostConf, ingressTlsFiles, innerConf } from './route/host-files.ts';
import { answerFile, type RouteFiles, routeFiles } from './route/location.ts';
import { proxyFiles } from './route/proxy.ts';
import { requestsFiles } from './route/request-headers.ts';
import { innerHosts } from './route/route-listener.ts';
import { auditFiles } from './server/audit-log.ts';
import { controllerServers, declarations, SERVERS_ABOUT } from './server/controller.ts';
import { streamConf } from './server/front.ts';
import { httpConf } from './server/http-level.ts';
import { insideFile } from './server/inner.ts';
import { logFile } from './server/log.ts';
import { frontPorts, insecureOptions, serversConf, unserved } from './server/server-blocks.ts';
import { serverFile } from './server/trusted-proxies.ts';
import { renderedNames } from './signin/stored-names.ts';
import type { Directive } from './text/directive.ts';
import type { ConfFile } from './text/files.ts';
import { guard } from './text/guard.ts';
import { printConf } from './text/print.ts';
import { etcdEndpoints } from './upstream/etcd.ts';
import { probesOf, unprobed } from './upstream/probe.ts';
import { checkSocket, isIpAddress } from './upstream/upstream-blocks.ts';

/** The socket of the egress server. policy.js contains its path for the JavaScript. */
const egressSocket = (options: NginxOptions): string => `${options.runDir}/egress.sock`;

/** The gap of headers that are empty if an agent acts: groups and claims of a person are not sent then. */
function stayBehind({ hosts }: Context): readonly Gap[] {
  return hosts.flatMap(({ routes }) =>
    routes.flatMap(({ route, targets }) => {
      const acting = route.allow.findIndex(({ who }) => who.kind === 'agent');
      const names = Object.entries(route.headers).flatMap(([name, source]) =>
        source === 'groups' || (typeof source === 'object' && 'claim' in source) ? [name] : [],
      );
      const rule = targets[acting]?.rule;
      if (rule === undefined || names.length === 0) return [];
      const text = `${names.join(', ')}: empty if an agent acts, because the request of an agent does not carry the groups and claims of the person`;
      return [{ part: rule, text }];
    }),
  );
}

function gaps(context: Context): readonly Gap[] {
  const { policy } = context;
  const named = [
    ...[...new Set(context.ingresses.map(({ ingresses }) => ingresses))].flatMap(({ all, isWorkload }) =>
      all.map((it) => ({ ...it, part: isWorkload ? `services.${it.name}` : ingressPath(it, policy) })),
    ),
    ...context.direct.map(({ name, direct }) => ({
      part: `services.${name}`,
      host: direct?.host ?? '',
      serverName: direct?.tls ? direct.serverName : '',
    })),
    ...etcdEndpoints(context).map(({ host }) => ({ part: 'gateway.store.etcd', host, serverName: host })),
  ];
  const unresolved = [
    {
      part: 'gateway.resolver',
      text: 'no DNS server is known, so the keys of providers cannot be fetched by host name; name a DNS server in gateway.resolver',
    },
    ...named.flatMap(({ part, host }) => {
      const text = `${host} is resolved once, when nginx starts; name a DNS server in gateway.resolver`;
      return isIpAddress(host) ? [] : [{ part, text }];
    }),
  ];
  const addresses = named.flatMap(({ part, serverName }) => {
    const cure =
      part === 'gateway.store.etcd' ? 'write it as a DNS name' : 'set server_name to a name in the certificate';
    const text = `nginx verifies DNS names in certificates, not addresses; ${cure}`;
    return serverName === '' || !isIpAddress(serverName) ? [] : [{ part, text }];
  });
  return [
    ...(context.resolver.length > 0 ? [] : unresolved),
    ...addresses,
    ...stayBehind(context),
    ...unsealed(context),
    ...unprobedGaps(context),
  ];
}

/** The gap of services for which `gateway.mesh_probe` sends no request. */
const unprobedGaps = (context: Context): readonly Gap[] =>
  unprobed(context).map(({ name }) => ({
    part: `services.${name}`,
    text: 'gateway.mesh_probe sends no request for it: its rules deny none, or nginx cannot see who denies it',
  }));

/** The gap of a sealed log in the pod of an ingress controller, where no sealer runs. */
function unsealed({ policy: { gateway }, options }: Context): readonly Gap[] {
  if (gateway.audit === undefined || options.inController === undefined) return [];
  const text = `no sealer runs in the pod of the ingress controller: the lines of the log go to ${options.accessLog}, and are not sealed`;
  return [{ part: 'gateway.audit', text }];
}

const head = (what: string): readonly string[] => [`${what} Rendered by meshgate from the policy; do not edit.`];

function serversHead(context: Context): readonly string[] {
  return [
    ...head('The servers of the image.'),
    ...insecureOptions(context),
    ...unserved(context).map(
      (host) => `not served: ${host}: set gateway.tls, hosts."${host}".tls or gateway.insecure_http`,
    ),
  ];
}

/** All files that other files can include. */
function sharedFiles(context: Context, { callers, targets }: RouteFiles): readonly ConfFile[] {
  return [
    mapsFile(context),
    logFile(context),
    insideFile(context),
    problemFile,
    serverFile(context),
    answerFile(context),
    ...checkFiles(context),
    ...refuseFiles(context),
    metadataFile(context),
    ...proxyFiles(context),
    ...ingressTlsFiles(context),
    ...callers.files,
    ...targets.files,
    ...corsFiles(context),
    ...requestsFiles(context),
    ...signinFiles(context),
    pageFile(context),
  ];
}

/** The names of the files that directives include. */
const includesOf = (directives: readonly Directive[], dir: string): readonly string[] =>
  directives.flatMap(({ name, args: [file], block = [] }) =>
    name === 'include' && file?.kind === 'literal' ? [file.text.slice(dir.length + 1)] : includesOf(block, dir),
  );

/** The files that some directives include, directly or through other files. The policy needs only these. */
function needed(all: readonly ConfFile[], by: readonly Directive[], dir: string): readonly ConfFile[] {
  const names = new Set<string>();
  const visit = (directives: readonly Directive[]): void => {
    for (const name of includesOf(directives, dir)) {
      if (names.has(name)) continue;
      names.add(name);
      visit(all.find(([one]) => one === name)?.[1] ?? []);
    }
  };
  visit(by);
  return all.filter(([name]) => names.has(name));
}

/** What the renderer of a kind of nginx makes itself. */
interface OwnParts {
  readonly routes: RouteFiles;
  /** The directives of servers.conf. */
  readonly servers: readonly Directive[];
  /** The files that no other file includes, or only servers.conf. */
  readonly hosts: readonly ConfFile[];
  /** Files that other files can include, besides the usual ones. */
  readonly shared?: readonly ConfFile[];
}

/** Renders all files of an nginx: http.conf, servers.conf, the files of the hosts, the files that these include, and the
 * tables of the JavaScript.
 * @param policy the policy by which the check decides */
export function filesOf(policy: Policy, rules: readonly Rule[], context: Context, own: OwnParts): Files {
  const { options } = context;
  guard(context);
  const shared = [...sharedFiles(context, own.routes), ...(own.shared ?? [])];
  const ofHosts = own.hosts.map(([, directives]) => directives);
  const { inController } = options;
  const assigning = [...ofHosts, ...needed(shared, ofHosts.flat(), options.dir).map(([, directives]) => directives)];
  const http = httpConf(context, inController && declarations(context, assigning));
  const confs = [...needed(shared, [...http, ...own.servers, ...ofHosts.flat()], options.dir), ...own.hosts];
  const hasServers = inController === undefined || inController.ownServers;
  const about = inController ? head(SERVERS_ABOUT) : serversHead(context);
  const files: Record<string, string> = {
    'http.conf': printConf(http, head('For http {}.')),
    ...(hasServers && { 'servers.conf': printConf(own.servers, about) }),
    ...(!inController && {
      'stream.conf': printConf(streamConf(context, frontPorts(context)), head('For stream {} of the image.')),
    }),
    'policy.js': tableModule(toTable(policy, rules, { egress: egressSocket(options), check: checkSocket(options) })),
    'watched.js': tableModule(
      toHealthConfig(context, {
        check: checkSocket(options),
        egress: egressSocket(options),
        probes: probesOf(context),
      }),
    ),
    ...auditFiles(context),
  };
  const signin = toSigninTable(policy, { egress: egressSocket(options), stateDir: options.stateDir });
  const client = toClientTable(policy, egressSocket(options));
  if (client !== undefined) files['client-policy.js'] = tableModule(client);
  if (signin !== undefined) files['signin-policy.js'] = tableModule({ ...signin, names: renderedNames(context) });
  for (const [name, directives, what] of confs) files[name] = printConf(directives, head(what));
  return files;
}

/** Renders a policy for nginx. The files are http.conf, servers.conf, hosts/HOST.conf, inner/HOST.conf for hosts that
 * services call on behalf of people, the files that these include, policy.js and watched.js. If people sign in,
 * signin-policy.js is rendered too; if the gateway asks providers about tokens, so is client-policy.js. The JavaScript
 * bundles are not rendered.
 * @throws UnprintableError for text that nginx could read as more than one text */
export function renderNginx(policy: Policy, rules: readonly Rule[], options: NginxOptions): Emitted {
  const context = toContext(policy, rules, options);
  const { inner } = policy.gateway;
  const routes = routeFiles(context);
  const hosts: readonly ConfFile[] = [
    ...allHosts(context).map((host) => hostConf(context, routes, host)),
    ...innerHosts(context).flatMap((host) => (inner === undefined ? [] : [innerConf(context, routes, host, inner)])),
  ];
  const { inController } = options;
  const servers = inController ? (inController.ownServers ? controllerServers(context) : []) : serversConf(context);
  const files = filesOf(policy, rules, context, { routes, servers, hosts });
  return { files, gaps: gaps(context) };
}
