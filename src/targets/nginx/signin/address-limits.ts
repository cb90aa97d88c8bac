import { SITE_NETWORKS } from '../../../base/limits.ts';
import { NETWORK_BYTES, SITE_BYTES } from '../../../caller/address.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { MIN_SIGNIN_ADDRESSES, SIGNIN_ADDRESS_BYTES } from '../../../session/limits.ts';
import { insideLocation } from '../answers/problem-files.ts';
import type { Context } from '../render-context.ts';
import { conf, type Directive, regex } from '../text/directive.ts';
import { OFTEN_LOCATION } from '../text/names.ts';
import { hasSessions } from './sessions.ts';

/** The number of bytes of an IPv6 address. */
const BYTES = 16;

const bytes = (count: number): string => `[\\x00-\\xff]{${count}}`;

/** The bytes before an IPv4 address that is written as an IPv6 address. */
const MAPPED = '\\x00{10}\\xff\\xff';

/** Matches the IPv4 address that is written as an IPv6 address, or the site and the network of any other IPv6 address.
 * This is one expression, because nginx tries it for each request, also from IPv4 addresses. */
const SITE = `(?<meshgate_from_site_net>${bytes(SITE_BYTES)})${bytes(NETWORK_BYTES - SITE_BYTES)}`;
const NETWORK = `^(?|${MAPPED}(?<meshgate_from_net>${bytes(4)})|(?<meshgate_from_net>${SITE})${bytes(BYTES - NETWORK_BYTES)})\\z`;

/** The size of the zone in kilobytes: an address for each person, or a minimum. The oldest addresses are evicted. */
const kilobytes = ({ policy }: Context): number =>
  (Math.max(MIN_SIGNIN_ADDRESSES, policy.gateway.sessionRoom?.people ?? 0) * SIGNIN_ADDRESS_BYTES) >> 10;

const limitOf = ({ policy }: Context) =>
  policy.gateway.signin?.limit ?? { rate: DEFAULTS.signinRate, burst: DEFAULTS.signinBurst };

/** The maps from the bytes of an address to what is counted: the address, or its /64 network of IPv6; and its /48 site,
 * which is empty for IPv4, so that nginx counts nothing. `addressNames` defines the same bytes for all other counts. An
 * IPv4 address in the form of an IPv6 address counts as the IPv4 address. nginx evaluates a variable only where it is
 * used. */
export const fromMaps: readonly Directive[] = conf`
  # The address of a client, for counts; for IPv6, its /64 network and its /48 network.
  map $binary_remote_addr $meshgate_from {
    // The address is an IPv4 address, or the connection came through a socket.
    default $binary_remote_addr;
    ${regex('~', NETWORK)} $meshgate_from_net;
  }
  // The other map is the source, because its expression finds the site.
  map $meshgate_from $meshgate_from_site { default $meshgate_from_site_net; }
`;

/** The zones that count the sign-in requests of addresses and of sites. A page of any site can make its visitors send
 * requests that are refused anyway, from an address that a whole office may share. So these do not use up what people who
 * sign in need. */
export function signinLimitZone(context: Context): readonly Directive[] {
  if (!hasSessions(context)) return [];
  const [requests = '', unit = ''] = limitOf(context).rate.split('/');
  const size = kilobytes(context);
  return conf`
    # How often each address may use the sign-in; for IPv6, each /64 network.
    # Browsers say which requests are no page that a person opens. A page of any site can send those, so they count apart.
    map $http_sec_fetch_mode:$http_sec_fetch_dest:$http_sec_purpose $meshgate_signin_unopened {
      default 1;
      "::" "";
      "navigate:document:" "";
    }
    map $http_sec_fetch_site $meshgate_signin_aside { default $meshgate_signin_unopened; "same-origin" ""; "none" ""; }
    map $meshgate_signin_aside $meshgate_signin_opened_from { default ""; "" $meshgate_from; }
    limit_req_zone $meshgate_signin_opened_from zone=meshgate_signin_rate:${size}k rate=${Number(requests)}r/${unit};
    # Each /48 network of IPv6 may use the sign-in ${SITE_NETWORKS} times as often.
    map $meshgate_signin_aside $meshgate_signin_opened_site { default ""; "" $meshgate_from_site; }
    limit_req_zone $meshgate_signin_opened_site zone=meshgate_signin_sites:${size}k rate=${SITE_NETWORKS * Number(requests)}r/${unit};
    # The others count for an IPv4 address or for the whole site.
    map $meshgate_from_site $meshgate_signin_whole { default $meshgate_from_site; "" $meshgate_from; }
    map $meshgate_signin_aside $meshgate_signin_aside_from { default $meshgate_signin_whole; "" ""; }
    limit_req_zone $meshgate_signin_aside_from zone=meshgate_signin_aside:${size}k rate=${Number(requests)}r/${unit};
  `;
}

/** The limit for endpoints that cost a call to a provider, a seal or an entry in memory. The limit of the site comes
 * first. So if a site sends too many requests, its networks take no memory. */
export function signinLimit(context: Context): readonly Directive[] {
  const { burst } = limitOf(context);
  return conf`
    limit_req zone=meshgate_signin_sites burst=${SITE_NETWORKS * burst} nodelay;
    limit_req zone=meshgate_signin_rate burst=${burst} nodelay;
    limit_req zone=meshgate_signin_aside burst=${burst} nodelay;
    limit_req_status 429;
  `;
}

export const oftenPage = conf`error_page 429 = ${OFTEN_LOCATION};`;

/** The response to an address that sends too many requests. A page costs as little as that for an unknown path. */
export const oftenLocation = (context: Context, page: readonly Directive[]): readonly Directive[] =>
  insideLocation(
    context,
    OFTEN_LOCATION,
    'limit_exceeded',
    page.length > 0 ? [...conf`set $meshgate_retry_after 1;`, ...page] : [],
    conf`add_header Retry-After 1 always;`,
  );
