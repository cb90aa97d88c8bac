/** Beginning of the names of the gateway's cookies. nginx searches responses of services for it before any JavaScript
 * runs. */
export const OWN_PREFIX = '__Host-meshgate';

/** A `Set-Cookie` line that sets a cookie with such a name, in any case. Browsers trim blanks before a name. If a
 * cookie has no name, some browsers read its value as name and value. Some read a comma as the end of a line. */
const OWN = new RegExp(`(?:^|,)[\\x00-\\x20=]*${OWN_PREFIX}`, 'i');

/** The lines that set other cookies, unchanged. */
export const withoutOwn = (lines: readonly string[]): readonly string[] => lines.filter((line) => !OWN.test(line));
