import { FROM_CHECK, TO_CHECK, TO_INGRESS } from '../../../base/internal-headers.ts';
import { type ReasonCode, reasons } from '../../../base/reasons.ts';
import { plainChallenge } from '../../../rules/decide/challenge.ts';
import type { Context } from '../render-context.ts';
import { grpcRefusals } from '../route/grpc.ts';
import { modulesOf } from '../route/module.ts';
import { counted, errorLocations, tooLarge } from '../server/strangers.ts';
import { type Arg, conf, type Directive, literal, template, type ValuePart, variable } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import {
  BAD_LOCATION,
  CERTIFICATE_LOCATION,
  HOST_LOCATION,
  LARGE_LOCATION,
  NON_CANONICAL_LOCATION,
  requestHeader,
  UNKNOWN_LOCATION,
} from '../text/names.ts';
import { SANDBOX } from './js-handler.ts';

/** The phrase for each status (RFC 9110 section 15). */
export const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** Each status that the check may use, except 401, which is the default. */
const STATUSES = [...new Set(Object.values(reasons).map((entry) => entry.status))]
  .filter((status) => status !== 401)
  .sort();

/** The beginning of a body of application/problem+json (RFC 9457). */
const head = (status: number): string => `{"title":"${TITLES[status]}","status":${status},`;

/** The end of such a body. */
const ID = [',"request_id":"', variable('request_id'), '"}'] as const;

/** The file for all of the gateway's own responses. They are not pages of the service, and must not be stored. */
export const problemFile: ConfFile = [
  'problem.conf',
  conf`
    default_type application/problem+json;
    add_header Cache-Control no-store always; add_header X-Content-Type-Options nosniff always; add_header Content-Security-Policy ${SANDBOX} always;
  `,
  'Directives that all responses to rejected requests share.',
];

const membersOf = (reason: ReasonCode): string =>
  `"reason":"${reason}","detail":${JSON.stringify(reasons[reason].help)}`;

/** The body of a refusal that nginx itself decides. */
function bodyOf(reason: ReasonCode): Arg {
  const { status } = reasons[reason];
  return template(`${head(status)}${membersOf(reason)}`, ...ID);
}

const returned = (reason: ReasonCode) => conf`return ${reasons[reason].status} ${bodyOf(reason)};`;

/** The name of the location with the response for a path that does not exist. */
const UNKNOWN = 'unknown_text';

/** Refuses a request as for a path that does not exist, in a location of a host. */
export const refusesUnknown: readonly Directive[] = counted(UNKNOWN);

/** The same inside of an `if`. */
export const unknown = conf`rewrite ^ ${UNKNOWN_LOCATION}? last;`;

/** The headers that repeat a refusal for an ingress that does not pass bodies of checks on.
 * @param members the members of the body that follow the status, with the brace that ends it */
const repeated = ({ options }: Context, reason: Arg, members: Arg): readonly Directive[] =>
  options.sidecar
    ? conf`
        add_header ${FROM_CHECK.reason} ${reason} always; add_header ${TO_INGRESS.problem} ${members} always;
      `
    : [];

/** The same for a refusal of the check. */
export const repeatedAnswer = (context: Context): readonly Directive[] =>
  repeated(context, variable('meshgate_reason'), variable('meshgate_problem'));

/** The same for a refusal that nginx itself decides. */
const repeatedReason = (context: Context, reason: ReasonCode): readonly Directive[] =>
  repeated(context, literal(reason), template(membersOf(reason), ...ID));

/** The directives of a location that refuses requests for this reason. */
export const refusal = (context: Context, reason: ReasonCode): readonly Directive[] => [
  included(context, 'problem.conf'),
  ...repeatedReason(context, reason),
  ...(reason === 'route_unknown' ? conf`return 404 $meshgate_route_unknown;` : returned(reason)),
];

const refused = (status: number) => conf`return ${status} ${template(head(status), variable('meshgate_problem'))};`;

/** A location that only nginx itself can reach. For a client it looks like any unknown path. */
export const inside = conf`internal; error_page 404 = @meshgate_unknown; ${tooLarge}`;

/** The locations for a refusal to which nginx redirects a request.
 * @param before directives that may send the request to a page
 * @param more headers of the refusal */
export const insideLocation = (
  context: Context,
  path: string,
  reason: ReasonCode,
  before: readonly Directive[] = [],
  more: readonly Directive[] = [],
): readonly Directive[] => conf`
  location = ${path} {
    ${inside}
    ${before}
    ${counted(reason)}
  }
  location @meshgate_${reason} {
    ${more}
    ${refusal(context, reason)}
  }
`;

/** The location for requests that nginx could not read. */
export const badLocation = (context: Context) => insideLocation(context, BAD_LOCATION, 'request_malformed');

/** The location for a name below a wildcard that is not a valid host name. */
export const hostLocation = (context: Context) => insideLocation(context, HOST_LOCATION, 'host_unknown');

/** The location for a missing or invalid certificate, which nginx refuses before it reads the request. */
export const certificateLocation = (context: Context, realm: string): readonly Directive[] => conf`
  location = ${CERTIFICATE_LOCATION} {
    ${inside}
    ${counted('certificate')}
  }
  location @meshgate_certificate {
    ${included(context, 'problem.conf')}
    add_header WWW-Authenticate ${plainChallenge(realm, 'invalid_token')} always;
    if ($ssl_client_verify = NONE) { ${returned('proof_missing')} }
    ${returned('proof_invalid')}
  }
`;

/** The locations of refusals, for every server. The first sends a refusal of the check, with the status that the check
 * chose, and never sends requests to a service. Another one is for header lines that are too long for nginx.
 * @param more headers of refusals on a route
 * @param page directives before a refusal that nginx itself decides */
export const refusalLocations = (
  context: Context,
  more: readonly Directive[],
  page: (reason: ReasonCode) => readonly Directive[] = () => [],
): readonly Directive[] => conf`
  location @meshgate_refuse {
    ${included(context, 'problem.conf')}
    ${repeatedAnswer(context)}
    ${more}
    add_header Retry-After $meshgate_retry_after always;
    ${STATUSES.flatMap((status) => conf`if ($meshgate_status = ${status}) { ${refused(status)} }`)}
    ${refused(401)}
  }
  ${modulesOf(context.hosts).includes('grpc') && grpcRefusals}
  location @meshgate_down {
    ${included(context, 'problem.conf')}
    ${repeatedReason(context, 'check_unavailable')}
    ${more}
    add_header Retry-After 1 always;
    ${returned('check_unavailable')}
  }
  ${insideLocation(context, NON_CANONICAL_LOCATION, 'path_not_canonical', page('path_not_canonical'))}
  ${insideLocation(context, LARGE_LOCATION, 'header_too_large', [...conf`set $meshgate_reason header_too_large;`, ...page('header_too_large')])}
  ${badLocation(context)}
  location = ${UNKNOWN_LOCATION} {
    ${inside}
    ${refusesUnknown}
  }
  location @meshgate_unknown { ${refusesUnknown} }
  location @meshgate_${UNKNOWN} { ${refusal(context, 'route_unknown')} }
  ${errorLocations}
`;

/** The map for the member `detail` of a refusal, if the check gave one. The text is already escaped for JSON. */
const detailMap = (name: ValuePart): readonly Directive[] =>
  conf`map $meshgate_detail ${name} { volatile; "" ""; default ',"detail":"$meshgate_detail"'; }`;

/** The maps with the bodies of refusals. nginx evaluates most of them each time. Otherwise an empty value from the
 * check's subrequest could be kept for the client's request.
 * @param inner whether there is an inner listener, which accepts assertions. The check of tokens does not see that a
 * service used the wrong listener. */
export function problemMaps(inner: boolean): readonly Directive[] {
  const asserted = conf`
    ${detailMap(variable('meshgate_check_detail'))}
    map "$meshgate_reason ${requestHeader(TO_CHECK.assertion)}" $meshgate_problem_detail {
      volatile;
      default $meshgate_check_detail;
      "~^credential_missing ." ',"detail":"An assertion is no credential here: services use the inner listener, with their certificate."';
    }
  `;
  return conf`
    # Bodies of rejections (RFC 9457).
    map "" $meshgate_problem {
      volatile;
      default ${template('"reason":"', variable('meshgate_reason'), '"', variable('meshgate_problem_detail'), ...ID)};
    }
    map "" $meshgate_no_text { default ""; }
    map "" $meshgate_route_unknown { default ${bodyOf('route_unknown')}; }
    ${inner ? asserted : detailMap(variable('meshgate_problem_detail'))}
  `;
}
