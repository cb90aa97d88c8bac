/** A strict parser of DER (X.690 section 10), for the parts that X.509 certificates and private keys need. */

/** One element: its tag, and the position of its contents. */
export interface Element {
  readonly tag: number;
  readonly bytes: Uint8Array;
  /** Index of the first byte of the contents. */
  readonly start: number;
  /** Index of the first byte after the contents. */
  readonly end: number;
}

export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** Returns the tag of an explicit `[n]`, which contains other elements. */
export const explicit = (n: number): number => 0xa0 | n;

/** Returns the tag of an implicit `[n]`, which replaces the tag of a primitive element. */
export const implicit = (n: number): number => 0x80 | n;

/** Returns the element that begins at a given index and does not exceed `end`; undefined if the bytes are not DER: the
 * length is indefinite, not in its shortest form, or too large; or the tag has several bytes. */
export function elementAt(bytes: Uint8Array, at: number, end: number = bytes.length): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > end || (tag & 0x1f) === 0x1f) return undefined;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count < 1 || count > 3 || start + count > end) return undefined;
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + i] as number);
    if (length < 0x80 || (count > 1 && length < 256 ** (count - 1))) return undefined;
    start += count;
  }
  return start + length > end ? undefined : { tag, bytes, start, end: start + length };
}

/** Returns the elements that exactly fill the contents of another element with this tag; undefined if they do not. */
export function within(outer: Element | undefined, tag: number = TAG.sequence): readonly Element[] | undefined {
  if (outer?.tag !== tag) return undefined;
  const elements: Element[] = [];
  for (let at = outer.start; at < outer.end; ) {
    const element = elementAt(outer.bytes, at, outer.end);
    if (element === undefined) return undefined;
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/** Returns the element that the bytes consist of; undefined if more bytes follow it. */
export function entire(bytes: Uint8Array): Element | undefined {
  const element = elementAt(bytes, 0);
  return element?.end === bytes.length ? element : undefined;
}

/** Returns the contents of an element, without a copy. */
export const contents = ({ bytes, start, end }: Element): Uint8Array => bytes.subarray(start, end);

/** Returns the contents as text with one byte per character; undefined if a byte is not printable ASCII. */
export function ascii(element: Element): string | undefined {
  const text = String.fromCharCode(...contents(element));
  return /^[ -~]*$/.test(text) ? text : undefined;
}

/** Returns the contents of a BIT STRING of whole bytes; undefined if it has another tag or unused bits. */
export function bitString(element: Element | undefined, tag: number = TAG.bitString): Uint8Array | undefined {
  if (element?.tag !== tag || element.bytes[element.start] !== 0 || element.end === element.start) return undefined;
  return element.bytes.subarray(element.start + 1, element.end);
}

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Returns the bytes of an object identifier in hexadecimal, such as `551d11`. */
export const objectId = (element: Element | undefined): string | undefined =>
  element?.tag === TAG.objectId ? hex(contents(element)) : undefined;

/** Returns a time in a certificate (RFC 5280 section 4.1.2.5), in seconds since the epoch; undefined for another form, or
 * a date that does not exist. */
export function readTime(element: Element | undefined): number | undefined {
  const text = element && ascii(element);
  const digits = element?.tag === TAG.utcTime ? 2 : element?.tag === TAG.generalizedTime ? 4 : 0;
  if (text === undefined || digits === 0 || !/^(?:\d{12}|\d{14})Z$/.test(text) || text.length !== digits + 11) {
    return undefined;
  }
  const written = Number(text.slice(0, digits));
  const year = digits === 4 ? written : written < 50 ? 2000 + written : 1900 + written;
  const [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map((at) => text.slice(digits + at, digits + at + 2));
  const iso = `${String(year).padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const ms = Date.parse(iso);
  // `Date` changes a date that does not exist to a day in the next month. The comparison detects this.
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms / 1000;
}
