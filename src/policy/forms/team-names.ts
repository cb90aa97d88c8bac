import { HOST_NAME } from './addresses.ts';
import { hostPort } from './units.ts';

/** Which names the patterns of a grant cover, and when the patterns of two teams overlap. */

/** A name, or the beginning of names that ends with a dash, and a star. */
export const NAME_PATTERN = /^[a-z][a-z0-9-]{0,62}$|^[a-z][a-z0-9-]{0,60}-\*$/;

/** As {@link NAME_PATTERN}, for names of roles. */
export const ROLE_PATTERN = /^[a-z][a-z0-9._-]{0,62}$|^[a-z][a-z0-9._-]{0,60}-\*$/;

/** A name of {@link HOST_NAME}, perhaps with a port. */
export const ADDRESS_PATTERN = new RegExp(`${HOST_NAME.source.slice(0, -1)}(?::[1-9]\\d{0,4})?$`);

/** Whether a pattern covers a name, or all names of another pattern. `*.x` covers the names below `x`, not `x` itself. */
export const coversHost = (pattern: string, name: string): boolean =>
  pattern === name || (pattern.startsWith('*.') && name.length > pattern.length - 1 && name.endsWith(pattern.slice(1)));

/** Whether a pattern covers a name, or all names of another pattern. `pay-*` covers the names that begin with `pay-`. */
export const coversName = (pattern: string, name: string): boolean =>
  pattern === name || (pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1)));

const portOf = (address: string): number => hostPort(address, 0).port;
const hostOf = (address: string): string => address.replace(/:\d+$/, '');

/** Whether a pattern covers an address, or all addresses of another pattern. Without a port it covers all ports. */
export const coversAddress = (pattern: string, address: string): boolean =>
  coversHost(hostOf(pattern), hostOf(address)) && (portOf(pattern) === 0 || portOf(pattern) === portOf(address));

/** Whether a pattern covers the path of a file: the file itself, or a folder above it. */
export const coversFile = (pattern: string, path: string): boolean =>
  !/\/\.{1,2}(?:\/|$)/.test(path) && (path === pattern || path.startsWith(`${pattern}/`));

/** Whether two patterns can cover one name. Patterns are trees of names, so one of the two then covers the other. */
export const overlap =
  (covers: (pattern: string, name: string) => boolean) =>
  (one: string, other: string): boolean =>
    covers(one, other) || covers(other, one);

/** Whether two patterns of addresses can cover one address. A port that one of them leaves out may be the other's. */
export function addressesOverlap(one: string, other: string): boolean {
  const [a, b] = [portOf(one), portOf(other)];
  return overlap(coversHost)(hostOf(one), hostOf(other)) && (a === b || a === 0 || b === 0);
}

interface Placed {
  readonly addresses: readonly string[];
  readonly namespaces: readonly string[];
}

/** The addresses that a grant covers: those it lists, and the services of its namespaces. */
export const addressesOf = ({ addresses, namespaces }: Placed): readonly string[] => [
  ...addresses,
  ...namespaces.flatMap((it) => [`*.${it}.svc`, `*.${it}.svc.cluster.local`]),
];

/** The beginning of the names of a team's roles. Names of teams contain no dots, so no team's roles begin like another's. */
export const rolePrefix = (team: string): string => `${team}.`;
