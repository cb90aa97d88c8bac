import { type ReasonCode, reasons } from '../../base/reasons.ts';
import { plainChallenge } from '../../rules/decide/challenge.ts';
import { expireCookie } from '../../session/cookie.ts';
import { endedAttempts } from '../../session/flow/attempt-cookies.ts';
import { SESSION_COOKIE } from '../../session/names.ts';
import type { RefusedPage } from '../../session/pages/types.ts';
import { expiredForService } from '../../session/service-cookies.ts';
import { counterName, increment } from '../shared/counts.ts';
import { respond, sendProblem } from '../shared/problem.ts';
import type { Pages } from './page.ts';
import type { SigninContext } from './signin-context.ts';
import { type Visit, visitedHost, visitOf } from './visit.ts';

/** Lets the browser empty its cache of the host, so that the next person sees no page of the person before: neither
 * one that a service let browsers store, nor with the back button. `"cookies"` would clear the whole site. */
export function emptyCache({ r }: Visit): void {
  r.headersOut['Clear-Site-Data'] = '"cache"';
}

const SIGNED_OUT = expireCookie(SESSION_COOKIE);

/** Sets cookies, one line for each. If the browser has too many attempts, it also deletes the oldest ones. A response
 * that deletes the session's cookie also empties the cache. */
export function setCookies(visit: Visit, cookies: readonly string[]): void {
  const { r, cookies: line } = visit;
  const all = [...cookies, ...endedAttempts(line, cookies)];
  if (all.length > 0) r.headersOut['Set-Cookie'] = all;
  if (cookies.includes(SIGNED_OUT)) emptyCache(visit);
}

/** Redirects the browser. It forbids a referrer, because the URL contains codes and states. */
export function redirect(visit: Visit, url: string, cookies: readonly string[] = []): void {
  const { r } = visit;
  setCookies(visit, cookies);
  r.headersOut['Cache-Control'] = 'no-store';
  r.headersOut['Referrer-Policy'] = 'no-referrer';
  respond(r, 303, url);
}

/** Returns `Set-Cookie` values that delete the cookies of services in this browser, when a person signs out or another
 * one may sign in. If all services of the host name their session cookies, the others stay. */
export function serviceCookiesEnded({ signin }: SigninContext, { host, serviceCookies }: Visit): readonly string[] {
  const there = visitedHost(signin, host);
  if (there === undefined) return [];
  return expiredForService(there.namesAllCookies ? '' : serviceCookies, there.sessionCookies);
}

/** Answers with the page of a refusal and the status of its reason. */
export function refuseWith(
  pages: Pages,
  visit: Visit,
  reason: ReasonCode,
  more: Pick<RefusedPage, 'detail' | 'retry'> & { readonly cookies?: readonly string[] } = {},
): void {
  const { r, host, requestId } = visit;
  const { detail, retry, cookies = [] } = more;
  const { status } = reasons[reason];
  increment(counterName('signin', [reason]));
  setCookies(visit, cookies);
  if (status === 503) r.headersOut['Retry-After'] = '1';
  if (status === 401) r.headersOut['WWW-Authenticate'] = plainChallenge(host);
  pages.answer(r, status, { kind: 'refused', host, reason, requestId, detail, retry });
}

/** Refuses a method that an endpoint does not support. */
export function refuseMethod({ r }: Visit, allowed: string): void {
  r.headersOut.Allow = allowed;
  r.headersOut['Cache-Control'] = 'no-store';
  respond(r, 405, '');
}

/** Makes a `js_content` handler. An error is logged in one line, and the browser gets a page without details.
 * @param what name of this part of the sign-in, for the log */
export function handlerOf(
  context: SigninContext,
  what: string,
  handle: (context: SigninContext, visit: Visit) => Promise<void>,
) {
  return async (r: NginxHTTPRequest): Promise<void> => {
    const visit = visitOf(r);
    try {
      await handle(context, visit);
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: ${what}: ${(error as Error).message}`);
      refuseWith(context.pages, visit, 'check_unavailable');
    }
  };
}

/** Answers 401 with a challenge (RFC 6750 section 3). This is for programs, which cannot sign in. */
export function challenge({ r, host }: Visit): void {
  const reason = 'credential_missing';
  increment(counterName('signin', [reason]));
  sendProblem(r, host, { reason });
}
