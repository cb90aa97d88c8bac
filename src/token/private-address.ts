/** Networks that are not part of the public internet (RFC 6890 and its registries), by their first bits. */
const PRIVATE_V4: readonly (readonly [first: number, bits: number])[] = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
  [0xe0000000, 3],
];

function v4Of(text: string): number | undefined {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (bytes === undefined || bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

const isPrivateV4 = (address: number): boolean =>
  PRIVATE_V4.some(([first, bits]) => address >= first && address < first + 2 ** (32 - bits));

/** Returns the eight groups of an IPv6 address (RFC 4291 section 2.2). */
function v6Of(text: string): readonly number[] | undefined {
  const dotted = /^(.*:)(\d+\.[\d.]+)$/.exec(text);
  const last = dotted === null ? undefined : v4Of(dotted[2] as string);
  if (dotted !== null && last === undefined) return undefined;
  const plain =
    last === undefined ? text : `${dotted?.[1]}${Math.floor(last / 65536).toString(16)}:${(last % 65536).toString(16)}`;
  const halves = plain.split('::');
  if (halves.length > 2) return undefined;
  const [before = [], after = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - before.length - after.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...after];
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((it) => Number.parseInt(it, 16))
    : undefined;
}

function isPrivateV6(groups: readonly number[]): boolean {
  const [a = 0, b = 0, , , , f = 0, g = 0, h = 0] = groups;
  const inner = g * 65536 + h;
  const isZero = (count: number) => groups.slice(0, count).every((group) => group === 0);
  // IPv4 inside IPv6: mapped, compatible, translated (RFC 6052) and 6to4 addresses.
  if (isZero(5) && (f === 0xffff || f === 0)) return isPrivateV4(inner);
  if (a === 0x64 && b === 0xff9b) return isPrivateV4(inner);
  if (a === 0x2002) return isPrivateV4(b * 65536 + (groups[2] ?? 0));
  // Unique local, link-local, site-local and multicast addresses, and all others that are not global unicast.
  return (a & 0xe000) !== 0x2000;
}

/** Whether an address to which nginx has connected belongs to this machine or to a private network. A text that is not
 * an address counts as private, because it must not be trusted either.
 * @param address such as `10.0.0.7:443` or `[fd00::1]:443` */
export function isPrivateAddress(address: string): boolean {
  const host = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1];
  if (host !== undefined) {
    const groups = v6Of(host);
    return groups === undefined || isPrivateV6(groups);
  }
  const v4 = v4Of(address.replace(/:\d+$/, ''));
  return v4 === undefined || isPrivateV4(v4);
}
