import { MAX_HEADER_VALUE } from '../limits.ts';

/** Half of a surrogate pair standing alone, which has no UTF-8. */
const loneSurrogate = /\p{Surrogate}/gu;

/** What a header value may not hold as it is: all but printable ASCII, `%`, `,`, and spaces at the ends. */
const unsafe = /[^\x20-\x7e]+|[%,]|^ +|(?<! ) +$/g;

/** Whether nothing is to be done, as for most values. An engine's own function sees it in half the time of a pattern. */
function isPlain(text: string): boolean {
  try {
    return encodeURI(text) === text && !text.includes(',');
  } catch {
    return false; // a lone surrogate
  }
}

/**
 * Makes any text safe as a header value and as an element of a list: everything unsafe becomes `%` and two hex digits
 * for each byte of its UTF-8, so that `decodeURIComponent` gives the text back. Lone surrogates become U+FFFD.
 */
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

/** Encoding makes at most nine characters of one, so that short values need not be encoded to be measured. */
export function isTooLong(value: string): boolean {
  return value.length > MAX_HEADER_VALUE / 9 && encodeValue(value).length > MAX_HEADER_VALUE;
}
