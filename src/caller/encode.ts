import { MAX_HEADER_VALUE } from '../limits.ts';

/** An unpaired surrogate. UTF-8 cannot encode it. */
const loneSurrogate = /\p{Surrogate}/gu;

/** The characters that must be encoded in a header value: all except printable ASCII, `%`, `,`, and spaces at the ends. */
const unsafe = /[^\x20-\x7e]+|[%,]|^ +|(?<! ) +$/g;

/** Whether a text needs no encoding, as is true for most values. The engine's own function is twice as fast as a
 * pattern. */
function isPlain(text: string): boolean {
  try {
    return encodeURI(text) === text && !text.includes(',');
  } catch {
    return false; // a lone surrogate
  }
}

/** Encodes any text so that it is safe as a header value and as an element of a list. An unsafe character becomes `%`
 * and two hex digits for each byte of its UTF-8, so `decodeURIComponent` returns the text. Unpaired surrogates become
 * U+FFFD. */
export function encodeValue(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(loneSurrogate, '\ufffd').replace(unsafe, encodeURIComponent);
}

/** Joins list elements with commas. {@link encodeValue} encodes all commas inside elements. Empty elements are left
 * out. */
export function encodeList(values: readonly string[]): string {
  return values
    .map(encodeValue)
    .filter((value) => value !== '')
    .join(',');
}

/** Whether an encoded value is too long. Encoding makes at most nine characters of one, so a short value need not be
 * encoded to know this. */
export function isTooLong(value: string): boolean {
  return value.length > MAX_HEADER_VALUE / 9 && encodeValue(value).length > MAX_HEADER_VALUE;
}
