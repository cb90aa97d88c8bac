import { FROM_HANDLER, TO_HANDLER } from '../../internal-headers.ts';
import { commented, type Directive, fixed, key, line, literal, map, row, variable } from './directive.ts';
import { ignoresAccel, timeouts, unstored } from './module.ts';
import { requestHeader } from './names.ts';
import type { Scene, SceneHost } from './scene.ts';
import { hasSessions, hostName } from './session.ts';

const passed = (...names: readonly string[]): readonly Directive[] =>
  names.map((name) => line('proxy_set_header', name, requestHeader(name)));

/** The host of the request. It stands in the file of the host, at the level of {@link toHandler}. */
export const handlerHost = (host: SceneHost): Directive => line('proxy_set_header', TO_HANDLER.host, hostName(host));

/** Headers that every handler receives. */
export const told: readonly Directive[] = [
  ...fixed('proxy_set_header Host meshgate; proxy_set_header Connection close'),
  line('proxy_set_header', TO_HANDLER.requestId, variable('request_id')),
  line('proxy_set_header', TO_HANDLER.navigation, variable('meshgate_navigation')),
  ...passed('Accept', 'Accept-Language'),
];

/** A request to a handler has only the headers that are set here and beside it. It is never sent twice, because one
 * call uses up a code. */
export const toHandler: readonly Directive[] = [
  ...fixed('proxy_http_version 1.1; proxy_pass_request_headers off'),
  ...told,
  ...timeouts('3s', '5s', '30s'),
  line('proxy_next_upstream', 'off'),
];

/** Additional headers for endpoints. Of `Cookie` only the gateway's own cookies, unless they stand among others in an
 * unusual order. */
export const asked: readonly Directive[] = [
  line('proxy_set_header', TO_HANDLER.query, variable('args')),
  line('proxy_set_header', 'Cookie', variable('meshgate_cookie_signin')),
  ...passed('Content-Type', 'Origin', 'Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'Sec-Purpose'),
];

/** How a handler's response is passed on: unchanged, never from a cache, and not stored unless it says so. */
export const fromHandler: readonly Directive[] = [
  ...row(
    'proxy_buffer_size 32k; proxy_buffers 4 32k',
    'room for the cookies of eight attempts and a session, and the longest URL of a provider',
  ),
  line('proxy_max_temp_file_size', '0'),
  // The response of a handler that threw is replaced.
  ...fixed('proxy_intercept_errors on; proxy_redirect off'),
  // For the log.
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

/** Default headers of a handler's response. */
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
