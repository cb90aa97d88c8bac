/** A regular expression for the beginning of the names of the gateway's cookies, also of builds before 0.1.0, which
 * browsers may still have. nginx searches for it before JavaScript runs. */
export const OWN_PREFIX = '__Host-(?:Http-)?meshgate';

/** Matches a `Set-Cookie` line that sets such a cookie, in upper or lower case. Browsers remove blanks before a name.
 * Some browsers read the value of a nameless cookie as name and value, or end a line at a comma. */
const OWN = new RegExp(`(?:^|,)[\\x00-\\x20=]*${OWN_PREFIX}`, 'i');

/** Returns the lines that set other cookies, unchanged. */
export const withoutOwn = (lines: readonly string[]): readonly string[] => lines.filter((line) => !OWN.test(line));
