/* A session cookie of a service belongs to the person in whose response the service set it. The gateway marks the value in the
 * response, removes the mark from requests of the same person, and passes the cookie on for no other person. The mark is
 * no secret: it prevents confusion in a shared browser, and does not stop a person who edits cookies. */

/** The beginning of a mark, at the end of a cookie's value. */
const MARK = '~mg-';
const MARK_LENGTH = 20;

/** Matches a cookie with a mark in a `Cookie` line. nginx searches for it before JavaScript runs. */
export const MARKED = `${MARK}[A-Za-z0-9_-]{16}[ \\t]*(?:;|$)`;

const ENDS_WITH_MARK = new RegExp(`${MARK}[A-Za-z0-9_-]{16}$`);

/** Which cookies of a service are marked: those with these names; absent: those that scripts cannot read. A script that
 * reads a cookie would also read its mark. */
export type SessionCookies = readonly string[] | undefined;

/** Returns the mark for cookies of one caller.
 * @param digest a hash of what identifies the caller to services, in base64url */
export const markOf = (digest: string): string => MARK + digest.slice(0, MARK_LENGTH - MARK.length);

/** Returns the names of a route's service, as nginx keeps them; undefined for an empty text. */
export const readNames = (text: string | undefined): SessionCookies =>
  text === undefined || text === '' ? undefined : text.split(' ').filter((name) => name !== NONE);

/** Stands for an empty list of names. */
const NONE = ',';

/** Writes names for {@link readNames}. */
export const namesText = (names: readonly string[]): string => (names.length === 0 ? NONE : names.join(' '));

const HTTP_ONLY = /;\s*httponly\s*(?:;|$)/i;

/** Returns the lines that set cookies, with the mark of a caller at the values of session cookies. Cookies without a value
 * stay as they are, because they delete others (RFC 6265 section 4.1). */
export function withMark(lines: readonly string[], names: SessionCookies, mark: string): readonly string[] {
  return lines.map((line) => {
    const end = line.indexOf(';');
    const pair = (end < 0 ? line : line.slice(0, end)).trimEnd();
    const at = pair.indexOf('=');
    if (at < 1 || pair.slice(at + 1).trim() === '') return line;
    const isSession = names === undefined ? HTTP_ONLY.test(line) : names.includes(pair.slice(0, at).trim());
    return isSession ? pair + mark + (end < 0 ? '' : line.slice(end)) : line;
  });
}

/** Returns a `Cookie` line without the cookies of other callers, and without marks. Of the cookies that the policy names,
 * those without a mark are left out too: the gateway did not see the service set them for this caller. */
export function cookiesFor(line: string, names: SessionCookies, mark: string): string {
  const kept: string[] = [];
  for (const part of line.split(';')) {
    const pair = part.trim();
    if (!ENDS_WITH_MARK.test(pair)) {
      if (names?.includes(pair.slice(0, Math.max(0, pair.indexOf('='))).trimEnd()) !== true) kept.push(pair);
    } else if (pair.endsWith(mark)) kept.push(pair.slice(0, -MARK_LENGTH));
  }
  return kept.filter((pair) => pair !== '').join('; ');
}

/** The longest text with which a response deletes cookies of services, in characters. Proxies in front of the gateway
 * have little room for headers. */
const MAX_DELETED = 2048;

const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Returns `Set-Cookie` values that delete cookies of services, as many as fit.
 * @param named pairs of a name and a path, of cookies that the policy names
 * @param line the `Cookie` line with cookies whose path is `/`, because the browser sent them with a request to the gateway */
export function expiredForService(line: string, named: readonly (readonly [string, string])[]): readonly string[] {
  const sent = line.split(';').map((part) => part.slice(0, Math.max(0, part.indexOf('='))).trim());
  const pairs = [...named, ...sent.map((name) => [name, '/'] as const)];
  const lines = pairs.flatMap(([name, path]) =>
    COOKIE_NAME.test(name) ? [`${name}=; Path=${path}; Max-Age=0; Secure; HttpOnly`] : [],
  );
  const fitting: string[] = [];
  let length = 0;
  for (const one of new Set(lines)) {
    length += one.length;
    if (length <= MAX_DELETED) fitting.push(one);
  }
  return fitting;
}
