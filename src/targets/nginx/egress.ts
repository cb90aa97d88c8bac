import { FROM_EGRESS, TO_EGRESS } from '../../internal-headers.ts';
import type { Provider } from '../../policy/types.ts';
import { isAsked } from '../../rules/client-table.ts';
import { MAX_SIGNIN_BODY_BYTES } from '../../session/limits.ts';
import {
  block,
  commented,
  type Directive,
  fixed,
  key,
  line,
  literal,
  map,
  regex,
  row,
  template,
  variable,
} from './directive.ts';
import { etcdLocations } from './etcd.ts';
import { included } from './files.ts';
import { bodyBuffer, ignoresAccel, shown, timeouts, tls, unstored, verified } from './module.ts';
import { requestHeader } from './names.ts';
import { hasQuestions } from './questions.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';
import { resolver } from './upstreams.ts';

/** The directives for all calls to providers, at the level of the server. Each call is sent once, over verified TLS.
 * Its response is passed on unchanged, with the address to which nginx connected. */
const common: readonly Directive[] = [
  ...row('proxy_http_version 1.1; proxy_pass_request_headers off', 'send only the headers that a location sets'),
  ...timeouts('3s', '3s', '4s'),
  ...row(
    'proxy_next_upstream off; proxy_redirect off; proxy_intercept_errors off; proxy_max_temp_file_size 0',
    'one attempt; the answer passes unchanged',
  ),
  ...unstored,
  ...ignoresAccel(),
  ...tls('proxy'),
  ...row([line('proxy_hide_header', FROM_EGRESS.reached), line('proxy_hide_header', FROM_EGRESS.address)]),
  ...row([
    line('add_header', FROM_EGRESS.reached, variable('upstream_connect_time'), 'always'),
    line('add_header', FROM_EGRESS.address, variable('upstream_addr'), 'always'),
  ]),
];

const host: readonly Directive[] = fixed('proxy_set_header Host $proxy_host; proxy_set_header Connection close');

const agent = line('proxy_set_header', 'User-Agent', 'meshgate');

/** The directives for documents that the gateway fetches with GET. */
const fetched: readonly Directive[] = [
  ...row('proxy_method GET; proxy_pass_request_body off'),
  ...row([...host, line('proxy_set_header', 'Content-Length', literal(''))]),
  ...row([line('proxy_set_header', 'Accept', 'application/json'), agent]),
];

/** The directives for calls that the gateway also makes as a registered client. Secrets are in the body or in
 * `Authorization`, never in the URL. */
const called: readonly Directive[] = [
  ...bodyBuffer(MAX_SIGNIN_BODY_BYTES),
  line('proxy_method', variable('meshgate_egress_method')),
  ...row(host),
  ...row([line('proxy_set_header', 'Accept', variable('meshgate_egress_accept')), agent]),
  line('proxy_set_header', 'Content-Type', requestHeader(TO_EGRESS.contentType)),
  line('proxy_set_header', 'Authorization', requestHeader(TO_EGRESS.authorization)),
  ...row('proxy_buffer_size 32k; proxy_buffers 8 32k', 'room for headers that the web server of a provider adds'),
];

/** The certificate with which the gateway authenticates to a provider. */
function clientCertificate({ client }: Provider): readonly Directive[] {
  if (client?.auth.kind !== 'tls_client_auth') return [];
  const { certFile, keyFile } = client.auth;
  return [
    line('set', variable('meshgate_client_cert'), literal(certFile)),
    line('set', variable('meshgate_client_key'), literal(keyFile)),
    ...shown('proxy', variable('meshgate_client_cert'), variable('meshgate_client_key')),
  ];
}

/** Whether the gateway is a client of at least one provider. */
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
      ...verified('proxy', variable('proxy_host'), one.caFile ?? scene.options.systemCa),
      ...(client ? clientCertificate(one) : []),
    ],
  );
}

/** The server for calls to providers: with verified TLS, without retries and redirects, and without connections that
 * stay open. */
export function egressServer(scene: Scene): Directive {
  const { options, policy } = scene;
  return commented(
    'Calls to providers. The JavaScript of the gateway sets the URL; only https is allowed.',
    block(
      'server',
      [],
      [
        line('listen', literal(`unix:${options.runDir}/egress.sock`)),
        included(scene, 'inside.conf'),
        ...(hasClients(scene) ? [line('large_client_header_buffers', '4', '32k')] : []),
        ...resolver(scene),
        ...common,
        ...Object.values(policy.providers).map((one) => provider(scene, one)),
        ...etcdLocations(scene),
      ],
    ),
  );
}

/** The maps for the parameters of a call that the JavaScript may choose. */
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
