import { FROM_EGRESS, TO_EGRESS } from '../../internal-headers.ts';
import type { Provider } from '../../policy/types.ts';
import { isAsked } from '../../rules/client-table.ts';
import { MAX_SIGNIN_BODY_BYTES } from '../../session/limits.ts';
import { block, commented, type Directive, key, line, literal, map, regex, template, variable } from './directive.ts';
import { etcdLocations } from './etcd.ts';
import { included } from './files.ts';
import { requestHeader } from './names.ts';
import { hasQuestions } from './questions.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';
import { resolver } from './upstreams.ts';

/** A call is sent once, and its response is passed on unchanged. */
const once: readonly Directive[] = [
  line('proxy_next_upstream', 'off'),
  line('proxy_redirect', 'off'),
  line('proxy_intercept_errors', 'off'),
  line('proxy_cache', 'off'),
  line('proxy_store', 'off'),
  line('proxy_max_temp_file_size', '0'),
  line('proxy_ignore_headers', 'X-Accel-Redirect', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Charset'),
];

/** The address that nginx connected to, which the response itself does not contain. */
const went: readonly Directive[] = [
  line('proxy_hide_header', FROM_EGRESS.reached),
  line('proxy_hide_header', FROM_EGRESS.address),
  line('add_header', FROM_EGRESS.reached, variable('upstream_connect_time'), 'always'),
  line('add_header', FROM_EGRESS.address, variable('upstream_addr'), 'always'),
];

/** Fetches documents by GET. */
const fetched: readonly Directive[] = [
  line('proxy_method', 'GET'),
  line('proxy_http_version', '1.1'),
  line('proxy_pass_request_headers', 'off'),
  line('proxy_pass_request_body', 'off'),
  line('proxy_set_header', 'Host', variable('proxy_host')),
  line('proxy_set_header', 'Connection', 'close'),
  line('proxy_set_header', 'Content-Length', literal('')),
  line('proxy_set_header', 'Accept', 'application/json'),
];

/** Calls as a registered client too: their secrets are in the body or in `Authorization`, never in the URL. */
const called: readonly Directive[] = [
  line('client_max_body_size', `${MAX_SIGNIN_BODY_BYTES >> 10}k`),
  line('client_body_buffer_size', `${MAX_SIGNIN_BODY_BYTES >> 10}k`),
  line('proxy_method', variable('meshgate_egress_method')),
  line('proxy_http_version', '1.1'),
  line('proxy_pass_request_headers', 'off'),
  line('proxy_set_header', 'Host', variable('proxy_host')),
  line('proxy_set_header', 'Connection', 'close'),
  line('proxy_set_header', 'Accept', variable('meshgate_egress_accept')),
  line('proxy_set_header', 'Content-Type', requestHeader(TO_EGRESS.contentType)),
  line('proxy_set_header', 'Authorization', requestHeader(TO_EGRESS.authorization)),
  // Room for cookies and policies that the provider's web server adds.
  line('proxy_buffer_size', '32k'),
  line('proxy_buffers', '8', '32k'),
];

/** The certificate that identifies the client to its provider. The files are variables, so that nginx reads them
 * again. */
function shown({ client }: Provider): readonly Directive[] {
  if (client?.auth.kind !== 'tls_client_auth') return [];
  return [
    line('set', variable('meshgate_client_cert'), literal(client.auth.certFile)),
    line('set', variable('meshgate_client_key'), literal(client.auth.keyFile)),
    line('proxy_ssl_certificate', variable('meshgate_client_cert')),
    line('proxy_ssl_certificate_key', variable('meshgate_client_key')),
  ];
}

/** Whether the gateway is the client of a provider. */
const hasClients = (scene: Scene): boolean => hasSessions(scene) || hasQuestions(scene);

function provider(scene: Scene, one: Provider): Directive {
  const client = one.client !== undefined && (hasSessions(scene) || isAsked(one));
  return block(
    'location',
    ['=', literal(`/${one.name}`)],
    [
      block(
        'if',
        [template('(', requestHeader(TO_EGRESS.url)), '!~', regex('', '^https://[^/@]+/)')],
        [line('return', '400')],
      ),
      line('proxy_pass', requestHeader(TO_EGRESS.url)),
      ...(client ? called : fetched),
      ...went,
      line('proxy_set_header', 'User-Agent', 'meshgate'),
      line('proxy_connect_timeout', '3s'),
      line('proxy_send_timeout', '3s'),
      line('proxy_read_timeout', '4s'),
      ...once,
      line('proxy_ssl_verify', 'on'),
      line('proxy_ssl_verify_depth', '5'),
      line('proxy_ssl_trusted_certificate', literal(one.caFile ?? scene.options.systemCa)),
      line('proxy_ssl_server_name', 'on'),
      line('proxy_ssl_name', variable('proxy_host')),
      line('proxy_ssl_session_reuse', 'off'),
      ...(client ? shown(one) : []),
    ],
  );
}

/** The server for calls to providers: verified TLS, no retries, no redirects, no open connections. */
export function egressServer(scene: Scene): Directive {
  const { options, policy } = scene;
  return commented(
    'Calls to providers. The URL comes from our own JavaScript; only https: leaves.',
    block(
      'server',
      [],
      [
        line('listen', literal(`unix:${options.runDir}/egress.sock`)),
        included(scene, 'inside.conf'),
        ...(hasClients(scene) ? [line('large_client_header_buffers', '4', '32k')] : []),
        ...resolver(scene),
        ...Object.values(policy.providers).map((one) => provider(scene, one)),
        ...etcdLocations(scene, once),
      ],
    ),
  );
}

/** The parameters of a call that the JavaScript may choose. */
export const egressMaps = (scene: Scene): readonly Directive[] =>
  hasClients(scene)
    ? [
        commented(
          'Calls to providers.',
          map(requestHeader(TO_EGRESS.method), 'meshgate_egress_method', [
            ['default', 'GET'],
            [key('POST'), 'POST'],
          ]),
        ),
        map(requestHeader(TO_EGRESS.accept), 'meshgate_egress_accept', [
          [key(''), 'application/json'],
          ['default', requestHeader(TO_EGRESS.accept)],
        ]),
      ]
    : [];
