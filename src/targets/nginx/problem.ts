import { TO_CHECK } from '../../internal-headers.ts';
import { type ReasonCode, reasons } from '../../reasons.ts';
import { plainChallenge } from '../../rules/challenge.ts';
import {
  type Arg,
  block,
  commented,
  type Directive,
  key,
  line,
  literal,
  map,
  type Part,
  regex,
  row,
  template,
  variable,
} from './directive.ts';
import { type ConfFile, included } from './files.ts';
import { grpcRefusals } from './grpc.ts';
import { modulesOf } from './module.ts';
import {
  BAD_LOCATION,
  CERTIFICATE_LOCATION,
  HOST_LOCATION,
  LARGE_LOCATION,
  ODD_LOCATION,
  requestHeader,
} from './names.ts';
import type { Scene } from './scene.ts';

/** The phrase for each status (RFC 9110 section 15). */
const TITLES: Readonly<Record<number, string>> = {
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

/** The file with the directives for all of the gateway's own responses. They are not pages of the service, and must not
 * be stored. */
export const problemFile: ConfFile = [
  'problem.conf',
  [
    line('default_type', 'application/problem+json'),
    ...row('add_header Cache-Control no-store always; add_header X-Content-Type-Options nosniff always'),
  ],
  'What all answers to rejected requests have in common.',
];

/** The body of a refusal that nginx itself decides. */
function bodyOf(reason: ReasonCode): Arg {
  const { status, help } = reasons[reason];
  return template(`${head(status)}"reason":"${reason}","detail":${JSON.stringify(help)}`, ...ID);
}

const returned = (reason: ReasonCode): Directive => line('return', String(reasons[reason].status), bodyOf(reason));

const UNKNOWN = 'meshgate_route_unknown';

/** The `return` for a path without a route. Many locations have it. */
export const unknown: Directive = line('return', '404', variable(UNKNOWN));

/** The map with the body that {@link unknown} returns. */
const unknownMap: Directive = map(literal(''), UNKNOWN, [['default', bodyOf('route_unknown')]]);

/** The directives of a location that refuses requests for this reason. */
export function refusal(scene: Scene, reason: ReasonCode): readonly Directive[] {
  return [included(scene, 'problem.conf'), reason === 'route_unknown' ? unknown : returned(reason)];
}

const PROBLEM = 'meshgate_problem';

const refused = (status: number): Directive =>
  line('return', String(status), template(head(status), variable(PROBLEM)));

/** The location that sends a refusal of the check, with the status that the check chose. It never sends requests to a
 * service. */
const refuse = (scene: Scene, more: readonly Directive[]): Directive =>
  block(
    'location',
    ['@meshgate_refuse'],
    [
      included(scene, 'problem.conf'),
      ...more,
      line('add_header', 'Retry-After', variable('meshgate_retry_after'), 'always'),
      ...STATUSES.map((status) =>
        block('if', [template('(', variable('meshgate_status')), '=', literal(`${status})`)], [refused(status)]),
      ),
      refused(401),
    ],
  );

/** A map that nginx evaluates each time. Otherwise an empty value from the check's subrequest could be kept for the
 * client's request. */
const fresh = (...given: Parameters<typeof map>): Directive => {
  const made = map(...given);
  return { ...made, block: [line('volatile'), ...(made.block ?? [])] };
};

/** What the body of such a refusal contains besides its status. */
const problemMap: Directive = fresh(literal(''), PROBLEM, [
  ['default', template('"reason":"', variable('meshgate_reason'), '"', variable('meshgate_problem_detail'), ...ID)],
]);

/** A location that only nginx itself can reach. For a client it looks like any unknown path. */
export const inside: readonly Directive[] = row('internal; error_page 404 = @meshgate_unknown');

/** The location for requests that nginx could not read. */
export const badLocation = (scene: Scene): Directive =>
  block('location', ['=', literal(BAD_LOCATION)], [...inside, ...refusal(scene, 'request_malformed')]);

/**
 * The location for requests whose header lines are too long for nginx.
 *
 * @param page directives before the refusal
 */
const largeLocation = (scene: Scene, page: readonly Directive[]): Directive =>
  block(
    'location',
    ['=', literal(LARGE_LOCATION)],
    [
      ...inside,
      line('set', variable('meshgate_reason'), 'header_too_large'),
      ...page,
      ...refusal(scene, 'header_too_large'),
    ],
  );

/** The location for a name below a wildcard that is not a valid host name. */
export const hostLocation = (scene: Scene): Directive =>
  block('location', ['=', literal(HOST_LOCATION)], [...inside, ...refusal(scene, 'host_unknown')]);

/** The location for a client without a certificate, or with an invalid one. nginx refuses such a connection before it
 * reads the request. */
export function certificateLocation(scene: Scene, realm: string): Directive {
  return block(
    'location',
    ['=', literal(CERTIFICATE_LOCATION)],
    [
      ...inside,
      included(scene, 'problem.conf'),
      line('add_header', 'WWW-Authenticate', literal(plainChallenge(realm, 'invalid_token')), 'always'),
      block('if', [template('(', variable('ssl_client_verify')), '=', literal('NONE)')], [returned('proof_missing')]),
      returned('proof_invalid'),
    ],
  );
}

/**
 * The locations of refusals, for every server.
 *
 * @param more headers of refusals on a route
 * @param page directives before a refusal that nginx itself decides
 */
export const refusalLocations = (
  scene: Scene,
  more: readonly Directive[],
  page: (reason: ReasonCode) => readonly Directive[] = () => [],
): readonly Directive[] => [
  refuse(scene, more),
  ...(modulesOf(scene.hosts).includes('grpc') ? grpcRefusals : []),
  block(
    'location',
    ['@meshgate_down'],
    [
      included(scene, 'problem.conf'),
      ...more,
      line('add_header', 'Retry-After', '1', 'always'),
      returned('check_unavailable'),
    ],
  ),
  block(
    'location',
    ['=', literal(ODD_LOCATION)],
    [...inside, ...page('path_not_canonical'), ...refusal(scene, 'path_not_canonical')],
  ),
  largeLocation(scene, page('header_too_large')),
  badLocation(scene),
  block('location', ['@meshgate_unknown'], refusal(scene, 'route_unknown')),
];

const member = (detail: Part | string) => template(',"detail":"', detail, '"');

/** The map for the member `detail` of a refusal, if the check gave one. The text is already escaped for JSON. */
const detailMap = (name: string): Directive =>
  fresh(variable('meshgate_detail'), name, [
    [key(''), literal('')],
    ['default', member(variable('meshgate_detail'))],
  ]);

/** The text for a service that used the wrong listener. The check of tokens does not see that the service sent an
 * assertion. */
const ASSERTED = 'An assertion is no credential here: services use the inner listener, with their certificate.';

/**
 * The maps with the bodies of refusals.
 *
 * @param inner whether there is an inner listener, which accepts assertions
 */
export function problemMaps(inner: boolean): readonly Directive[] {
  const bodies = [commented('Bodies of rejections (RFC 9457).', problemMap), unknownMap];
  if (!inner) return [...bodies, detailMap('meshgate_problem_detail')];
  const asked = template(variable('meshgate_reason'), ' ', requestHeader(TO_CHECK.assertion));
  return [
    ...bodies,
    detailMap('meshgate_check_detail'),
    fresh(asked, 'meshgate_problem_detail', [
      ['default', variable('meshgate_check_detail')],
      [regex('~', '^credential_missing .'), member(ASSERTED)],
    ]),
  ];
}
