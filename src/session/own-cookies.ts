/** How the names of the gateway's cookies begin: nginx looks for it in answers of services, before any JavaScript runs. */
export const OWN_PREFIX = '__Host-meshgate';

/**
 * A line of `Set-Cookie` that sets a cookie with such a name, in any case. Browsers trim blanks before a name. Some take
 * a cookie without a name for its value, which then reads as name and value, and some take a comma for the end of a line.
 */
const OWN = new RegExp(`(?:^|,)[\\x00-\\x20=]*${OWN_PREFIX}`, 'i');

/** The lines that set other cookies, as they are. */
export const withoutOwn = (lines: readonly string[]): readonly string[] => lines.filter((line) => !OWN.test(line));
