import { callbackNames } from '../../../rules/table/signin-table.ts';
import * as paths from '../../../session/names.ts';
import { callbackPath } from '../../../session/urls.ts';
import { requestOrigin } from '../check/address-budgets.ts';
import { shownCertificate } from '../check/client-certificate.ts';
import { shownNetworks } from '../check/networks.ts';
import { proofHeaders } from '../check/proof-headers.ts';
import type { Context, HostContext } from '../render-context.ts';
import { accessLog } from '../server/log.ts';
import { type Endpoint as Row, strangersAt, strangersBody, tooLarge } from '../server/strangers.ts';
import { oftenPage, signinLimit } from '../signin/address-limits.ts';
import { longestSignin } from '../signin/signin.ts';
import { conf, type Directive, regex } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { JWKS_PATH } from '../text/names.ts';
import { checkSocket } from '../upstream/upstream-blocks.ts';
import { endpointHeaders, fromHandler, handlerHeaders, handlerHost, toHandler } from './js-handler.ts';
import { orPage } from './page.ts';
import { unknown } from './problem-files.ts';
import { metadataPaths } from './resource-metadata.ts';

interface Endpoint {
  readonly path: string;
  readonly row: Row;
  readonly methods: readonly string[] | 'any';
  /** Whether the rate of each address is limited. Sign-outs by a provider have no limit: it sends back-channel messages for
   * all people from the same address, and nothing tells a frame of its page from a frame of another site. A front-channel
   * request costs what a check costs, and stores something only for the session of the browser itself. */
  readonly limited?: true;
}

/** The endpoints of the sign-in at one host, which depend on its providers and on the sign-in host. */
function signinEndpoints({ policy, signinHost }: Context, { host: { name } }: HostContext): readonly Endpoint[] {
  const isSigninHost = name === signinHost?.host.name;
  const limited = true as const;
  // Only a GET completes a sign-in, but any other method uses up what the URL contains.
  const own = { row: 'callback', methods: 'any', limited } as const;
  const callback = (one: string | undefined) => ({ path: callbackPath(one), ...own });
  return [
    // Before a sign-in to a wildcard host, a page asks the person to continue, and sends a POST.
    { path: paths.SIGNIN_PATH, row: 'signin', methods: isSigninHost ? ['GET', 'POST'] : ['GET'], limited },
    ...(signinHost === undefined || isSigninHost ? callbackNames(policy, name).map(callback) : []),
    ...(signinHost === undefined || isSigninHost ? [] : [{ path: paths.HANDOVER_PATH, ...own }]),
  ];
}

/** The other endpoints for browsers and providers. They exist on each host where people sign in. */
const ENDPOINTS: readonly Endpoint[] = [
  { path: paths.SIGNOUT_PATH, row: 'signout', methods: ['GET', 'POST'], limited: true },
  { path: paths.BACKCHANNEL_PATH, row: 'backchannel', methods: ['POST'] },
  { path: paths.FRONTCHANNEL_PATH, row: 'signout', methods: ['GET'] },
  { path: paths.ASSETS_PATH, row: 'assets', methods: ['GET', 'HEAD'] },
];

/** Answers 404 to any other method. */
const only = (methods: readonly string[]): readonly Directive[] =>
  conf`if ($request_method !~ ${regex('', `^(${methods.join('|')})$)`)} { ${unknown} }`;

const at = ({ options }: Context): string => `http://unix:${checkSocket(options)}:`;

// nginx warns of a variable that only `set` declares, so `auth_request_set` declares it first.
const noRoute = conf`
  auth_request_set $meshgate_route -;
  set $meshgate_route -;
`;

/** The directives of exact endpoints. `$uri`, which has one value in an exact location, makes nginx drop the query. */
const exact = (context: Context): readonly Directive[] => conf`
  ${noRoute}
  proxy_pass ${at(context)}$uri;
`;

function endpoint(context: Context, { path, row, methods, limited }: Endpoint): readonly Directive[] {
  const isFolder = path.endsWith('/');
  return conf`
    location ${isFolder ? '^~' : '='} ${path} {
      ${isFolder ? noRoute : included(context, 'endpoint.conf')}
      ${isFolder && conf`proxy_pass ${at(context)}${path};`}
      ${methods !== 'any' && only(methods)}
      ${limited && included(context, 'endpoint-limit.conf')}
      ${strangersAt(context, row)}
    }
  `;
}

/** The location for all paths below `/.meshgate/` that a client may request on a host where people sign in. Queries
 * contain codes, states and tickets. So this location writes no error log; the access log contains no queries. */
const around = (context: Context): readonly Directive[] => conf`
  ${accessLog(context)}
  error_log /dev/null emerg;
  auth_request off;
  error_page 500 502 504 = @meshgate_down;
  ${oftenPage}
  ${tooLarge}
  default_type application/problem+json;
  ${strangersBody}
  proxy_request_buffering on;
  ${toHandler(longestSignin(context)?.together)}
  ${endpointHeaders}
  ${fromHandler}
  ${ENDPOINTS.flatMap((one) => endpoint(context, one))}
  ${orPage('route_unknown')}
  // An outer "deny" stays in force for the endpoints above.
  root /dev/null; try_files /- @meshgate_unknown;
`;

/** The headers for whoami: the same credentials that the check reads. */
const whoami = (context: Context): readonly Directive[] => conf`
  ${exact(context)}
  ${handlerHeaders}
  ${endpointHeaders}
  proxy_set_header Authorization $http_authorization;
  ${proofHeaders(context)}
  ${requestOrigin(context)}
  ${shownNetworks(context)}
  ${strangersAt(context, 'whoami')}
  ${only(['GET', 'HEAD'])}
`;

/** The files of the sign-in. */
export const signinFiles = (context: Context): readonly ConfFile[] => [
  ['signin.conf', around(context), 'The sign-in. Its URLs contain codes, which the error log would show.'],
  ['endpoint.conf', exact(context), 'An endpoint of the sign-in.'],
  ['endpoint-limit.conf', signinLimit(context), 'How often each address may use an endpoint of the sign-in.'],
  ['whoami.conf', whoami(context), 'The endpoint that tells a caller who it is.'],
];

/** The paths of a host that the gateway serves itself. A path that ends with a slash is a folder. */
export const endpointPaths = (context: Context, host: HostContext): readonly string[] => [
  ...(host.sessions
    ? [...[...signinEndpoints(context, host), ...ENDPOINTS].map(({ path }) => path), paths.WHOAMI_PATH]
    : []),
  ...(context.policy.gateway.assertion ? [JWKS_PATH] : []),
  ...metadataPaths(host),
];

/** The location of the sign-in in the server of a host. Its callbacks depend on the host's providers. */
export const endpoints = (context: Context, host: HostContext): readonly Directive[] => conf`
  # The sign-in.
  location ^~ /.meshgate/ {
    ${included(context, 'signin.conf')}
    ${handlerHost(host)}
    ${signinEndpoints(context, host).flatMap((one) => endpoint(context, one))}
    location = ${paths.WHOAMI_PATH} {
      ${included(context, 'whoami.conf')}
      ${handlerHost(host)}
      ${shownCertificate(context, host)}
    }
  }
`;
