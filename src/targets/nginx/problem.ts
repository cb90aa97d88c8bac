import { TO_CHECK } from '../../internal-headers.ts';
import { type ReasonCode, reasons } from '../../reasons.ts';
import { block, type Directive, key, line, literal, map, type Part, regex, template, variable } from './directive.ts';
import { grpcRefusals } from './grpc.ts';
import {
  BAD_LOCATION,
  CERTIFICATE_LOCATION,
  HOST_LOCATION,
  LARGE_LOCATION,
  ODD_LOCATION,
  requestHeader,
} from './names.ts';

/** Phrases of the statuses (RFC 9110 section 15). */
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** Each status that the check may want, but 401, which is what remains. */
const STATUSES = [...new Set(Object.values(reasons).map((entry) => entry.status))]
  .filter((status) => status !== 401)
  .sort();

/** `return` with a body of application/problem+json (RFC 9457). */
function answer(status: number, reason: readonly (string | Part)[], detail: readonly (string | Part)[]): Directive {
  const head = `{"title":"${TITLES[status]}","status":${status},"reason":"`;
  const body = template(head, ...reason, '"', ...detail, ',"request_id":"', variable('request_id'), '"}');
  return line('return', String(status), body);
}

/** Common to all answers of the gateway's own: they are no page of the service, and not to be kept. */
const ours: readonly Directive[] = [
  line('default_type', 'application/problem+json'),
  line('add_header', 'Cache-Control', 'no-store', 'always'),
  line('add_header', 'X-Content-Type-Options', 'nosniff', 'always'),
];

/** The `return` of a refusal that nginx decides by itself. */
export function returned(reason: ReasonCode): Directive {
  const { status, help } = reasons[reason];
  return answer(status, [reason], [`,"detail":${JSON.stringify(help)}`]);
}

/** A location's content for such a refusal. */
export function refusal(reason: ReasonCode): readonly Directive[] {
  return [...ours, returned(reason)];
}

/** What the check refused, with the status that it asked for. It never proxies. */
const refuse = (more: readonly Directive[]): Directive =>
  block(
    'location',
    ['@meshgate_refuse'],
    [
      ...ours,
      ...more,
      line('add_header', 'Retry-After', variable('meshgate_retry_after'), 'always'),
      ...STATUSES.map((status) =>
        block(
          'if',
          [template('(', variable('meshgate_status')), '=', literal(`${status})`)],
          [answer(status, [variable('meshgate_reason')], [variable('meshgate_problem_detail')])],
        ),
      ),
      answer(401, [variable('meshgate_reason')], [variable('meshgate_problem_detail')]),
    ],
  );

/** A location for nginx alone; a client that asks for it learns no more than of any other path. */
export const inside: readonly Directive[] = [line('internal'), line('error_page', '404', '=', '@meshgate_unknown')];

/** What the gateway does not have. */
export const unknownLocation: Directive = block('location', ['@meshgate_unknown'], refusal('route_unknown'));

/** What nginx could not read. */
export const badLocation: Directive = block(
  'location',
  ['=', literal(BAD_LOCATION)],
  [...inside, ...refusal('request_malformed')],
);

/**
 * What nginx reads no further, since its header lines are too long.
 *
 * @param page what comes before the refusal
 */
const largeLocation = (page: readonly Directive[]): Directive =>
  block(
    'location',
    ['=', literal(LARGE_LOCATION)],
    [...inside, line('set', variable('meshgate_reason'), 'header_too_large'), ...page, ...refusal('header_too_large')],
  );

/** A name below a wildcard that is none. */
export const hostLocation: Directive = block(
  'location',
  ['=', literal(HOST_LOCATION)],
  [...inside, ...refusal('host_unknown')],
);

/** A client that shows no certificate, or one that does not verify: nginx says so before it looks at the request. */
export function certificateLocation(realm: string): Directive {
  const body = (reason: ReasonCode) => answer(401, [reason], [`,"detail":${JSON.stringify(reasons[reason].help)}`]);
  return block(
    'location',
    ['=', literal(CERTIFICATE_LOCATION)],
    [
      ...inside,
      ...ours,
      line('add_header', 'WWW-Authenticate', literal(`Bearer realm="${realm}", error="invalid_token"`), 'always'),
      block('if', [template('(', variable('ssl_client_verify')), '=', literal('NONE)')], [body('proof_missing')]),
      body('proof_invalid'),
    ],
  );
}

/**
 * The locations that speak refusals, in every server.
 *
 * @param more headers of what is refused on a route
 * @param grpc whether some route takes calls
 * @param page what comes before a refusal that nginx decides by itself
 */
export const refusalLocations = (
  more: readonly Directive[],
  grpc: boolean,
  page: (reason: ReasonCode) => readonly Directive[] = () => [],
): readonly Directive[] => [
  refuse(more),
  ...(grpc ? grpcRefusals : []),
  block(
    'location',
    ['@meshgate_down'],
    [...ours, ...more, line('add_header', 'Retry-After', '1', 'always'), returned('check_unavailable')],
  ),
  block(
    'location',
    ['=', literal(ODD_LOCATION)],
    [...inside, ...page('path_not_canonical'), ...refusal('path_not_canonical')],
  ),
  largeLocation(page('header_too_large')),
  badLocation,
  unknownLocation,
];

const member = (detail: Part | string) => template(',"detail":"', detail, '"');

/** The member `detail` of a refusal, where the check gave one; it is escaped for JSON already. */
const detailMap = (name: string): Directive =>
  map(variable('meshgate_detail'), name, [
    [key(''), literal('')],
    ['default', member(variable('meshgate_detail'))],
  ]);

/** What a service reads that asks at the wrong listener: the check of tokens does not see that it sent an assertion. */
const ASSERTED =
  'An assertion is no credential here: services ask at the inner listener, with their certificate beside it.';

/**
 * The maps of the member `detail`.
 *
 * @param inner whether there is a listener that takes assertions
 */
export function detailMaps(inner: boolean): readonly Directive[] {
  if (!inner) return [detailMap('meshgate_problem_detail')];
  const asked = template(variable('meshgate_reason'), ' ', requestHeader(TO_CHECK.assertion));
  return [
    detailMap('meshgate_check_detail'),
    map(asked, 'meshgate_problem_detail', [
      ['default', variable('meshgate_check_detail')],
      [regex('~', '^credential_missing .'), member(ASSERTED)],
    ]),
  ];
}
