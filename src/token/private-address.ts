import { isWithin, readAddress, readRange } from '../base/cidr.ts';

const rangesOf = (...texts: readonly string[]) => texts.map(readRange).filter((range) => range !== undefined);

/** Networks that are not part of the public internet (RFC 6890 and its registries). */
const PRIVATE_V4 = rangesOf(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/3'],
);

/** Translated (RFC 6052) and compatible addresses, which end in an IPv4 address, and 6to4 addresses, which contain one
 * after two bytes. `readAddress` reads a mapped address as the IPv4 address. */
const ENDING_IN_V4 = rangesOf('64:ff9b::/32', '::/96');
const SIX_TO_FOUR = rangesOf('2002::/16');

/** Global unicast addresses. All others are unique local, link-local, site-local, multicast or not assigned. */
const GLOBAL = rangesOf('2000::/3');

const isIn = (ranges: ReturnType<typeof rangesOf>, bytes: readonly number[]): boolean =>
  ranges.some((range) => isWithin(bytes, range));

/** Whether an address to which nginx has connected belongs to this machine or to a private network. A text that is not
 * an address counts as private, because it must not be trusted either.
 * @param address such as `10.0.0.7:443` or `[fd00::1]:443` */
export function isPrivateAddress(address: string): boolean {
  const inBrackets = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1];
  const text = inBrackets ?? address.replace(/:\d+$/, '');
  const isV6 = inBrackets !== undefined;
  const bytes = text.includes(':') === isV6 ? readAddress(text) : undefined;
  if (bytes === undefined) return true;
  if (bytes.length === 4) return isIn(PRIVATE_V4, bytes);
  if (isIn(ENDING_IN_V4, bytes)) return isIn(PRIVATE_V4, bytes.slice(12));
  if (isIn(SIX_TO_FOUR, bytes)) return isIn(PRIVATE_V4, bytes.slice(2, 6));
  return !isIn(GLOBAL, bytes);
}
