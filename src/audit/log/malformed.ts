/** The error for data that does not have the form that its specification demands. Its message says what is wrong. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** Decodes the standard base64 of RFC 4648 section 4. Each value has exactly one text.
 * @param what the name of the text in the error */
export function base64Bytes(text: string, what: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new Malformed(`${what} is not base64`);
  return bytes;
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Parses a decimal number without leading zeroes, at most 2^53 - 1.
 * @param what the name of the number in the error */
export function decimal(text: string, what: string): number {
  const value = Number(text);
  if (!/^(0|[1-9]\d*)$/.test(text)) throw new Malformed(`${what} is not a decimal number without leading zeroes`);
  if (!Number.isSafeInteger(value)) throw new Malformed(`${what} is greater than 2^53 - 1`);
  return value;
}

/** Decodes UTF-8, in the same way on all engines; undefined if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  // njs decodes a surrogate, which is not UTF-8, and encodes it again.
  if (bytes.some((byte, at) => byte === 0xed && (bytes[at + 1] ?? 0) >= 0xa0)) return undefined;
  const text = Buffer.from(bytes).toString('utf8');
  // A text that contains the replacement character itself encodes to the same bytes again.
  return text.includes('\ufffd') && !sameBytes(Buffer.from(text), bytes) ? undefined : text;
}

/** Decodes UTF-8.
 * @param what the name of the text in the error */
export function utf8(bytes: Uint8Array, what: string): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new Malformed(`${what} is not UTF-8`);
  return text;
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
