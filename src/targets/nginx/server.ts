import { readsAddresses } from './budgets.ts';
import { bare } from './check.ts';
import { block, commented, type Directive, line, literal, regex, template, variable } from './directive.ts';
import type { ConfFile } from './files.ts';
import { modulesOf } from './grpc.ts';
import { strictTransport } from './hide.ts';
import { accessLog } from './log.ts';
import { CHECK_UPSTREAM, JWKS_PATH, REFUSED_PATH } from './names.ts';
import { errorPages } from './proxy.ts';
import { rotationTimes } from './rotation.ts';
import type { Scene } from './scene.ts';

/** An address that no connection has. nginx has no word for trusting no proxy, and would inherit the proxies of the
 * level around it. */
const NO_PROXY = '0.0.0.0/32';

/** The trusted proxies; none, whatever the http level says, if a forged address would matter. */
export function trustedProxies(scene: Scene): readonly Directive[] {
  const { trustedProxies } = scene.policy.gateway;
  if (trustedProxies.length === 0) {
    if (!readsAddresses(scene)) return [];
    return [commented('The address is the connection’s: no header says another.', line('set_real_ip_from', NO_PROXY))];
  }
  return [
    ...trustedProxies.map((range) => line('set_real_ip_from', literal(range))),
    line('real_ip_header', 'X-Forwarded-For'),
    line('real_ip_recursive', 'on'),
  ];
}

/** How nginx reads the lines of a request. For HTTP/1.1 the socket's default server decides until the host is known. */
export const reading: readonly Directive[] = [
  line('underscores_in_headers', 'off'),
  line('ignore_invalid_headers', 'on'),
  line('large_client_header_buffers', '4', '32k'),
  // An open request keeps what it allocates; smaller steps waste less of it.
  line('request_pool_size', '1k'),
];

/** How long certificates of the mesh are kept before their files are read again. */
function certificateCaches(scene: Scene): readonly Directive[] {
  if (scene.identities.length === 0) return [];
  return modulesOf(scene.hosts).map((module) =>
    line(
      `${module}_ssl_certificate_cache`,
      `max=${Math.max(16, 4 * scene.identities.length)}`,
      `valid=${rotationTimes(scene).cache}s`,
      'inactive=60s',
    ),
  );
}

/** The gateway's public keys, for everyone who verifies its assertions. */
const jwks: Directive = block(
  'location',
  ['=', literal(JWKS_PATH)],
  [
    line('auth_request', 'off'),
    line('error_page', '404', '=', '@meshgate_unknown'),
    line('error_page', '500', '502', '503', '504', '=', '@meshgate_down'),
    block('if', [template('(', variable('request_method')), '!~', regex('', '^(GET|HEAD)$)')], [line('return', '404')]),
    line('proxy_pass', literal(`http://${CHECK_UPSTREAM}${JWKS_PATH}`)),
    ...bare,
    line('proxy_connect_timeout', '3s'),
    line('proxy_send_timeout', '3s'),
    line('proxy_read_timeout', '10s'),
    line('proxy_max_temp_file_size', '0'),
    line('proxy_cache', 'off'),
    line('proxy_store', 'off'),
    line('proxy_intercept_errors', 'on'),
  ],
);

/** The file of what the server of each host contains. */
export const serverFile = (scene: Scene): ConfFile => [
  'server.conf',
  [
    line('satisfy', 'all'),
    line('error_page', '401', '=', '@meshgate_refuse'),
    ...errorPages,
    ...reading,
    ...strictTransport(scene),
    line('absolute_redirect', 'off'),
    accessLog(scene),
    ...trustedProxies(scene),
    ...certificateCaches(scene),
    commented(
      'A raw path that could mean another one behind us, or read as one of ours.',
      block(
        'if',
        [template('(', variable('meshgate_odd'), ')')],
        [line('rewrite', regex('', '^'), template(REFUSED_PATH, variable('meshgate_odd'), '?'), 'last')],
      ),
    ),
    ...(scene.policy.gateway.assertion ? [commented('The keys of the signed assertion.', jwks)] : []),
  ],
  'What the server of each host says.',
];
