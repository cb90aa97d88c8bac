import { cookieNames, cookieValue, expireCookie, expireCookies, setCookie } from '../cookie.ts';
import { ATTEMPT_LIFETIME_S } from '../limits.ts';
import { ATTEMPT_COOKIE, MAX_ATTEMPTS } from '../names.ts';

/** The id of an attempt: seconds in base 36, a dot, and random bits. Sorted as texts, older ids come first. */
const attemptId = /^([0-9a-z]{1,10})\.[\w-]{8,64}$/;

/** Returns the value of an attempt's cookie in a `Cookie` line; `undefined` if there is none, or two. */
export const attemptValue = (line: string, id: string): string | undefined => cookieValue(line, ATTEMPT_COOKIE + id);

/** Returns when an attempt began, by the name of its cookie. Other names, which scripts can set, count as oldest. */
function startOf(name: string): number {
  const [, start] = attemptId.exec(name.slice(ATTEMPT_COOKIE.length)) ?? [];
  return start === undefined ? -1 : Number.parseInt(start, 36);
}

/** Returns the id of the oldest attempt in a `Cookie` line. Of equally old ones, the first in the line counts. */
export function oldestAttempt(line: string): string | undefined {
  let oldest: string | undefined;
  let first = Number.POSITIVE_INFINITY;
  for (const name of cookieNames(line, ATTEMPT_COOKIE)) {
    const start = startOf(name);
    if (start < 0 || start >= first) continue;
    first = start;
    oldest = name.slice(ATTEMPT_COOKIE.length);
  }
  return oldest;
}

/** Matches names that can be written in a response. Cookies with other names, which a script can set, stay. */
const plainName = /^[\w.-]{1,128}$/;

/** Maximum number of names whose cookies one response deletes. The next response deletes more. */
const MAX_ENDED = 32;

/** Returns `Set-Cookie` values that delete the oldest attempts of a browser, so that {@link MAX_ATTEMPTS} remain. There
 * can be more for a while: a request lacks the cookies of attempts that begin at the same time.
 * @param set the `Set-Cookie` values of the response */
export function endedAttempts(line: string, set: readonly string[]): readonly string[] {
  const own = new Map(set.map((text) => [text.slice(0, text.indexOf('=')), text.includes('; Max-Age=0;')]));
  const names = new Set(cookieNames(line, ATTEMPT_COOKIE));
  const others = [...names].filter((name) => !own.has(name) && plainName.test(name));
  const begun = [...own].filter(([name, ends]) => name.startsWith(ATTEMPT_COOKIE) && !ends);
  const over = others.length + begun.length - MAX_ATTEMPTS;
  if (over <= 0) return [];
  const starts = new Map(others.map((name) => [name, startOf(name)]));
  others.sort((a, b) => (starts.get(a) as number) - (starts.get(b) as number));
  return others.slice(0, Math.min(over, MAX_ENDED)).flatMap(expireCookies);
}

/** Returns `Set-Cookie` values that delete all attempts in a `Cookie` line. */
export function allAttemptsEnded(line: string): readonly string[] {
  const names = [...new Set(cookieNames(line, ATTEMPT_COOKIE))].filter((name) => plainName.test(name));
  return names.slice(0, MAX_ENDED).flatMap(expireCookies);
}

export const attemptCookie = ({ id, value }: { readonly id: string; readonly value: string }): string =>
  setCookie(ATTEMPT_COOKIE + id, value, ATTEMPT_LIFETIME_S);

/** Returns the `Set-Cookie` value that deletes the cookie of an attempt. */
export const expiredAttempt = (id: string): string => expireCookie(ATTEMPT_COOKIE + id);
