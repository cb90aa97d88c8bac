import { NETWORK_BYTES, SITE_BYTES } from '../../caller/address.ts';
import { SITE_NETWORKS } from '../../limits.ts';
import { DEFAULTS } from '../../policy/bounds.ts';
import { MIN_SIGNIN_ADDRESSES, SIGNIN_ADDRESS_BYTES } from '../../session/limits.ts';
import { block, commented, type Directive, line, literal, map, regex, variable } from './directive.ts';
import { OFTEN_LOCATION } from './names.ts';
import { orPage } from './page.ts';
import { inside, refusal } from './problem.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

/** The zone that counts requests by address, and the zone for sites of IPv6. */
const ADDRESSES = 'meshgate_signin_rate';
const SITES = 'meshgate_signin_sites';

/** The variable with the bytes of the address by which nginx counts requests. `addressNames` defines the same bytes for
 * all other counts. An IPv4 address in the form of an IPv6 address counts as the IPv4 address. nginx evaluates a
 * variable only where it is used, so this happens only at the endpoints of the sign-in. */
const WHOSE = 'meshgate_signin_from';
const SITE = 'meshgate_signin_site';

/** The number of bytes of an IPv6 address. */
const BYTES = 16;

const bytes = (count: number): string => `[\\x00-\\xff]{${count}}`;

/** Matches the first bytes of an IPv6 address. */
const first = (name: string, count: number, but = ''): ReturnType<typeof regex> =>
  regex('~', `^${but}(?<${name}>${bytes(count)})${bytes(BYTES - count)}\\z`);

/** The bytes before an IPv4 address that is written as an IPv6 address. */
const MAPPED = '\\x00{10}\\xff\\xff';

const whose: Directive = map(variable('binary_remote_addr'), WHOSE, [
  // The address is an IPv4 address, or the connection came through a socket.
  ['default', variable('binary_remote_addr')],
  [regex('~', `^${MAPPED}(?<${WHOSE}_v4>${bytes(4)})\\z`), variable(`${WHOSE}_v4`)],
  [first(`${WHOSE}_net`, NETWORK_BYTES), variable(`${WHOSE}_net`)],
]);

/** The site of an IPv6 address. It is empty for other addresses, and nginx then counts nothing. */
const site: Directive = map(variable('binary_remote_addr'), SITE, [
  [first(`${SITE}_net`, SITE_BYTES, `(?!${MAPPED})`), variable(`${SITE}_net`)],
]);

/** The size of the zone in kilobytes. It has room for as many addresses as there are people, and at least for a
 * minimum. nginx evicts the oldest entries. */
const kilobytes = ({ policy }: Scene): number =>
  (Math.max(MIN_SIGNIN_ADDRESSES, policy.gateway.sessionRoom?.people ?? 0) * SIGNIN_ADDRESS_BYTES) >> 10;

const limitOf = ({ policy }: Scene) =>
  policy.gateway.signin?.limit ?? { rate: DEFAULTS.signinRate, burst: DEFAULTS.signinBurst };

/** The zones that count the sign-in requests of addresses and of sites. */
export function signinLimitZone(scene: Scene): readonly Directive[] {
  if (!hasSessions(scene)) return [];
  const [requests = '', unit = ''] = limitOf(scene).rate.split('/');
  const zone = (of: string, name: string, times: number) =>
    line(
      'limit_req_zone',
      variable(of),
      `zone=${name}:${kilobytes(scene)}k`,
      `rate=${times * Number(requests)}r/${unit}`,
    );
  return [
    commented('How often each address may use the sign-in; for IPv6, each /64 network.', whose),
    zone(WHOSE, ADDRESSES, 1),
    commented(`And each /48 network, ${SITE_NETWORKS} times as often.`, site),
    zone(SITE, SITES, SITE_NETWORKS),
  ];
}

/** The limit for endpoints that cost a call to a provider, a seal or an entry in memory. */
export function signinLimit(scene: Scene): readonly Directive[] {
  const { burst } = limitOf(scene);
  const limit = (name: string, times: number) => line('limit_req', `zone=${name}`, `burst=${times * burst}`, 'nodelay');
  return [
    // The limit of the site comes first. So if a site sends too many requests, its networks take no memory.
    limit(SITES, SITE_NETWORKS),
    limit(ADDRESSES, 1),
    line('limit_req_status', '429'),
  ];
}

export const oftenPage: Directive = line('error_page', '429', '=', literal(OFTEN_LOCATION));

/** The response to an address that sends too many requests. A page request gets a page, which costs as little as the
 * page for an unknown path. */
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
