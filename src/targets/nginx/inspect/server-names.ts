import type { Host, Policy } from '../../../policy/checked/types.ts';
import { signinHostOf } from '../render-context.ts';
import { hasServiceAgents } from '../route/route-listener.ts';
import { UNGUARDED } from '../server/controller.ts';
import { CHECK_PATH, HOP_PATH, hostFile, innerFile } from '../text/names.ts';
import { type ConfTree, defaultServer, type Server } from './dump.ts';
import { locations, passesOn } from './locations.ts';
import { matches, type Warning, warn } from './read.ts';
import { rewrites } from './rewrite.ts';

/** Whether a `server_name` matches a host; undefined for a regular expression that JavaScript cannot read. */
function names(serverName: string, host: string): boolean | undefined {
  if (serverName.startsWith('~')) return matches(serverName.slice(1), host, 'i');
  if (serverName.startsWith('.')) return host === serverName.slice(1) || host.endsWith(serverName);
  if (serverName.startsWith('*.')) return host.endsWith(serverName.slice(1));
  if (serverName.endsWith('.*')) return host.startsWith(serverName.slice(0, -1));
  return serverName === host;
}

const includes = (server: Server, file: string): boolean => server.hostFiles.some((it) => it.endsWith(`/${file}`));

/** The rendered files of a host: the file for its server, and the file for the inner listener. */
const filesOf = (host: Host, policy: Policy): readonly string[] => [
  hostFile(host.name),
  ...(hasServiceAgents(host, policy) ? [innerFile(host.name)] : []),
];

/** Whether a server of an ingress controller rejects all requests for hosts of the policy, with its default snippet. */
const isClosed = ({ body }: Server): boolean =>
  body.some(
    ({ name, args, block = [] }) =>
      name === 'if' && args.join('') === `($${UNGUARDED})` && block.some((it) => it.name === 'return'),
  );

/** Warns of a server that receives requests for the host and does not run the check. */
function beside(server: Server, host: Host): readonly Warning[] {
  if (server.inner || !server.names.includes(host.name) || isClosed(server)) return [];
  const pass = passesOn(server.body);
  if (pass === undefined) return [];
  return warn(
    pass,
    `the server of ${host.name} at ${server.node.file}:${server.node.line} does not include ${hostFile(host.name)}, and sends requests to ${pass.args[0] ?? pass.name} without the policy`,
    `include …/${hostFile(host.name)}; there, or a return to the server that includes it`,
  );
}

/** Warns of an earlier server with the same name at the same socket. nginx ignores the name of the later one. */
function earlier(tree: ConfTree, server: Server, host: Host): readonly Warning[] {
  if (!server.names.includes(host.name)) return [];
  const first = tree.servers
    .slice(0, tree.servers.indexOf(server))
    .find(({ names, sockets }) => names.includes(host.name) && sockets.some((one) => server.sockets.includes(one)));
  if (first === undefined || passesOn(first.body) !== undefined) return [];
  return warn(
    first.node,
    `this server has the name ${host.name} at the same socket as the server at ${server.node.file}:${server.node.line}, and comes first: nginx ignores the name there, so the policy decides no request`,
    `no server_name ${host.name} here, or only include …/${hostFile(host.name)}; here`,
  );
}

/** Warns of sockets at which a server of a host accepts tokens and cookies without encryption. */
function plain(server: Server, { gateway }: Policy): readonly Warning[] {
  const isRedirected = server.body.some(({ name, args }) => name === 'if' && /\$(scheme|https)\b/.test(args.join(' ')));
  if (gateway.insecureHttp || isRedirected) return [];
  const listens = server.body.filter(({ name }) => name === 'listen');
  return (listens.length > 0 ? listens : [server.node])
    .filter(
      ({ args: [address = '', ...more] }) =>
        !/^(unix:|127\.|localhost|\[::1\])/.test(address) && !more.some((one) => one === 'ssl' || one === 'quic'),
    )
    .flatMap((listen) =>
      warn(
        listen,
        'this server of a host accepts requests without TLS: anyone on the way can read tokens and cookies',
        'listen … ssl; and a server that redirects to https; or gateway.insecure_http if TLS ends in front of this nginx',
      ),
    );
}

/** Whether a server receives requests for the host, because of its name or as the default server. */
function serves(tree: ConfTree, server: Server, host: Host): boolean {
  const named = server.names.filter((name) => name !== '_' && name !== '');
  if (named.length > 0) return named.some((name) => names(name, host.name) !== false);
  return server.sockets.some((socket) => defaultServer(tree, socket) === server);
}

function ofFile(tree: ConfTree, host: Host, file: string, policy: Policy): readonly Warning[] {
  const own = tree.servers.filter((server) => includes(server, file));
  if (own.length === 0) {
    return warn(
      host.at,
      `${host.routes.length > 0 ? `hosts."${host.name}"` : `gateway.signin.host ${host.name}`}: no server of this nginx includes ${file}`,
      `include …/${file}; in the server of ${host.name}`,
    );
  }
  const path = file === innerFile(host.name) ? HOP_PATH : CHECK_PATH;
  return own.flatMap((server) => [
    ...(serves(tree, server, host)
      ? []
      : warn(
          server.node,
          `this server includes ${file} and has ${server.names.length === 0 ? 'no name' : `the name ${server.names.join(' ')}`}: requests for ${host.name} do not reach this server`,
          `server_name ${host.name}; or include the file of the host that this server serves`,
        )),
    ...earlier(tree, server, host),
    ...(file === innerFile(host.name) ? [] : plain(server, policy)),
    ...rewrites(tree, server, path, host.name),
    ...locations(tree, server, host),
  ]);
}

function of(tree: ConfTree, host: Host, policy: Policy): readonly Warning[] {
  const files = filesOf(host, policy);
  const others = tree.servers.filter((server) => !files.some((file) => includes(server, file)));
  return [
    ...files.flatMap((file) => ofFile(tree, host, file, policy)),
    ...others.flatMap((server) => beside(server, host)),
  ];
}

/** The findings for each host of a policy: which servers receive its requests, and what else these servers contain. */
export function hosts(tree: ConfTree, policy: Policy): readonly Warning[] {
  const signin = signinHostOf(policy);
  return [...policy.hosts, ...(signin ? [signin] : [])].flatMap((host) => of(tree, host, policy));
}
