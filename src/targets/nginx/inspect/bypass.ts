import type { Policy } from '../../../policy/checked/types.ts';
import { CHECK_UPSTREAM } from '../text/names.ts';
import type { ConfTree } from './dump.ts';
import { isAcme } from './locations.ts';
import { type ConfNode, type Warning, warn } from './read.ts';

/** Directives that send requests or connections to an address. */
const SENDS = /^(proxy|grpc|fastcgi|uwsgi|scgi|memcached)_pass$/;

/** An address to which a directive sends requests, and the upstream that has it. */
interface Target {
  readonly upstream?: ConfNode;
  readonly address: string;
}

/** `host:port` in one spelling. */
function spelled(address: string, port: string): string {
  const text = address.toLowerCase().replace(/^localhost(?=:|$)/, '127.0.0.1');
  return /:\d+$/.test(text) ? text : `${text}:${port}`;
}

/** Where a directive sends requests. A variable has the values that `set` gives it nearby. */
function targets(pass: ConfNode, around: readonly ConfNode[], upstreams: readonly ConfNode[]): readonly Target[] {
  const set = (name: string) => around.find(({ name: it, args }) => it === 'set' && args[0] === name)?.args[1] ?? name;
  const entire = (pass.args[0] ?? '').replace(/\$\{(\w+)\}/g, '$$$1').replace(/\$\w+/g, set);
  const [, scheme = '', rest = ''] = /^(?:(https?|grpcs?):\/\/)?([\s\S]*)$/.exec(entire) ?? [];
  const authority = rest.startsWith('unix:') ? rest : (rest.split('/')[0] ?? '');
  const upstream = upstreams.find(({ args }) => args[0] === authority);
  const port = /s$/.test(scheme) ? '443' : '80';
  if (upstream === undefined) return [{ address: spelled(authority, port) }];
  return (upstream.block ?? [])
    .filter(({ name }) => name === 'server')
    .map(({ args: [address = ''] }) => ({ upstream, address: spelled(address, '80') }));
}

/** Whether only this machine reaches a server. */
const isLocal = (sockets: readonly string[]): boolean =>
  sockets.every((socket) => /^(127\.|localhost:|\[::1\]|unix:)/.test(socket));

/** Directives at any depth, except those in the location for renewing certificates. */
const reachable = (nodes: readonly ConfNode[]): readonly ConfNode[] =>
  nodes.flatMap((node) => (isAcme(node) ? [] : [node, ...reachable(node.block ?? [])]));

/** Why requests to a target avoid the policy: the service to which it leads; undefined if it leads elsewhere. */
function serviceAt({ address, upstream }: Target, policy: Policy, tree: ConfTree): string | undefined {
  const named = Object.entries(policy.services).find(
    ([
      ,
      {
        endpoint: { host, port },
      },
    ]) => spelled(`${host}:${port}`, '') === address,
  );
  if (named !== undefined) return `the service ${named[0]}`;
  const name = upstream?.args[0] ?? '';
  const isOurs = upstream !== undefined && tree.kind(upstream.file) !== 'other' && name !== CHECK_UPSTREAM;
  return isOurs ? `${name} of the rendered files` : undefined;
}

/** The folder of the gateway's sockets. */
function socketFolder(upstreams: readonly ConfNode[]): string | undefined {
  const check = upstreams.find(({ args }) => args[0] === CHECK_UPSTREAM);
  const address = check?.block?.find(({ name }) => name === 'server')?.args[0];
  return address?.startsWith('unix:') ? address.slice(0, address.lastIndexOf('/') + 1) : undefined;
}

function ofServer(
  body: readonly ConfNode[],
  upstreams: readonly ConfNode[],
  policy: Policy,
  tree: ConfTree,
): readonly Warning[] {
  const folder = socketFolder(tree.http.filter(({ name }) => name === 'upstream'));
  const all = reachable(body).filter(({ file }) => tree.kind(file) === 'other');
  return all
    .filter(({ name }) => SENDS.test(name))
    .flatMap((pass) => {
      const found = targets(pass, all, upstreams);
      if (folder !== undefined && found.some(({ address }) => address.startsWith(folder))) {
        return warn(
          pass,
          `${pass.name} ${pass.args[0]} leads to a socket of the gateway: clients would reach what only nginx may ask`,
          'no such directive; gateway.health names a port for health',
        );
      }
      const service = found.map((one) => serviceAt(one, policy, tree)).find((it) => it);
      if (service === undefined) return [];
      return warn(
        pass,
        `${pass.name} ${pass.args[0]} leads to ${service} without the policy`,
        'a host or a route of the policy in place of this server, or a listen that only this machine reaches',
      );
    });
}

/** Warns of servers around the rendered ones, of HTTP or of `stream {}`, that lead to services or to the gateway's own
 * sockets without the policy. Servers that have the name of a host or its file are reported with this host. */
export function bypasses(tree: ConfTree, policy: Policy): readonly Warning[] {
  const hosts = new Set(policy.hosts.map(({ name }) => name));
  const isUpstream = ({ name }: ConfNode) => name === 'upstream';
  const http = tree.servers
    .filter(({ inner, names, hostFiles }) => !inner && hostFiles.length === 0 && !names.some((it) => hosts.has(it)))
    .filter(({ sockets }) => !isLocal(sockets))
    .flatMap(({ body }) => ofServer(body, tree.http.filter(isUpstream), policy, tree));
  const stream = tree.main.filter(({ name }) => name === 'stream').flatMap(({ block = [] }) => block);
  const streams = stream
    .filter(({ name }) => name === 'server')
    .flatMap(({ block = [] }) => ofServer(block, stream.filter(isUpstream), policy, tree));
  return [...http, ...streams];
}
