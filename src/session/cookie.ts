import { MAX_COOKIES } from './limits.ts';
import { SESSION_COOKIE } from './names.ts';

const SESSION = `${SESSION_COOKIE}=`;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

/** Returns one cookie of a line without surrounding white space. */
function trimmed(pair: string): string {
  let start = 0;
  let end = pair.length;
  while (start < end && isSpace(pair.charCodeAt(start))) start++;
  while (end > start && isSpace(pair.charCodeAt(end - 1))) end--;
  return pair.slice(start, end);
}

/** Splits a line of cookies, up to the first one too many. In njs, splitting a long text is twice as fast as searching it
 * for a character. */
const pairsIn = (line: string): readonly string[] => line.split(';', MAX_COOKIES + 1);

/** Returns the value of the session cookie in a `Cookie` line (RFC 6265 section 4.2.1). The name must match exactly.
 * @returns `undefined` if there is none; `twice`, never a value, if there are two, as one may be forged, or if there are
 * too many cookies to know */
export function ownSession(line: string): string | 'twice' | undefined {
  const parts = pairsIn(line);
  if (parts.length > MAX_COOKIES) return 'twice';
  let session: string | undefined;
  for (let i = 0; i < parts.length; i++) {
    const pair = trimmed(parts[i] as string);
    if (!pair.startsWith(SESSION)) continue;
    if (session !== undefined) return 'twice';
    session = pair.slice(SESSION.length);
  }
  return session;
}

/** Maximum number of session cookies of one request that are opened. A browser sends one, or one of each form. */
const MAX_SESSIONS = 8;

/** Returns the values of all session cookies in a line, for a sign-out and for what a new session replaces. */
export const sessionValues = (line: string): readonly string[] =>
  pairsIn(line)
    .map(trimmed)
    .filter((pair) => pair.startsWith(SESSION))
    .slice(0, MAX_SESSIONS)
    .map((pair) => pair.slice(SESSION.length));

/** Returns the value of a cookie with exactly this name; `undefined` if there is none, or two: one may be forged. */
export function cookieValue(line: string, name: string): string | undefined {
  const pairs = pairsIn(line);
  if (pairs.length > MAX_COOKIES) return undefined;
  const [own, ...more] = pairs.map(trimmed).filter((pair) => pair.startsWith(`${name}=`));
  return more.length > 0 ? undefined : own?.slice(name.length + 1);
}

/** Returns the names of cookies in a line that begin with a text, in the line's order: of the first {@link MAX_COOKIES}. */
export function cookieNames(line: string, beginning: string): readonly string[] {
  const pairs = pairsIn(line).slice(0, MAX_COOKIES).map(trimmed);
  const ours = pairs.filter((pair) => pair.startsWith(beginning) && pair.indexOf('=') > 0);
  return ours.map((pair) => pair.slice(0, pair.indexOf('=')));
}

/** The attributes that `__Host-` requires, `HttpOnly` and `SameSite`. With `Lax`, a link from another site sends the
 * cookie. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** Returns a `Set-Cookie` value for a cookie of the gateway.
 * @param name one of the names in src/session/names.ts
 * @param value only letters, digits, `_`, `-` and `.`
 * @param maxAge seconds; absent: the cookie lasts until the browser is closed */
export function setCookie(name: string, value: string, maxAge?: number): string {
  return `${name}=${value}; ${maxAge === undefined ? '' : `Max-Age=${maxAge}; `}${ATTRIBUTES}`;
}

/** Returns a `Set-Cookie` value that deletes a cookie of the gateway, with the attributes with which it was set. */
export const expireCookie = (name: string): string => setCookie(name, '', 0);

/** Returns a `Set-Cookie` value that deletes a partitioned cookie (CHIPS) with a name of the gateway. The gateway sets no
 * such cookie, but a script can, in a browser that does not know the prefix of the name. A browser without partitions
 * deletes the cookie itself, so this comes before a line that sets it. */
const expirePartitioned = (name: string): string => `${expireCookie(name)}; Partitioned`;

/** Returns `Set-Cookie` values that delete all cookies with a name of the gateway. */
export const expireCookies = (name: string): readonly string[] => [expirePartitioned(name), expireCookie(name)];

/** Returns `Set-Cookie` values for a new session, which is then the only one of the browser. */
export const newSessionCookies = (value: string): readonly string[] => [
  expirePartitioned(SESSION_COOKIE),
  setCookie(SESSION_COOKIE, value),
];
