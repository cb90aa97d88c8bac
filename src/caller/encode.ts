import { MAX_HEADER_VALUE } from '../base/limits.ts';

/** An unpaired surrogate. UTF-8 cannot encode it. */
const loneSurrogate = /\p{Surrogate}/gu;

/** The characters that must be encoded in a header value: all except printable ASCII, `%`, `,`, and spaces at the ends. */
const unsafe = /[^\x20-\x7e]+|[%,]|^ +|(?<! ) +$/g;

/** Whether a text needs no encoding. Most values need none. The engine's own function is twice as fast as a pattern. */
function isPlain(text: string): boolean {
  try {
    return encodeURI(text) === text && !text.includes(',');
  } catch {
    return false; // a lone surrogate
  }
}

/** Encodes any text so that it is safe as a header value and as an element of a list: an unsafe character becomes `%`
 * and two hex digits per byte of its UTF-8, as for `decodeURIComponent`. An unpaired surrogate counts as U+FFFD. */
export function encodeValue(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(loneSurrogate, '\ufffd').replace(unsafe, encodeURIComponent);
}

/** Joins list elements with commas, which {@link encodeValue} encodes inside elements. Empty elements are left out. */
export function encodeList(values: readonly string[]): string {
  const encoded = values.map(encodeValue);
  return encoded.filter((value) => value !== '').join(',');
}

/** Whether an encoded value is too long. One character becomes at most nine, so a short value is not encoded. */
export function isTooLong(value: string): boolean {
  return value.length > MAX_HEADER_VALUE / 9 && encodeValue(value).length > MAX_HEADER_VALUE;
}

/** Returns a text that is cut at a length, for the log. U+FFFD stands for the rest. */
export const shorten = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most)}\ufffd` : text;

/** Returns JSON of only printable ASCII, so that it can be a part of a header. */
export const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
