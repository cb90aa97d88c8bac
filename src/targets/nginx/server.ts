import { readsAddresses } from './budgets.ts';
import { bare } from './check.ts';
import { block, commented, type Directive, fixed, line, literal, regex, row, template, variable } from './directive.ts';
import type { ConfFile } from './files.ts';
import { strictTransport } from './hide.ts';
import { accessLog } from './log.ts';
import { modulesOf, timeouts, unstored } from './module.ts';
import { CHECK_UPSTREAM, JWKS_PATH, REFUSED_PATH } from './names.ts';
import { errorPages } from './proxy.ts';
import { rotationTimes } from './rotation.ts';
import type { Scene } from './scene.ts';

/** An address that no connection has. It means that no proxy is trusted: nginx has no word for this, and would inherit
 * the proxies of the outer level. */
const NO_PROXY = '0.0.0.0/32';

/** The trusted proxies. If there are none and a forged address would matter, no proxy is trusted, whatever the http
 * level says. */
export function trustedProxies(scene: Scene): readonly Directive[] {
  const { trustedProxies } = scene.policy.gateway;
  if (trustedProxies.length === 0) {
    if (!readsAddresses(scene)) return [];
    return row([line('set_real_ip_from', NO_PROXY)], 'no header may change the address of the client');
  }
  return [
    ...trustedProxies.map((range) => line('set_real_ip_from', literal(range))),
    ...row('real_ip_header X-Forwarded-For; real_ip_recursive on'),
  ];
}

/** How nginx reads the lines of a request. For HTTP/1.1, the default server of the socket decides this until the host
 * is known. */
export const reading: readonly Directive[] = [
  ...row(
    'underscores_in_headers off; ignore_invalid_headers on',
    'X_Forwarded_User must not count as X-Forwarded-User',
  ),
  ...row('large_client_header_buffers 4 32k', 'for long tokens'),
  ...row('request_pool_size 1k', 'less memory for open requests'),
];

/** How long nginx keeps certificates of the mesh before it reads their files again. */
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

/** The location with the gateway's public keys. Anyone may use them to verify its assertions. */
const jwks: Directive = block(
  'location',
  ['=', literal(JWKS_PATH)],
  [
    ...fixed('auth_request off; error_page 404 = @meshgate_unknown; error_page 500 502 503 504 = @meshgate_down'),
    block('if', [template('(', variable('request_method')), '!~', regex('', '^(GET|HEAD)$)')], [line('return', '404')]),
    line('proxy_pass', literal(`http://${CHECK_UPSTREAM}${JWKS_PATH}`)),
    ...bare,
    ...timeouts('3s', '3s', '10s'),
    ...row('proxy_max_temp_file_size 0; proxy_intercept_errors on'),
    ...unstored,
  ],
);

/** The file with the directives that the server of each host contains. */
export const serverFile = (scene: Scene): ConfFile => [
  'server.conf',
  [
    ...row('satisfy all', 'an outer "satisfy any" must not open a location'),
    ...row([line('error_page', '401', '=', '@meshgate_refuse'), ...errorPages]),
    ...reading,
    ...strictTransport(scene),
    ...row('absolute_redirect off', 'no redirect contains a host name from the client'),
    accessLog(scene),
    ...trustedProxies(scene),
    ...certificateCaches(scene),
    commented(
      'Reject paths that a service could read in another way, or that look like paths of the gateway.',
      block(
        'if',
        [template('(', variable('meshgate_odd'), ')')],
        [line('rewrite', regex('', '^'), template(REFUSED_PATH, variable('meshgate_odd'), '?'), 'last')],
      ),
    ),
    ...(scene.policy.gateway.assertion ? [commented('The public keys of the signed assertion.', jwks)] : []),
  ],
  'What the servers of all hosts have in common.',
];
