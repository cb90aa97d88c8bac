import { HEADER_LINE_BYTES } from '../../limits.ts';
import type { Policy } from '../../policy/types.ts';
import { readsAddresses } from './budgets.ts';
import type { Read } from './inspect-read.ts';
import { defaultServer, effective, everywhere, type Server, type Tree } from './inspect-tree.ts';
import { type ReadText, type Warning, warn } from './inspect-types.ts';

function talksTooMuch({ args }: Read): boolean {
  return args.slice(1).some((level) => /^(info|debug(_\w+)?)$/.test(level));
}

/** Error logs that receive whole request headers of the rendered hosts, tokens included. */
export function errorLogs(tree: Tree, ours: readonly Server[]): readonly Warning[] {
  const defaults = ours.flatMap(({ sockets }) => sockets.map((socket) => defaultServer(tree, socket)));
  const servers = new Set([...ours, ...defaults.filter((one) => one !== undefined)]);
  const logs = new Set(effective('error_log', tree.http, tree.main));
  for (const { body } of servers) {
    for (const log of effective('error_log', body, tree.http, tree.main)) logs.add(log);
  }
  for (const { body } of ours) {
    for (const log of everywhere(body)) if (log.name === 'error_log') logs.add(log);
  }
  return [...logs]
    .filter(talksTooMuch)
    .map((log) =>
      warn(
        log,
        `"error_log … ${log.args.slice(1).join(' ')}" writes whole request headers into the log, tokens included`,
        'notice or a level above it',
      ),
    );
}

function bytes(size: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([kKmM]?)$/.exec(size) ?? [];
  const factor = unit === '' ? 1 : unit.toLowerCase() === 'k' ? 1024 : 1024 * 1024;
  return digits === '' ? Number.NaN : Number(digits) * factor;
}

/** A default server that reads header lines in another way than the rendered servers. */
export function defaultServers(tree: Tree, ours: readonly Server[]): readonly Warning[] {
  const seen = new Set<Read>();
  return ours.flatMap(({ sockets }) =>
    sockets.flatMap((socket) => {
      const other = defaultServer(tree, socket);
      if (other === undefined || ours.includes(other)) return [];
      const said = (name: string, wrong: (args: readonly string[]) => boolean): Read | undefined => {
        const found = effective(name, other.body, tree.http).at(-1);
        if (found === undefined || seen.has(found) || !wrong(found.args)) return undefined;
        seen.add(found);
        return found;
      };
      const where = `the default server of ${socket} (${other.node.file}:${other.node.line}), which reads the header lines of the policy's hosts too until it knows the host`;
      const underscores = said('underscores_in_headers', ([value]) => value === 'on');
      const invalid = said('ignore_invalid_headers', ([value]) => value === 'off');
      const small = said('large_client_header_buffers', ([, size = '']) => bytes(size) < HEADER_LINE_BYTES);
      return [
        ...(underscores === undefined
          ? []
          : [
              warn(
                underscores,
                `underscores_in_headers on counts in ${where}: a client's X_Forwarded_User may reach a service as X-Forwarded-User`,
                'underscores_in_headers off; there',
              ),
            ]),
        ...(invalid === undefined
          ? []
          : [
              warn(
                invalid,
                `ignore_invalid_headers off counts in ${where}: names that are no names reach the services`,
                'ignore_invalid_headers on; there',
              ),
            ]),
        ...(small === undefined
          ? []
          : [
              warn(
                small,
                `large_client_header_buffers counts in ${where}: long tokens are refused there before anything is decided`,
                'large_client_header_buffers 4 32k; there',
              ),
            ]),
      ];
    }),
  );
}

/** Settings outside the policy about trusted proxies, if the policy decides or counts by addresses. */
export function proxies(tree: Tree, ours: readonly Server[], policy: Policy): readonly Warning[] {
  if (!readsAddresses({ policy })) return [];
  const own = (nodes: readonly Read[]) =>
    nodes.filter(({ name, file }) => name === 'set_real_ip_from' && tree.kind(file) === 'other');
  const instead = 'gateway.trusted_proxies, with the addresses of the proxies alone';
  return [
    ...ours.flatMap(({ body }) =>
      own(body).map((node) =>
        warn(
          node,
          `set_real_ip_from ${node.args.join(' ')} counts beside gateway.trusted_proxies: each address in it can claim to be any other, and the policy decides or counts by addresses`,
          instead,
        ),
      ),
    ),
    ...(policy.gateway.trustedProxies.length > 0
      ? []
      : own(tree.http).map((node) =>
          warn(
            node,
            `set_real_ip_from ${node.args.join(' ')} does not count for the hosts of the policy, which decides or counts by addresses: behind a proxy all clients have its address`,
            instead,
          ),
        )),
  ];
}

/** Commands of OpenSSL that set CAs; the rendered files cannot reset them. */
const VERIFY_CA = /^VerifyCA(File|Path|Store)$/i;

/** CAs with which OpenSSL verifies clients instead of the policy's. */
export function clientCas(tree: Tree, ours: readonly Server[], policy: Policy): readonly Warning[] {
  if (policy.gateway.inner === undefined && !policy.hosts.some(({ clientCaFile }) => clientCaFile !== undefined))
    return [];
  return [tree.http, ...ours.map(({ body }) => body)]
    .flat()
    .filter(({ name, args: [command = ''] }) => name === 'ssl_conf_command' && VERIFY_CA.test(command))
    .map((node) =>
      warn(
        node,
        `ssl_conf_command ${node.args.join(' ')} verifies certificates of clients by other CAs than the policy's`,
        'client_ca_file in the policy',
      ),
    );
}

/** CAs with which OpenSSL verifies ingresses, services and providers instead of the policy's. */
export function serverCas(tree: Tree, ours: readonly Server[]): readonly Warning[] {
  return [tree.http, ...ours.map(({ body }) => body)]
    .flat()
    .filter(({ name, args: [command = ''] }) => /^(proxy|grpc)_ssl_conf_command$/.test(name) && VERIFY_CA.test(command))
    .map((node) =>
      warn(
        node,
        `${node.name} ${node.args.join(' ')} verifies services, ingresses and providers by other CAs than the policy's`,
        'ca_file in the policy',
      ),
    );
}

/** Scripts and settings of njs that the rendered servers inherit, or that disable TLS. */
export function scripts(tree: Tree, read: ReadText): readonly Warning[] {
  const own = ({ file }: Read) => tree.kind(file) !== 'other';
  const all = everywhere(tree.http).filter((node) => !own(node));
  const engines = all.filter(({ name, args }) => name === 'js_engine' && args[0] === 'njs');
  const folders = tree.http.filter(({ name }) => name === 'js_path').map(({ args }) => args[0] ?? '');
  const old = ({ args }: Read): boolean => {
    const path = args.at(-1) ?? '';
    const paths = path.startsWith('/') ? [path] : folders.map((folder) => `${folder.replace(/\/$/, '')}/${path}`);
    const text = paths.map(read).find((one) => one !== undefined);
    return text === undefined ? engines.length > 0 : /\brequire\s*\(/.test(text);
  };
  return [
    ...engines.map((node) =>
      warn(
        node,
        'js_engine njs: every server inherits the scripts of http {}, and the old engine cannot read meshgate.js: nginx will not start',
        'js_engine qjs, which http.conf says for all of http {}; in old scripts import instead of require()',
      ),
    ),
    ...tree.http
      .filter((node) => node.name === 'js_import' && !own(node) && old(node))
      .map((node) =>
        warn(
          node,
          `js_import ${node.args.join(' ')} at the http level is inherited by the servers of the hosts, and a script for the old engine breaks what runs there: services can set the gateway's cookies`,
          'import instead of require() in the script',
        ),
      ),
    ...all
      .filter(({ name, args }) => name === 'js_fetch_keepalive' && args[0] !== '0')
      .map((node) =>
        warn(
          node,
          'js_fetch_keepalive keeps a connection whose certificate was refused, and the next call uses it unverified',
          'no js_fetch_keepalive',
        ),
      ),
  ];
}

/** For directives that set a variable: the index of the word that names it. */
const MAKERS: Readonly<Record<string, number>> = {
  set: 0,
  auth_request_set: 0,
  js_set: 0,
  js_var: 0,
  perl_set: 0,
  map: 1,
  split_clients: 1,
};

function made({ name, args }: Read): readonly string[] {
  const named = name === 'geo' ? args.at(-1) : args[MAKERS[name] ?? Number.NaN];
  const groups = [name, ...args].flatMap((text) =>
    [...text.matchAll(/\(\?P?[<'](\w+)[>']/g)].map(([, it]) => `$${it}`),
  );
  return named === undefined ? groups : [named, ...groups];
}

/** Variables of the rendered files that other directives set. */
export function variables(tree: Tree): readonly Warning[] {
  return everywhere(tree.http).flatMap((node) =>
    tree.kind(node.file) !== 'other'
      ? []
      : made(node)
          .filter((name) => name.startsWith('$meshgate_'))
          .map((name) =>
            warn(node, `${node.name} changes ${name}, by which the rendered files decide`, 'another variable'),
          ),
  );
}
