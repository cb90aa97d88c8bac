/** IP addresses and ranges (RFC 4632, RFC 4291) as bytes: four bytes for IPv4, sixteen for IPv6. */

/** A range: the bytes of its first address, and the length of its prefix in bits. */
export interface Range {
  readonly bytes: readonly number[];
  readonly length: number;
}

function ipv4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) as string;
  const tail = last.includes('.') ? ipv4(last) : undefined;
  if (last.includes('.') && tail === undefined) return undefined;
  const words = tail === undefined ? parts : parts.slice(0, -1);
  if (!words.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined;
  return [
    ...words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]),
    ...(tail ?? []),
  ];
}

function ipv6(text: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  const [before, after] = [groups(head), groups(tail ?? '')];
  if (before === undefined || after === undefined || more.length > 0) return undefined;
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

const MAPPED = [...Array<number>(10).fill(0), 0xff, 0xff];

/** Whether sixteen bytes are an IPv4 address in IPv6's form (RFC 4291 section 2.5.5.2). */
const isMapped = (bytes: readonly number[]): boolean => MAPPED.every((byte, i) => bytes[i] === byte);

/** Returns the bytes of an address. An IPv4 address in IPv6's form becomes that IPv4 address, as in nginx. */
export function readAddress(text: string): readonly number[] | undefined {
  const bytes = text.includes(':') ? ipv6(text) : ipv4(text);
  return bytes?.length === 16 && isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** Returns the byte at an index. All bits after the first `length` bits of the address are set to zero. */
const masked = (byte: number, at: number, length: number): number =>
  byte & (0xff00 >> Math.max(0, Math.min(8, length - at * 8))) & 0xff;

/** Reads a range such as `10.0.0.0/8`; undefined for any other text. Bits after the prefix are ignored. */
export function readRange(text: string): Range | undefined {
  const [address = '', bits = '', ...more] = text.split('/');
  const bytes = address.includes(':') ? ipv6(address) : ipv4(address);
  const length = Number(bits);
  if (bytes === undefined || more.length > 0 || !/^\d{1,3}$/.test(bits) || length > bytes.length * 8) return undefined;
  return { bytes: bytes.map((byte, i) => masked(byte, i, length)), length };
}

/** Whether a range contains an address or another range. */
export function isWithin(bytes: readonly number[], range: Range, length = bytes.length * 8): boolean {
  if (bytes.length !== range.bytes.length || length < range.length) return false;
  return range.bytes.every((byte, i) => masked(bytes[i] as number, i, range.length) === byte);
}

/** Returns a range in its canonical spelling. */
export function rangeText({ bytes, length }: Range): string {
  if (bytes.length === 4) return `${bytes.join('.')}/${length}`;
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  const head = words.map((word) => word.toString(16));
  while (head.at(-1) === '0') head.pop();
  // A range of this form always ends in zeros, so the two colons come at the end.
  const text = head.length > 6 ? words.map((word) => word.toString(16)).join(':') : `${head.join(':')}::`;
  return `${text}/${length}`;
}

/** Returns an address in its canonical spelling. */
export const addressText = (bytes: readonly number[]): string =>
  rangeText({ bytes, length: bytes.length * 8 }).replace(/\/\d+$/, '');

/** Whether a range consists of IPv4 addresses in IPv6's form. nginx reads such addresses as IPv4. */
export const isMappedRange = ({ bytes, length }: Range): boolean =>
  bytes.length === 16 && length >= 96 && isMapped(bytes);
