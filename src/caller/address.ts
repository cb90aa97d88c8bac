/** Bytes as text without padding: eleven characters for eight bytes. */
const packed = (bytes: readonly number[]): string =>
  btoa(String.fromCharCode(...bytes))
    .split('=', 1)
    .join('');

/** The first four groups of an IPv6 address (RFC 4291 section 2.2): its network. */
function networkOf(address: string): readonly number[] {
  const [left = '', right] = address.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/** A short name for the client of an address. For IPv6 it is the /64 network, because a client that has one of its
 * addresses has them all (RFC 6177). An IPv4 address in IPv6's form is that IPv4 address (RFC 4291 section 2.5.5.2).
 *
 * @param address nginx's `$remote_addr`; `unix:` for a socket
 */
export function addressName(address: string): string {
  const v4 = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (v4.includes('.')) return packed(v4.split('.').map(Number));
  return v4.includes('::') || v4.split(':').length === 8 ? packed(networkOf(v4)) : v4;
}
