/**
 * Bytes of an IPv6 address that name its network: within a /64, a machine chooses its own addresses, as many as it likes
 * (RFC 4291 section 2.5.4, RFC 8981).
 */
export const NETWORK_BYTES = 8;

/**
 * Bytes that name its site. RFC 6177 wants each site to have many networks: home lines often have a /56, and anyone can
 * have a /48, the largest that one site usually has. What is larger belongs to a carrier.
 */
export const SITE_BYTES = 6;

/** Short names under which an address is counted. */
export interface AddressNames {
  /** The address itself; of IPv6 its network. */
  readonly own: string;
  /** Of IPv6, its site. */
  readonly site?: string;
}

/** Bytes as text, without the padding: eleven characters for eight. */
const packed = (bytes: readonly number[]): string =>
  btoa(String.fromCharCode(...bytes))
    .split('=', 1)
    .join('');

/** The network of an IPv6 address (RFC 4291 section 2.2). */
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

/**
 * Names under which an address is counted wherever addresses have a share of something. An IPv4 address that is written
 * as IPv6 is itself (RFC 4291 section 2.5.5.2).
 *
 * @param address nginx's `$remote_addr`; `unix:` for a socket
 */
export function addressNames(address: string): AddressNames {
  const v4 = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (v4.includes('.')) return { own: packed(v4.split('.').map(Number)) };
  if (!v4.includes('::') && v4.split(':').length !== 8) return { own: v4 };
  const network = networkOf(v4);
  return { own: packed(network), site: packed(network.slice(0, SITE_BYTES)) };
}
