import { ATTEMPT_LIFETIME_S } from '../../limits.ts';
import { cookieNames, cookieValue, expireCookie, setCookie } from '../cookie.ts';
import { ATTEMPT_COOKIE, MAX_ATTEMPTS } from '../names.ts';

/** Seconds in base 36, a dot, random bits: older ones sort first. */
const attemptId = /^([0-9a-z]{1,10})\.[\w-]{8,64}$/;

/** A cookie that binds an attempt to its browser. */
export interface AttemptCookie {
  readonly id: string;
  readonly value: string;
}

/** The cookies of attempts in a `Cookie` line; one that is there twice is none. */
export function attemptCookies(line: string): readonly AttemptCookie[] {
  const cookies: AttemptCookie[] = [];
  for (const name of cookieNames(line, ATTEMPT_COOKIE)) {
    const id = name.slice(ATTEMPT_COOKIE.length);
    const value = attemptId.test(id) ? cookieValue(line, name) : undefined;
    if (value !== undefined) cookies.push({ id, value });
  }
  return cookies;
}

const startOf = ({ id }: AttemptCookie): number => Number.parseInt(id.slice(0, id.indexOf('.')), 36);

/** The oldest attempts, which have to go so that there is room for one more. */
export function evicted(cookies: readonly AttemptCookie[]): readonly string[] {
  const over = cookies.length - (MAX_ATTEMPTS - 1);
  if (over <= 0) return [];
  return [...cookies]
    .sort((a, b) => startOf(a) - startOf(b))
    .slice(0, over)
    .map(({ id }) => id);
}

/** Value of `Set-Cookie` for a new attempt. */
export function attemptCookie({ id, value }: AttemptCookie): string {
  return setCookie(ATTEMPT_COOKIE + id, value, ATTEMPT_LIFETIME_S);
}

/** Value of `Set-Cookie` that ends an attempt's cookie. */
export const expiredAttempt = (id: string): string => expireCookie(ATTEMPT_COOKIE + id);
