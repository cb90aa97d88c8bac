import { MAX_HEADER_VALUE } from '../limits.ts';

/** An unpaired surrogate, which UTF-8 cannot express. */
const loneSurrogate = /\p{Surrogate}/gu;

/** What a header value must not contain unencoded: all but printable ASCII, `%`, `,`, and spaces at the ends. */
const unsafe = /[^\x20-\x7e]+|[%,]|^ +|(?<! ) +$/g;

/** Whether nothing needs encoding, as for most values. The engine's own function finds that in half the time of a
 * pattern. */
function isPlain(text: string): boolean {
  try {
    return encodeURI(text) === text && !text.includes(',');
  } catch {
    return false; // a lone surrogate
  }
}

/** Makes any text safe as a header value and as an element of a list. Everything unsafe becomes `%` and two hex digits
 * for each byte of its UTF-8, so that `decodeURIComponent` returns the text. Unpaired surrogates become U+FFFD. */
export function encodeValue(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(loneSurrogate, '\ufffd').replace(unsafe, encodeURIComponent);
}

/** Joins list elements with a comma, which {@link encodeValue} leaves in none of them. Empty elements are left out. */
export function encodeList(values: readonly string[]): string {
  return values
    .map(encodeValue)
    .filter((value) => value !== '')
    .join(',');
}

/** Encoding makes at most nine characters of one, so short values need not be encoded to be measured. */
export function isTooLong(value: string): boolean {
  return value.length > MAX_HEADER_VALUE / 9 && encodeValue(value).length > MAX_HEADER_VALUE;
}
