import { isCanonical, isOwnPath } from '../base/raw-path.ts';
import { MAX_RETURN_LENGTH } from './limits.ts';

/** Matches one `/` and printable ASCII. The second character must not be `/` or `\`: browsers read `\` as `/`. */
const ofThisOrigin = /^\/(?![/\\])[\x21-\x7e]*$/;

/** Matches characters that some software decodes as white space at the start, or as control characters anywhere. */
const blank = /^\/(?:%(?:20|85|[aA]0)|%[cC]2%(?:85|[aA]0)|%[eE][123]%8[0-9])|^[^?]*%(?:[01][0-9a-fA-F]|7[fF])/;

/** Returns the page to which a sign-in returns: a raw request target of the host's own origin, with a canonical path,
 * and not one of the gateway's own pages. Any other target becomes `/`. */
export function safeReturn(target: string): string {
  const isSafe =
    target.length <= MAX_RETURN_LENGTH &&
    ofThisOrigin.test(target) &&
    isCanonical(target) &&
    !blank.test(target) &&
    !isOwnPath(target);
  return isSafe ? target : '/';
}
