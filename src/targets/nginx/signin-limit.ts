import { DEFAULTS } from '../../policy/bounds.ts';
import { MIN_SIGNIN_ADDRESSES, SIGNIN_ADDRESS_BYTES } from '../../session/limits.ts';
import { block, commented, type Directive, line, literal, map, regex, variable } from './directive.ts';
import { OFTEN_LOCATION } from './names.ts';
import { orPage } from './page.ts';
import { inside, refusal } from './problem.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

const ZONE = 'meshgate_signin_rate';

/** The client of an address, like `addressName` for all other counts: for IPv6 the /64 network, and for an IPv4 address
 * in IPv6's form that address. nginx evaluates a variable only if it is used: at the sign-in's own endpoints. */
const WHOSE = 'meshgate_signin_from';

const whose: Directive = map(variable('binary_remote_addr'), WHOSE, [
  // IPv4, or a socket.
  ['default', variable('binary_remote_addr')],
  [regex('~', `^\\x00{10}\\xff\\xff(?<${WHOSE}_v4>[\\x00-\\xff]{4})\\z`), variable(`${WHOSE}_v4`)],
  [regex('~', `^(?<${WHOSE}_net>[\\x00-\\xff]{8})[\\x00-\\xff]{8}\\z`), variable(`${WHOSE}_net`)],
]);

/** Kilobytes for as many addresses as there are people, with a minimum; the oldest are evicted. */
const kilobytes = ({ policy }: Scene): number =>
  (Math.max(MIN_SIGNIN_ADDRESSES, policy.gateway.sessionRoom?.people ?? 0) * SIGNIN_ADDRESS_BYTES) >> 10;

const limitOf = ({ policy }: Scene) =>
  policy.gateway.signin?.limit ?? { rate: DEFAULTS.signinRate, burst: DEFAULTS.signinBurst };

/** The requests of addresses to the sign-in. */
export function signinLimitZone(scene: Scene): readonly Directive[] {
  if (!hasSessions(scene)) return [];
  const rate = limitOf(scene).rate.replace('/', 'r/');
  const zone = line('limit_req_zone', variable(WHOSE), `zone=${ZONE}:${kilobytes(scene)}k`, `rate=${rate}`);
  return [commented('How often each address may use the sign-in; for IPv6, each /64 network.', whose), zone];
}

/** For the location of an endpoint that costs a call to a provider, sealing, or an entry in a zone. */
export const signinLimit = (scene: Scene): readonly Directive[] => [
  line('limit_req', `zone=${ZONE}`, `burst=${limitOf(scene).burst}`, 'nodelay'),
  line('limit_req_status', '429'),
];

export const oftenPage: Directive = line('error_page', '429', '=', literal(OFTEN_LOCATION));

/** The response to an address that sends too many requests: for a navigation a page, as cheap as that for an unknown
 * path. */
export const oftenLocation = (scene: Scene): Directive =>
  block(
    'location',
    ['=', literal(OFTEN_LOCATION)],
    [
      ...inside,
      line('set', variable('meshgate_retry_after'), '1'),
      ...orPage('limit_exceeded'),
      line('add_header', 'Retry-After', '1', 'always'),
      ...refusal(scene, 'limit_exceeded'),
    ],
  );
