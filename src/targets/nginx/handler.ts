import { FROM_HANDLER, TO_HANDLER } from '../../internal-headers.ts';
import { commented, type Directive, fixed, key, line, literal, map, row, variable } from './directive.ts';
import { ignoresAccel, timeouts, unstored } from './module.ts';
import { requestHeader } from './names.ts';
import type { Scene, SceneHost } from './scene.ts';
import { hasSessions, hostName } from './session.ts';

const passed = (...names: readonly string[]): readonly Directive[] =>
  names.map((name) => line('proxy_set_header', name, requestHeader(name)));

/** Sends the host of the request to the handler. It is set in the file of the host, at the same level as {@link
 * toHandler}. */
export const handlerHost = (host: SceneHost): Directive => line('proxy_set_header', TO_HANDLER.host, hostName(host));

/** The headers that every handler receives. */
export const told: readonly Directive[] = [
  ...fixed('proxy_set_header Host meshgate; proxy_set_header Connection close'),
  line('proxy_set_header', TO_HANDLER.requestId, variable('request_id')),
  line('proxy_set_header', TO_HANDLER.navigation, variable('meshgate_navigation')),
  ...passed('Accept', 'Accept-Language'),
];

/** The directives for a request to a handler. The request has only the headers that are set here and in the same
 * location. nginx never sends it twice, because a call can use up a code. */
export const toHandler: readonly Directive[] = [
  ...fixed('proxy_http_version 1.1; proxy_pass_request_headers off'),
  ...told,
  ...timeouts('3s', '5s', '30s'),
  line('proxy_next_upstream', 'off'),
];

/** The additional headers for endpoints. The `Cookie` header contains only the gateway's own cookies. If these stand
 * among others in an unusual order, it contains all cookies. */
export const asked: readonly Directive[] = [
  line('proxy_set_header', TO_HANDLER.query, variable('args')),
  line('proxy_set_header', 'Cookie', variable('meshgate_cookie_signin')),
  ...passed('Content-Type', 'Origin', 'Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'Sec-Purpose'),
];

/** How nginx passes on the response of a handler: unchanged, and never from a cache. It must not be stored, unless the
 * handler says otherwise. */
export const fromHandler: readonly Directive[] = [
  ...row(
    'proxy_buffer_size 32k; proxy_buffers 4 32k',
    'room for the cookies of eight attempts and a session, and the longest URL of a provider',
  ),
  line('proxy_max_temp_file_size', '0'),
  // If a handler threw an error, its response is replaced.
  ...fixed('proxy_intercept_errors on; proxy_redirect off'),
  // The log needs this header; clients do not receive it.
  line('proxy_hide_header', FROM_HANDLER.reason),
  ...unstored,
  ...ignoresAccel(),
  line('add_header', 'Cache-Control', variable('meshgate_handler_cache'), 'always'),
  line('add_header', 'Referrer-Policy', variable('meshgate_handler_referrer'), 'always'),
  line('add_header', 'X-Content-Type-Options', variable('meshgate_handler_sniff'), 'always'),
];

const unlessSaid = (header: string, name: string, value: string): Directive =>
  map(variable(`upstream_http_${header}`), name, [
    [key(''), value],
    ['default', literal('')],
  ]);

/** The headers that a handler's response has by default. */
export const handlerMaps = (scene: Scene): readonly Directive[] =>
  hasSessions(scene)
    ? [
        commented(
          'Headers that answers of the sign-in get, unless its JavaScript sets them.',
          unlessSaid('cache_control', 'meshgate_handler_cache', 'no-store'),
        ),
        unlessSaid('referrer_policy', 'meshgate_handler_referrer', 'no-referrer'),
        unlessSaid('x_content_type_options', 'meshgate_handler_sniff', 'nosniff'),
      ]
    : [];
