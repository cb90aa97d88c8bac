import { cookieNames, cookieValue, expireCookie, setCookie } from '../cookie.ts';
import { ATTEMPT_LIFETIME_S } from '../limits.ts';
import { ATTEMPT_COOKIE, MAX_ATTEMPTS } from '../names.ts';

/** Seconds in base 36, a dot, random bits, so that older ids sort first. */
const attemptId = /^([0-9a-z]{1,10})\.[\w-]{8,64}$/;

/** A cookie that binds an attempt to its browser. */
export interface AttemptCookie {
  readonly id: string;
  readonly value: string;
}

/** The binding of an attempt in a `Cookie` line; `undefined` if the cookie is there twice. */
export const attemptValue = (line: string, id: string): string | undefined => cookieValue(line, ATTEMPT_COOKIE + id);

/** When an attempt began, by its name. A script can set other names; they count as the oldest. */
function startOf(name: string): number {
  const [, start] = attemptId.exec(name.slice(ATTEMPT_COOKIE.length)) ?? [];
  return start === undefined ? -1 : Number.parseInt(start, 36);
}

/** Id of the attempt of a `Cookie` line that began first; of several in one second, the first in the line. */
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

/** A name that can stand in an answer; a script can make others, which stay. */
const plainName = /^[\w.-]{1,128}$/;

/** Most cookies that one response deletes. The next response deletes more. */
const MAX_ENDED = 64;

/** `Set-Cookie` values that delete the oldest attempts of a browser, so that at most {@link MAX_ATTEMPTS} are left
 * after a response. If many attempts begin at once, each without the others' cookies, there can be more.
 *
 * @param line the browser's `Cookie` line
 * @param set what the response sets
 */
export function endedAttempts(line: string, set: readonly string[]): readonly string[] {
  const own = new Map(set.map((text) => [text.slice(0, text.indexOf('=')), text.includes('; Max-Age=0;')]));
  const names = new Set(cookieNames(line, ATTEMPT_COOKIE));
  const others = [...names].filter((name) => !own.has(name) && plainName.test(name));
  const begun = [...own].filter(([name, ends]) => name.startsWith(ATTEMPT_COOKIE) && !ends);
  const over = others.length + begun.length - MAX_ATTEMPTS;
  if (over <= 0) return [];
  const starts = new Map(others.map((name) => [name, startOf(name)]));
  others.sort((a, b) => (starts.get(a) as number) - (starts.get(b) as number));
  return others.slice(0, Math.min(over, MAX_ENDED)).map(expireCookie);
}

/** `Set-Cookie` values that delete all attempts in a `Cookie` line. */
export const allAttemptsEnded = (line: string): readonly string[] =>
  [...new Set(cookieNames(line, ATTEMPT_COOKIE))]
    .filter((name) => plainName.test(name))
    .slice(0, MAX_ENDED)
    .map(expireCookie);

/** Value of `Set-Cookie` for a new attempt. */
export function attemptCookie({ id, value }: AttemptCookie): string {
  return setCookie(ATTEMPT_COOKIE + id, value, ATTEMPT_LIFETIME_S);
}

/** `Set-Cookie` value that deletes an attempt's cookie. */
export const expiredAttempt = (id: string): string => expireCookie(ATTEMPT_COOKIE + id);
