import { FROM_HANDLER, TO_HANDLER } from '../../../base/internal-headers.ts';
import type { Context, HostContext } from '../render-context.ts';
import { forgottenReports } from '../route/hide.ts';
import { ignoresAccel, timeouts, unstored } from '../route/module.ts';
import { hasSessions, hostNameArg } from '../signin/sessions.ts';
import { conf, type Directive, line } from '../text/directive.ts';
import { requestHeader } from '../text/names.ts';

const passed = (...names: readonly string[]): readonly Directive[] =>
  names.map((name) => line('proxy_set_header', name, requestHeader(name)));

/** Sends the host of the request to the handler. It is set in the host's file, at the level of {@link toHandler}. */
export const handlerHost = (host: HostContext) => conf`proxy_set_header ${TO_HANDLER.host} ${hostNameArg(host)};`;

/** The headers that every handler receives. */
export const handlerHeaders = conf`
  proxy_set_header Host meshgate;
  proxy_set_header Connection close;
  proxy_set_header ${TO_HANDLER.requestId} $request_id;
  proxy_set_header ${TO_HANDLER.navigation} $meshgate_navigation;
  ${passed('Accept', 'Accept-Language')}
`;

/** The directives for a request to a handler. The request has only the headers that are set here and in the same
 * location. nginx never sends it twice, because a call can use up a code.
 * @param read how long nginx waits for the response, in seconds */
export const toHandler = (read = 30) => conf`
  proxy_http_version 1.1;
  proxy_pass_request_headers off;
  ${handlerHeaders}
  ${timeouts('3s', '5s', `${read}s`)}
  proxy_next_upstream off;
`;

/** The additional headers for endpoints. The `Cookie` header contains only the gateway's own cookies or, if the request
 * has too many cookies, all of them. */
export const endpointHeaders = conf`
  proxy_set_header ${TO_HANDLER.query} $args;
  proxy_set_header Cookie $meshgate_cookie_signin; proxy_set_header ${TO_HANDLER.serviceCookies} $meshgate_cookie_other;
  ${passed('Content-Type', 'Origin', 'Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'Sec-Purpose')}
`;

/** The policy of each response of the gateway that is no page. In a sandbox it has no origin. So no page of a service on the
 * same host can read its URL from a frame or a window, not even what follows `#`, which no server sees. */
export const SANDBOX = "default-src 'none'; sandbox";

/** How nginx passes on a handler's response: unchanged, never from a cache, and stored only if the response says so. */
export const fromHandler = conf`
  proxy_buffer_size 32k; proxy_buffers 4 32k; # room for the cookies of eight attempts and a session, and the longest URL of a provider
  proxy_max_temp_file_size 0;
  // If a handler threw an error, its response is replaced.
  proxy_intercept_errors on;
  proxy_redirect off;
  // The log needs this header; clients do not receive it.
  proxy_hide_header ${FROM_HANDLER.reason};
  ${unstored}
  ${ignoresAccel()}
  add_header Cache-Control $meshgate_handler_cache always;
  add_header Referrer-Policy $meshgate_handler_referrer always;
  add_header X-Content-Type-Options $meshgate_handler_sniff always; add_header Content-Security-Policy $meshgate_handler_policy always;
  ${forgottenReports}
`;

/** The headers that a handler's response has by default. */
export const handlerMaps = (context: Context): readonly Directive[] =>
  hasSessions(context)
    ? conf`
        # Headers that responses of the sign-in get, unless its JavaScript sets them.
        map $upstream_http_cache_control $meshgate_handler_cache { "" no-store; default ""; }
        map $upstream_http_referrer_policy $meshgate_handler_referrer { "" no-referrer; default ""; }
        map $upstream_http_x_content_type_options $meshgate_handler_sniff { "" nosniff; default ""; }
        map $upstream_http_content_security_policy $meshgate_handler_policy { "" ${SANDBOX}; default ""; }
      `
    : [];
