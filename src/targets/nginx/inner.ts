import { KEYS_JOB_INTERVAL_S, MAX_DOCUMENT_BYTES, PROVIDER_TIMEOUT_MS } from '../../limits.ts';
import { block, commented, type Directive, line, literal, row } from './directive.ts';
import { type ConfFile, included } from './files.ts';
import { CHECK_PATH, HOP_PATH, JWKS_PATH } from './names.ts';
import { questionLocations } from './questions.ts';
import type { Scene } from './scene.ts';
import { handlerLocations } from './signin.ts';
import { checkSocket } from './upstreams.ts';

/** Switches off directives that an operator may set at the http level for every server. nginx cannot switch off error
 * pages. But an error page for an unused status prevents that others are inherited, which would replace the gateway's
 * refusals. */
const apart: readonly Directive[] = row(
  'auth_request off; auth_basic off; allow all; error_page 418 /',
  'what the http level says does not count here',
);

/** The file with the directives that the servers behind the unix sockets share. */
export const insideFile: ConfFile = [
  'inside.conf',
  [
    line('js_engine', 'qjs'),
    ...apart,
    ...row('access_log off; underscores_in_headers off'),
    block('location', ['/'], [line('return', '404')]),
  ],
  'What the servers behind the unix sockets have in common.',
];

/** The server behind `auth_request`, where the JavaScript runs. Other servers run JavaScript only for a service's
 * response that mentions a cookie of the gateway. */
export function checkServer(scene: Scene): Directive {
  return commented(
    'The check. Only nginx reaches it: the folder of the socket keeps other users of the machine out.',
    block(
      'server',
      [],
      [
        line('listen', literal(`unix:${checkSocket(scene.options)}`), 'backlog=4096'),
        included(scene, 'inside.conf'),
        // Only this server loads the module.
        line('js_import', 'meshgate', 'from', 'meshgate.js'),
        ...row(
          'client_header_buffer_size 8k; large_client_header_buffers 4 160k',
          'room for the largest request that a host accepts',
        ),
        ...row('keepalive_requests 100000; keepalive_timeout 120s'),
        ...row([
          line('js_fetch_timeout', `${PROVIDER_TIMEOUT_MS}ms`),
          line('js_fetch_max_response_buffer_size', String(MAX_DOCUMENT_BYTES)),
        ]),
        block('location', ['^~', literal(CHECK_PATH)], [line('js_content', 'meshgate.check')]),
        ...(scene.policy.gateway.inner
          ? [
              block(
                'location',
                ['^~', literal(HOP_PATH)],
                // Only this location loads the module, so that the other checks do not.
                [line('js_import', 'hop', 'from', 'hop.js'), line('js_content', 'hop.check')],
              ),
            ]
          : []),
        ...(scene.policy.gateway.assertion
          ? [block('location', ['=', literal(JWKS_PATH)], [line('js_content', 'meshgate.jwks')])]
          : []),
        block(
          'location',
          ['@meshgate_keys'],
          [line('js_periodic', 'meshgate.keys', `interval=${KEYS_JOB_INTERVAL_S}s`)],
        ),
        ...questionLocations(scene),
        ...handlerLocations(scene),
      ],
    ),
  );
}
