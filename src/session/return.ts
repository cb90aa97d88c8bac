import { isCanonical, isOwnPath } from '../raw-path.ts';
import { MAX_RETURN_LENGTH } from './limits.ts';

/** One `/`, not followed by a second one or by `\`, which browsers read as `/`; then printable ASCII only. */
const ofThisOrigin = /^\/(?![/\\])[\x21-\x7e]*$/;

/** Encoded characters that some software reads as white space or a control: at the start of the path, or a control
 * anywhere in it. */
const blank = /^\/(?:%(?:20|85|[aA]0)|%[cC]2%(?:85|[aA]0)|%[eE][123]%8[0-9])|^[^?]*%(?:[01][0-9a-fA-F]|7[fF])/;

/** The page to return to after a sign-in: a raw request target (path and query) of the host's own origin, with a
 * canonical path. Any other target becomes `/`. */
export function safeReturn(target: string): string {
  const isSafe =
    target.length <= MAX_RETURN_LENGTH &&
    ofThisOrigin.test(target) &&
    isCanonical(target) &&
    !blank.test(target) &&
    // The gateway's own pages are no place to return to.
    !isOwnPath(target);
  return isSafe ? target : '/';
}
