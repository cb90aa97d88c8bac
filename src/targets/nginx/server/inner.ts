import { KEYS_JOB_INTERVAL_S, MAX_DOCUMENT_BYTES, PROVIDER_TIMEOUT_MS } from '../../../base/limits.ts';
import type { Context } from '../render-context.ts';
import { handlerLocations } from '../signin/signin.ts';
import { conf, type Directive } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { CHECK_PATH, CONTROLLER_CHECK_PATH, HOP_PATH, JWKS_PATH } from '../text/names.ts';
import { providerCallLocations } from '../upstream/provider-call-locations.ts';
import { checkSocket } from '../upstream/upstream-blocks.ts';
import { scripts } from './controller.ts';
import { countsTime } from './counts.ts';

/** The file with the directives that the servers behind the unix sockets share. The first line switches off directives
 * that an operator may set at the http level for every server. nginx cannot switch off error pages. But an error page
 * for an unused status prevents the inheritance of others, which would replace the gateway's refusals. */
export const insideFile = (context: Context): ConfFile => [
  'inside.conf',
  conf`
    ${context.options.inController ? scripts(context) : conf`js_engine qjs;`}
    auth_request off; auth_basic off; allow all; error_page 418 /; # overrides directives of the http level
    access_log off; underscores_in_headers off;
    location / { return 404; }
  `,
  'Directives that the servers behind the unix sockets share.',
];

/** The body of a request to the check has credentials: room for the largest ones, and no file. */
const credential = conf`client_max_body_size 160k; client_body_buffer_size 160k; client_body_in_file_only off;`;

/** The server behind `auth_request`, where the JavaScript runs. Other servers run JavaScript only for a service's
 * response that mentions a cookie of the gateway. Each module is loaded only where it runs. */
export function checkServer(context: Context, declared: readonly Directive[]): readonly Directive[] {
  const { inner, assertion } = context.policy.gateway;
  const hop = conf`
    location ^~ ${HOP_PATH} {
      js_import hop from hop.js;
      js_content hop.check;
    }
  `;
  return conf`
    # The check. Only nginx reaches it: other users of the machine cannot enter the folder of the socket.
    server {
      listen unix:${checkSocket(context.options)} backlog=4096;
      ${included(context, 'inside.conf')}
      js_import meshgate from meshgate.js;
      client_header_buffer_size 8k; large_client_header_buffers 4 160k; # room for the largest request that a host accepts
      keepalive_requests 100000; keepalive_timeout 120s;
      request_pool_size 8k; # a check needs one piece of memory
      js_fetch_timeout ${PROVIDER_TIMEOUT_MS}ms; js_fetch_max_response_buffer_size ${MAX_DOCUMENT_BYTES};
      js_set $meshgate_check_counted meshgate.slow;
      location ^~ ${CHECK_PATH} { js_content meshgate.check; ${countsTime} ${credential} }
      ${context.options.inController && conf`location ^~ ${CONTROLLER_CHECK_PATH} { js_content meshgate.check; ${countsTime} ${credential} }`}
      ${inner && hop}
      ${assertion && conf`location = ${JWKS_PATH} { js_content meshgate.jwks; }`}
      location @meshgate_keys { js_periodic meshgate.keys interval=${KEYS_JOB_INTERVAL_S}s; }
      ${providerCallLocations(context)}
      ${handlerLocations(context)}
      ${declared}
    }
  `;
}
