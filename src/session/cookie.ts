import { SESSION_COOKIE } from './names.ts';

/** Begins the session's pair. */
const SESSION = `${SESSION_COOKIE}=`;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

/** The text between two places, without white space around it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Where a cookie's pair ends. */
function endOf(line: string, from: number): number {
  const end = line.indexOf(';', from);
  return end < 0 ? line.length : end;
}

/**
 * The value of the session's cookie in a line of cookies (RFC 6265 section 4.2.1), by its exact name.
 *
 * @returns `undefined` where there is none; `twice` where there are two: neither is to be believed. No session is that text
 */
export function ownSession(line: string): string | 'twice' | undefined {
  // njs splits a long text in half of the time that it takes to look for a character in it.
  const parts = line.split(';');
  let session: string | undefined;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string;
    const pair = trimmed(part, 0, part.length);
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
  let value: string | undefined;
  for (let from = 0; from < line.length; ) {
    const end = endOf(line, from);
    const pair = trimmed(line, from, end);
    from = end + 1;
    if (!pair.startsWith(name) || pair.charCodeAt(name.length) !== 0x3d) continue;
    if (value !== undefined) return undefined;
    value = pair.slice(name.length + 1);
  }
  return value;
}

/** Names of all cookies of a line, in its order, that begin with a text. */
export function cookieNames(line: string, beginning: string): readonly string[] {
  const names: string[] = [];
  for (let from = 0; from < line.length; ) {
    const end = endOf(line, from);
    const pair = trimmed(line, from, end);
    from = end + 1;
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.startsWith(beginning)) names.push(pair.slice(0, equals));
  }
  return names;
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
