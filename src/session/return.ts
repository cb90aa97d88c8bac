import { MAX_RETURN_LENGTH } from '../limits.ts';
import { isCanonical, isOwnPath } from '../raw-path.ts';

/** One `/` and no second one, whatever a browser takes for one; then printable ASCII alone. */
const ofThisOrigin = /^\/(?![/\\])[\x21-\x7e]*$/;

/** What some read as white space or as a control, encoded: at the start of the path, or a control anywhere in it. */
const blank = /^\/(?:%(?:20|85|[aA]0)|%[cC]2%(?:85|[aA]0)|%[eE][123]%8[0-9])|^[^?]*%(?:[01][0-9a-fA-F]|7[fF])/;

/**
 * The page to come back to after a sign-in: a raw request target, path and query, of the host's own origin in the one
 * plain spelling that nginx lets pass; for anything else `/`.
 */
export function safeReturn(target: string): string {
  const isSafe =
    target.length <= MAX_RETURN_LENGTH &&
    ofThisOrigin.test(target) &&
    isCanonical(target) &&
    !blank.test(target) &&
    // Where the gateway answers itself: nobody comes back there.
    !isOwnPath(target);
  return isSafe ? target : '/';
}
