import { SESSION_COOKIE } from './names.ts';

/** Begins the session's pair. */
const SESSION = `${SESSION_COOKIE}=`;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

/** A cookie's pair without white space around it. */
function trimmed(pair: string): string {
  let start = 0;
  let end = pair.length;
  while (start < end && isSpace(pair.charCodeAt(start))) start++;
  while (end > start && isSpace(pair.charCodeAt(end - 1))) end--;
  return pair.slice(start, end);
}

/** njs splits a long text in half of the time that it takes to look for a character in it. */
const pairsIn = (line: string): readonly string[] => line.split(';');

/**
 * The value of the session's cookie in a line of cookies (RFC 6265 section 4.2.1), by its exact name.
 *
 * @returns `undefined` where there is none; `twice` where there are two: neither is to be believed. No session is that text
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

/**
 * The value of a cookie by its exact name.
 *
 * @returns `undefined` where there is none, and where there are two: neither is to be believed
 */
export function cookieValue(line: string, name: string): string | undefined {
  const [own, ...more] = pairsIn(line)
    .map(trimmed)
    .filter((pair) => pair.startsWith(`${name}=`));
  return more.length > 0 ? undefined : own?.slice(name.length + 1);
}

/** Names of all cookies of a line, in its order, that begin with a text. */
export function cookieNames(line: string, beginning: string): readonly string[] {
  const pairs = pairsIn(line)
    .map(trimmed)
    .filter((pair) => pair.startsWith(beginning) && pair.indexOf('=') > 0);
  return pairs.map((pair) => pair.slice(0, pair.indexOf('=')));
}

/** What `__Host-` asks for, kept from scripts; Lax, so that a link from elsewhere comes in with it. */
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

/** A `Set-Cookie` value that takes a cookie of the gateway away, with the attributes that it was set with. */
export const expireCookie = (name: string): string => setCookie(name, '', 0);
