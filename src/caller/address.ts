/** Number of bytes of an IPv6 address that name its network. Within a /64, a machine can choose any number of addresses
 * for itself (RFC 4291 section 2.5.4, RFC 8981). */
export const NETWORK_BYTES = 8;

/** Number of bytes of an IPv6 address that name its site. A site has many networks (RFC 6177): a home line often has a
 * /56, and anyone can get a /48, usually the largest block of one site. Larger blocks belong to carriers. */
export const SITE_BYTES = 6;

/** The short names under which an address is counted. */
export interface AddressNames {
  /** The IPv4 address, or the network of the IPv6 address. */
  readonly own: string;
  /** The site of the IPv6 address; absent for IPv4. */
  readonly site?: string;
}

/** Returns bytes as text without padding: eleven characters for eight bytes. */
const packed = (bytes: readonly number[]): string => btoa(String.fromCharCode(...bytes)).split('=', 1)[0] as string;

/** Returns the bytes of the network of an IPv6 address (RFC 4291 section 2.2). */
function networkOf(address: string): readonly number[] {
  const [left = '', right] = address.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, NETWORK_BYTES / 2).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/** Returns the names under which an address is counted if addresses share a budget or places. An IPv4 address in IPv6's
 * form counts as that IPv4 address (RFC 4291 section 2.5.5.2).
 * @param address `$remote_addr` of nginx; `unix:` for a socket */
export function addressNames(address: string): AddressNames {
  const v4 = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (v4.includes('.')) return { own: packed(v4.split('.').map(Number)) };
  if (!v4.includes('::') && v4.split(':').length !== 8) return { own: v4 };
  const network = networkOf(v4);
  return { own: packed(network), site: packed(network.slice(0, SITE_BYTES)) };
}
