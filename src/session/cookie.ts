import { SESSION_COOKIE } from './names.ts';

/** The session cookie's name with its `=`. */
const SESSION = `${SESSION_COOKIE}=`;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

/** A cookie's pair without surrounding white space. */
function trimmed(pair: string): string {
  let start = 0;
  let end = pair.length;
  while (start < end && isSpace(pair.charCodeAt(start))) start++;
  while (end > start && isSpace(pair.charCodeAt(end - 1))) end--;
  return pair.slice(start, end);
}

/** Splits a line of cookies. In njs, splitting a long text takes half as long as searching it for a character. */
const pairsIn = (line: string): readonly string[] => line.split(';');

/** The value of the session cookie in a `Cookie` line (RFC 6265 section 4.2.1), by its exact name.
 *
 * @returns `undefined` if there is none; `twice` if there are two, because neither can be trusted. No session has that
 * text.
 */
export function ownSession(line: string): string | 'twice' | undefined {
  const parts = pairsIn(line);
  let session: string | undefined;
  for (let i = 0; i < parts.length; i++) {
    const pair = trimmed(parts[i] as string);
    if (!pair.startsWith(SESSION)) continue;
    if (session !== undefined) return 'twice';
    session = pair.slice(SESSION.length);
  }
  return session;
}

/** The value of a cookie by its exact name.
 *
 * @returns `undefined` if there is none or if there are two, because neither can be trusted
 */
export function cookieValue(line: string, name: string): string | undefined {
  const [own, ...more] = pairsIn(line)
    .map(trimmed)
    .filter((pair) => pair.startsWith(`${name}=`));
  return more.length > 0 ? undefined : own?.slice(name.length + 1);
}

/** Names of all cookies of a line that begin with a text, in the line's order. */
export function cookieNames(line: string, beginning: string): readonly string[] {
  const pairs = pairsIn(line)
    .map(trimmed)
    .filter((pair) => pair.startsWith(beginning) && pair.indexOf('=') > 0);
  return pairs.map((pair) => pair.slice(0, pair.indexOf('=')));
}

/** The attributes that `__Host-` requires, and `HttpOnly`. `Lax` lets the browser send the cookie when somebody follows
 * a link from another site. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/**
 * A `Set-Cookie` value for a cookie of the gateway.
 *
 * @param name from src/session/names.ts
 * @param value letters, digits, `_`, `-` and `.`
 * @param maxAge seconds; absent: until the browser is closed
 */
export function setCookie(name: string, value: string, maxAge?: number): string {
  return `${name}=${value}; ${maxAge === undefined ? '' : `Max-Age=${maxAge}; `}${ATTRIBUTES}`;
}

/** A `Set-Cookie` value that deletes a cookie of the gateway, with the attributes that it was set with. */
export const expireCookie = (name: string): string => setCookie(name, '', 0);
