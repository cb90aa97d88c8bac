import { MAX_SIGNIN_BODY_BYTES } from '../../limits.ts';
import { callbackNames } from '../../rules/signin-table.ts';
import {
  ASSETS_PATH,
  BACKCHANNEL_PATH,
  FRONTCHANNEL_PATH,
  HANDOVER_PATH,
  SIGNIN_PATH,
  SIGNOUT_PATH,
  WHOAMI_PATH,
} from '../../session/names.ts';
import { callbackPath } from '../../session/urls.ts';
import { askedFrom } from './budgets.ts';
import { shownCertificate } from './client-certificate.ts';
import { block, commented, type Directive, line, literal, regex, template, variable } from './directive.ts';
import { asked, fromHandler, toHandler } from './handler.ts';
import { shownNetworks } from './networks.ts';
import { orPage } from './page.ts';
import { returned } from './problem.ts';
import { proofHeaders } from './proof.ts';
import type { Scene, SceneHost } from './scene.ts';
import { oftenPage, signinLimit } from './signin-limit.ts';
import { checkSocket } from './upstreams.ts';

interface Endpoint {
  readonly path: string;
  readonly methods: readonly string[];
  /** Addresses may ask so often and no more. The back channel is not limited: a provider has one address for everybody. */
  readonly limited?: true;
}

/** Where browsers sign in: by which way they come back depends on the host's providers, and on the sign-in host. */
function signinEndpoints({ policy, signinHost }: Scene, { host: { name } }: SceneHost): readonly Endpoint[] {
  const isSigninHost = name === signinHost?.host.name;
  const limited = true as const;
  const callback = (one: string | undefined) => ({ path: callbackPath(one), methods: ['GET'], limited });
  return [
    // The page that asks whether to sign in to a host by wildcard posts.
    { path: SIGNIN_PATH, methods: isSigninHost ? ['GET', 'POST'] : ['GET'], limited },
    ...(signinHost === undefined || isSigninHost ? callbackNames(policy, name).map(callback) : []),
    ...(signinHost === undefined || isSigninHost ? [] : [{ path: HANDOVER_PATH, methods: ['GET'], limited }]),
  ];
}

/** What browsers, and providers, ask of the gateway itself besides. */
const ENDPOINTS: readonly Endpoint[] = [
  { path: SIGNOUT_PATH, methods: ['GET', 'POST'], limited: true },
  { path: BACKCHANNEL_PATH, methods: ['POST'] },
  { path: FRONTCHANNEL_PATH, methods: ['GET'], limited: true },
  { path: WHOAMI_PATH, methods: ['GET', 'HEAD'] },
  { path: ASSETS_PATH, methods: ['GET', 'HEAD'] },
];

/** By any other method it is not there. */
const only = (methods: readonly string[]): Directive =>
  block(
    'if',
    [template('(', variable('request_method')), '!~', regex('', `^(${methods.join('|')})$)`)],
    [returned('route_unknown')],
  );

function endpoint(scene: Scene, host: SceneHost, { path, methods, limited }: Endpoint): Directive {
  const at = `http://unix:${checkSocket(scene.options)}:`;
  const folder = path.endsWith('/');
  const who = path === WHOAMI_PATH;
  return block(
    'location',
    [folder ? '^~' : '=', literal(path)],
    [
      // Declared first: nginx warns of a variable that only `set` makes.
      line('auth_request_set', variable('meshgate_route'), '-'),
      line('set', variable('meshgate_route'), '-'),
      only(methods),
      ...(limited ? signinLimit(scene) : []),
      // With a variable the query stays behind; in an exact location it has one value only.
      line('proxy_pass', folder ? literal(at + path) : template(at, variable('uri'))),
      ...(who
        ? toHandler(host, [
            ...asked,
            line('proxy_set_header', 'Authorization', variable('http_authorization')),
            ...shownCertificate(scene, host),
            ...proofHeaders(scene),
            ...askedFrom(scene),
            ...shownNetworks(scene),
          ])
        : []),
    ],
  );
}

/**
 * All below `/.meshgate/` that a client may ask for on a host where people sign in. Codes, states and tickets stand in
 * queries, so that no line of the error log is written here, which would show them; the access log has no queries.
 */
export function endpoints(scene: Scene, host: SceneHost): Directive {
  return commented(
    "The sign-in. Its URLs hold codes: nginx's error log would show them.",
    block(
      'location',
      ['^~', '/.meshgate/'],
      [
        line('access_log', literal(scene.options.accessLog), 'meshgate'),
        line('error_log', '/dev/null', 'emerg'),
        line('auth_request', 'off'),
        line('error_page', '500', '502', '504', '=', '@meshgate_down'),
        oftenPage,
        line('default_type', 'application/problem+json'),
        line('client_max_body_size', `${MAX_SIGNIN_BODY_BYTES >> 10}k`),
        line('client_body_buffer_size', `${MAX_SIGNIN_BODY_BYTES >> 10}k`),
        line('proxy_request_buffering', 'on'),
        ...toHandler(host, asked),
        ...fromHandler,
        ...[...signinEndpoints(scene, host), ...ENDPOINTS].map((one) => endpoint(scene, host, one)),
        ...orPage(host, 'route_unknown'),
        returned('route_unknown'),
      ],
    ),
  );
}
