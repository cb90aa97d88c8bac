import type { Host, Policy } from '../../policy/types.ts';
import { hasServiceAgents } from './door.ts';
import { locations, passesOn } from './inspect-locations.ts';
import { matches, type Warning, warn } from './inspect-read.ts';
import { rewrites } from './inspect-rewrite.ts';
import { defaultServer, type Server, type Tree } from './inspect-tree.ts';
import { CHECK_PATH, HOP_PATH, hostFile, innerFile } from './names.ts';
import { signinHostOf } from './scene.ts';

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

/** Warns of a server that receives requests for the host and does not run the check. */
function beside(server: Server, host: Host): readonly Warning[] {
  if (server.inner || !server.names.includes(host.name)) return [];
  const pass = passesOn(server.body);
  if (pass === undefined) return [];
  return warn(
    pass,
    `the server of ${host.name} at ${server.node.file}:${server.node.line} does not include ${hostFile(host.name)}, and sends requests to ${pass.args[0] ?? pass.name} without the policy`,
    `include …/${hostFile(host.name)}; there, or a return to the server that includes it`,
  );
}

/** Whether a server receives requests for the host, because of its name or as the default server. */
function serves(tree: Tree, server: Server, host: Host): boolean {
  const named = server.names.filter((name) => name !== '_' && name !== '');
  if (named.length > 0) return named.some((name) => names(name, host.name) !== false);
  return server.sockets.some((socket) => defaultServer(tree, socket) === server);
}

function ofFile(tree: Tree, host: Host, file: string): readonly Warning[] {
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
    ...rewrites(tree, server, path, host.name),
    ...locations(tree, server, host),
  ]);
}

function of(tree: Tree, host: Host, policy: Policy): readonly Warning[] {
  const files = filesOf(host, policy);
  const others = tree.servers.filter((server) => !files.some((file) => includes(server, file)));
  return [...files.flatMap((file) => ofFile(tree, host, file)), ...others.flatMap((server) => beside(server, host))];
}

/** The findings for each host of a policy: which servers receive its requests, and what else these servers contain. */
export function hosts(tree: Tree, policy: Policy): readonly Warning[] {
  const signin = signinHostOf(policy);
  return [...policy.hosts, ...(signin ? [signin] : [])].flatMap((host) => of(tree, host, policy));
}
