import { isCanonical, isOwnPath } from '../raw-path.ts';
import { MAX_RETURN_LENGTH } from './limits.ts';

/** Matches a text that begins with one `/` and continues with printable ASCII only. The second character must not be
 * `/`, or `\`, which browsers read as `/`. */
const ofThisOrigin = /^\/(?![/\\])[\x21-\x7e]*$/;

/** Matches encoded characters that some software reads as white space or control characters. White space matters at the
 * start of the path; a control character matters anywhere in it. */
const blank = /^\/(?:%(?:20|85|[aA]0)|%[cC]2%(?:85|[aA]0)|%[eE][123]%8[0-9])|^[^?]*%(?:[01][0-9a-fA-F]|7[fF])/;

/** Returns the page to which a sign-in returns: a raw request target (path and query) of the host's own origin, with a
 * canonical path. Any other target becomes `/`. */
export function safeReturn(target: string): string {
  const isSafe =
    target.length <= MAX_RETURN_LENGTH &&
    ofThisOrigin.test(target) &&
    isCanonical(target) &&
    !blank.test(target) &&
    // A sign-in must not return to the gateway's own pages.
    !isOwnPath(target);
  return isSafe ? target : '/';
}
