import { HEADER_LINE_BYTES } from '../../../base/limits.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { readsAddresses } from '../check/address-budgets.ts';
import { allDirectives, type ConfTree, defaultServer, effective, type Server } from './dump.ts';
import { type ConfNode, type ReadText, type Warning, warnAll } from './read.ts';

const talksTooMuch = ({ args }: ConfNode): boolean =>
  args.slice(1).some((level) => /^(info|debug(_\w+)?)$/.test(level));

/** Warns of error logs into which nginx writes whole request headers of the rendered hosts, including tokens. */
function errorLogs(tree: ConfTree, ours: readonly Server[]): readonly Warning[] {
  const defaults = ours.flatMap(({ sockets }) => sockets.map((socket) => defaultServer(tree, socket)));
  const servers = new Set([...ours, ...defaults.filter((one) => one !== undefined)]);
  const logs = new Set(effective('error_log', tree.http, tree.main));
  for (const { body } of servers) {
    for (const log of effective('error_log', body, tree.http, tree.main)) logs.add(log);
  }
  for (const { body } of ours) {
    for (const log of allDirectives(body)) if (log.name === 'error_log') logs.add(log);
  }
  return warnAll(
    [...logs].filter(talksTooMuch),
    ({ args }) => `"error_log … ${args.slice(1).join(' ')}" writes whole request headers and tokens into the log`,
    'notice or a level above it',
  );
}

/** Variables with which a reader of the log could impersonate a caller: tokens, cookies, URLs of a sign-in. */
const CREDENTIALS = /\$\{?(http_cookie|http_authorization|sent_http_set_cookie|sent_http_location)\b/;

/** Warns of other access logs of the rendered servers whose lines contain credentials. */
function accessLogs(tree: ConfTree, ours: readonly Server[]): readonly Warning[] {
  const formats = new Map(
    tree.http.filter(({ name }) => name === 'log_format').map((node) => [node.args[0] ?? '', node] as const),
  );
  const logs = ours
    .flatMap(({ body }) => allDirectives(body))
    .filter(({ name, file }) => name === 'access_log' && tree.kind(file) === 'other');
  const used = new Set(
    logs.map(({ args }) => formats.get(args[1] ?? '')).filter((one): one is ConfNode => one !== undefined),
  );
  const credentialIn = ({ args }: ConfNode) => CREDENTIALS.exec(args.slice(1).join(' '))?.[1];
  return warnAll(
    [...used].filter((format) => credentialIn(format) !== undefined),
    (format) =>
      `log_format ${format.args[0]} writes $${credentialIn(format)} of the policy's hosts into a log: a reader of the log could use this credential`,
    'a format without this variable; the log of the rendered files names the caller',
  );
}

function bytes(size: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([kKmM]?)$/.exec(size) ?? [];
  const factor = unit === '' ? 1 : unit.toLowerCase() === 'k' ? 1024 : 1024 * 1024;
  return digits === '' ? Number.NaN : Number(digits) * factor;
}

/** Directives for reading header lines, and what is wrong if a value differs. The place follows after "in". */
const READING = [
  {
    name: 'underscores_in_headers',
    wrong: ([value]: readonly string[]) => value === 'on',
    text: "underscores_in_headers on applies in : a client's X_Forwarded_User may reach a service as X-Forwarded-User",
    instead: 'underscores_in_headers off; there',
  },
  {
    name: 'ignore_invalid_headers',
    wrong: ([value]: readonly string[]) => value === 'off',
    text: 'ignore_invalid_headers off applies in : invalid names reach the services',
    instead: 'ignore_invalid_headers on; there',
  },
  {
    name: 'large_client_header_buffers',
    wrong: ([, size = '']: readonly string[]) => bytes(size) < HEADER_LINE_BYTES,
    text: 'large_client_header_buffers applies in : nginx refuses long tokens there, before the check',
    instead: 'large_client_header_buffers 4 32k; there',
  },
];

/** Warns of a default server that reads header lines in another way than the rendered servers. */
function defaultServers(tree: ConfTree, ours: readonly Server[]): readonly Warning[] {
  const seen = new Set<ConfNode>();
  return ours.flatMap(({ sockets }) =>
    sockets.flatMap((socket) => {
      const other = defaultServer(tree, socket);
      if (other === undefined || ours.includes(other)) return [];
      const where = `the default server of ${socket} (${other.node.file}:${other.node.line}), which also reads the header lines of requests for the policy's hosts, until nginx knows the host`;
      return READING.flatMap(({ name, wrong, text, instead }) => {
        const found = effective(name, other.body, tree.http)
          .slice(-1)
          .filter((one) => !seen.has(one) && wrong(one.args));
        for (const one of found) seen.add(one);
        return warnAll(found, () => text.replace(' in ', ` in ${where}`), instead);
      });
    }),
  );
}

/** Warns of trusted proxies outside the rendered files, if the policy decides or counts by addresses. */
function proxies(tree: ConfTree, ours: readonly Server[], policy: Policy): readonly Warning[] {
  if (!readsAddresses({ policy })) return [];
  const own = (nodes: readonly ConfNode[]) =>
    nodes.filter(({ name, file }) => name === 'set_real_ip_from' && tree.kind(file) === 'other');
  const instead = 'gateway.trusted_proxies, with only the addresses of the proxies';
  return [
    ...warnAll(
      ours.flatMap(({ body }) => own(body)),
      ({ args }) =>
        `set_real_ip_from ${args.join(' ')} applies in addition to gateway.trusted_proxies: each address in this range can claim any other address, and the policy decides or counts by addresses`,
      instead,
    ),
    ...warnAll(
      policy.gateway.trustedProxies.length > 0 ? [] : own(tree.http),
      ({ args }) =>
        `set_real_ip_from ${args.join(' ')} has no effect for the hosts of the policy, which decides or counts by addresses: all clients behind a proxy have the address of the proxy`,
      instead,
    ),
  ];
}

/** Commands of OpenSSL that set CAs. The rendered files cannot reset these. */
const VERIFY_CA = /^VerifyCA(File|Path|Store)$/i;

interface CaCommand {
  readonly name: RegExp;
  readonly whose: string;
  /** The key of the policy that sets the CAs. */
  readonly instead: string;
}

/** Warns of commands with which OpenSSL verifies certificates with other CAs than those of the policy. */
function cas(tree: ConfTree, ours: readonly Server[], { name, whose, instead }: CaCommand): readonly Warning[] {
  return warnAll(
    [tree.http, ...ours.map(({ body }) => body)]
      .flat()
      .filter((node) => name.test(node.name) && VERIFY_CA.test(node.args[0] ?? '')),
    (node) => `${node.name} ${node.args.join(' ')} verifies ${whose} with other CAs than those of the policy`,
    instead,
  );
}

/** Warns of such commands about clients, if a host or the inner listener requests certificates. */
const clientCas = (tree: ConfTree, ours: readonly Server[], { gateway, hosts }: Policy): readonly Warning[] =>
  gateway.inner === undefined && hosts.every(({ clientCaFile }) => clientCaFile === undefined)
    ? []
    : cas(tree, ours, {
        name: /^ssl_conf_command$/,
        whose: 'certificates of clients',
        instead: 'client_ca_file in the policy',
      });

/** Warns of such commands about ingresses, services and providers. */
const serverCas = (tree: ConfTree, ours: readonly Server[]): readonly Warning[] =>
  cas(tree, ours, {
    name: /^(proxy|grpc)_ssl_conf_command$/,
    whose: 'services, ingresses and providers',
    instead: 'ca_file in the policy',
  });

/** Warns of scripts and settings of njs that the rendered servers inherit, or that disable TLS. */
function scripts(tree: ConfTree, ours: readonly Server[], read: ReadText): readonly Warning[] {
  const own = ({ file }: ConfNode) => tree.kind(file) !== 'other';
  const all = allDirectives(tree.http).filter((node) => !own(node));
  const engines = all.filter(({ name, args }) => name === 'js_engine' && args[0] === 'njs');
  const folders = tree.http.filter(({ name }) => name === 'js_path').map(({ args }) => args[0] ?? '');
  const old = ({ args }: ConfNode): boolean => {
    const path = args.at(-1) ?? '';
    const paths = path.startsWith('/') ? [path] : folders.map((folder) => `${folder.replace(/\/$/, '')}/${path}`);
    const text = paths.map(read).find((one) => one !== undefined);
    return text === undefined ? engines.length > 0 : /\brequire\s*\(/.test(text);
  };
  return [
    ...warnAll(
      engines,
      () =>
        'js_engine njs: every server inherits the scripts of http {}, and the old engine cannot read meshgate.js: nginx will not start',
      'js_engine qjs, which http.conf sets for all of http {}; in old scripts, import instead of require()',
    ),
    ...warnAll(
      [tree.http, ...ours.map(({ body }) => body)]
        .flat()
        .filter((node) => node.name === 'js_import' && !own(node) && old(node)),
      ({ args }) =>
        `the servers of the hosts have js_import ${args.join(' ')}, and a script for the old engine breaks the gateway's scripts there: services can set the gateway's cookies`,
      'import instead of require() in the script',
    ),
    ...warnAll(
      all.filter(({ name, args }) => name === 'js_fetch_keepalive' && args[0] !== '0'),
      () =>
        'js_fetch_keepalive keeps a connection whose certificate was rejected, and the next call uses it unverified',
      'no js_fetch_keepalive',
    ),
  ];
}

/** The findings about `http {}` and the servers with rendered files. */
export const inHttp = (tree: ConfTree, ours: readonly Server[], policy: Policy, read: ReadText): readonly Warning[] => [
  ...errorLogs(tree, ours),
  ...accessLogs(tree, ours),
  ...scripts(tree, ours, read),
  ...defaultServers(tree, ours),
  ...proxies(tree, ours, policy),
  ...clientCas(tree, ours, policy),
  ...serverCas(tree, ours),
];
