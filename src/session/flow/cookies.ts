import { ATTEMPT_LIFETIME_S } from '../../limits.ts';
import { ATTEMPT_COOKIE, MAX_ATTEMPTS } from '../names.ts';

/** What browsers of today are told of each cookie of ours (RFC 6265bis section 4.1). */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** Seconds in base 36, a dot, random bits: older ones sort first. */
const attemptId = /^([0-9a-z]{1,10})\.[\w-]{8,64}$/;

/** A cookie that binds an attempt to its browser. */
export interface AttemptCookie {
  readonly id: string;
  readonly value: string;
}

/** The cookies of attempts in a `Cookie` line; one that is there twice is none. */
export function attemptCookies(line: string): readonly AttemptCookie[] {
  const found = new Map<string, string | undefined>();
  for (const part of line.split(';')) {
    const text = part.trim();
    const equals = text.indexOf('=');
    if (equals < 0 || !text.startsWith(ATTEMPT_COOKIE)) continue;
    const id = text.slice(ATTEMPT_COOKIE.length, equals);
    if (!attemptId.test(id)) continue;
    found.set(id, found.has(id) ? undefined : text.slice(equals + 1));
  }
  const cookies: AttemptCookie[] = [];
  for (const [id, value] of found) if (value !== undefined) cookies.push({ id, value });
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
  return `${ATTEMPT_COOKIE}${id}=${value}; ${ATTRIBUTES}; Max-Age=${ATTEMPT_LIFETIME_S}`;
}

/** Value of `Set-Cookie` that ends an attempt's cookie. */
export function expiredAttempt(id: string): string {
  return `${ATTEMPT_COOKIE}${id}=; ${ATTRIBUTES}; Max-Age=0`;
}
