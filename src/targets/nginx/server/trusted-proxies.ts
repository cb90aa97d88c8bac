import { readsAddresses } from '../check/address-budgets.ts';
import { bare, bodiless } from '../check/server.ts';
import type { Context } from '../render-context.ts';
import { hideEverywhere } from '../route/hide.ts';
import { modulesOf, timeouts, unstored } from '../route/module.ts';
import { errorPages } from '../route/proxy.ts';
import { conf, type Directive } from '../text/directive.ts';
import type { ConfFile } from '../text/files.ts';
import { CHECK_UPSTREAM, JWKS_PATH, REFUSED_PATH } from '../text/names.ts';
import { rotationTimes } from '../upstream/upstream-blocks.ts';
import { hostScripts } from './controller.ts';
import { accessLog } from './log.ts';
import { strangersAnywhere, strangersBody, tooLarge } from './strangers.ts';

/** The trusted proxies. If there are none and a forged address would matter, no proxy is trusted, whatever the http
 * level says. nginx has no keyword for this, so the directive names an address that no connection has. */
export function trustedProxyDirectives(context: Context): readonly Directive[] {
  const { trustedProxies } = context.policy.gateway;
  if (trustedProxies.length === 0) {
    if (!readsAddresses(context)) return [];
    return conf`set_real_ip_from 0.0.0.0/32; # no header may change the address of the client`;
  }
  return conf`
    ${trustedProxies.flatMap((range) => conf`set_real_ip_from ${range};`)}
    real_ip_header X-Forwarded-For; real_ip_recursive on;
  `;
}

/** How nginx reads lines of a request. For HTTP/1.1, the default server decides this until the host is known. */
export const requestReading = conf`
  underscores_in_headers off; ignore_invalid_headers on; # X_Forwarded_User must not count as X-Forwarded-User
  large_client_header_buffers 4 32k; # for long tokens
`;

/** How long nginx keeps certificates of the mesh before it reads their files again. */
function certificateCaches(context: Context): readonly Directive[] {
  if (context.identities.length === 0) return [];
  const max = Math.max(16, 4 * context.identities.length);
  return modulesOf(context.hosts).flatMap(
    (module) => conf`${module}_ssl_certificate_cache max=${max} valid=${rotationTimes(context).cache}s inactive=60s;`,
  );
}

/** The location with the gateway's public keys. Anyone may use them to verify its assertions. */
const jwks = conf`
  # The public keys of the signed assertion.
  location = ${JWKS_PATH} {
    auth_request off;
    error_page 404 = @meshgate_unknown;
    error_page 500 502 503 504 = @meshgate_down;
    ${tooLarge}
    if ($request_method !~ ^(GET|HEAD)$) { return 404; }
    proxy_pass http://${CHECK_UPSTREAM}${JWKS_PATH};
    ${bare}
    ${bodiless}
    ${timeouts('3s', '3s', '10s')}
    proxy_max_temp_file_size 0; proxy_intercept_errors on;
    ${strangersBody}
    ${unstored}
  }
`;

/** The file with the directives that the server of each host contains. */
export const serverFile = (context: Context): ConfFile => [
  'server.conf',
  conf`
    ${hostScripts(context)}
    satisfy all; # an outer "satisfy any" must not open a location
    error_page 401 = @meshgate_refuse; ${errorPages}
    ${requestReading}
    ${strangersAnywhere(context)}
    ${hideEverywhere(context)}
    absolute_redirect off; # no redirect contains a host name from the client
    ${accessLog(context)}
    ${trustedProxyDirectives(context)}
    ${certificateCaches(context)}
    # Reject paths that a service could read in another way, or that look like paths of the gateway.
    if ($meshgate_odd) { rewrite ^ ${REFUSED_PATH}$meshgate_odd? last; }
    ${context.policy.gateway.assertion && jwks}
  `,
  'Directives that the servers of all hosts share.',
];
