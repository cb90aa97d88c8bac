/** Prefix of the names of the gateway's cookies. nginx searches the responses of services for it before JavaScript
 * runs. */
export const OWN_PREFIX = '__Host-meshgate';

/** Matches a `Set-Cookie` line that sets a cookie with such a name, in any case. Browsers remove blanks before a name.
 * If a cookie has no name, some browsers parse its value as name and value. Some browsers end a line at a comma. */
const OWN = new RegExp(`(?:^|,)[\\x00-\\x20=]*${OWN_PREFIX}`, 'i');

/** Returns the lines that set other cookies, unchanged. */
export const withoutOwn = (lines: readonly string[]): readonly string[] => lines.filter((line) => !OWN.test(line));
