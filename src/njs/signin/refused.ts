import { TO_PAGE } from '../../base/internal-headers.ts';
import { isBound, onceId, onceLifetime } from '../../session/flow/attempt.ts';
import { codeIn } from '../../session/flow/callback.ts';
import { MAX_REFUSED_ANSWERS, TICKET_LIFETIME_S } from '../../session/limits.ts';
import { CALLBACK_PATH, HANDOVER_PATH } from '../../session/names.ts';
import { locksDict } from '../shared/dicts.ts';
import { returned, SPOILT_S } from './callback.ts';
import { isLate, ticketOf } from './handover.ts';
import type { SigninContext } from './signin-context.ts';
import { type Visit, visitOf } from './visit.ts';

/** Something in the URL of an answer that can be used once. */
interface Shown {
  readonly id: string;
  readonly ttl: number;
  readonly isTicket?: true;
}

async function ticketShown(context: SigninContext, visit: Visit): Promise<readonly Shown[]> {
  const ticket = await ticketOf(context, visit);
  if (ticket === undefined || isLate(context, visit, ticket) || isBound(ticket.errand, visit.cookies)) return [];
  return [{ id: onceId(ticket), ttl: onceLifetime(ticket, visit.now, TICKET_LIFETIME_S), isTicket: true }];
}

async function codeShown(context: SigninContext, visit: Visit): Promise<readonly Shown[]> {
  const { now, query, cookies } = visit;
  const attempt = (await returned(context, visit))?.attempt;
  if (attempt !== undefined && isBound(attempt, cookies)) return [];
  const code = codeIn(query);
  return [
    ...(code === undefined ? [] : [{ id: await context.keyring.nameOf(code, now), ttl: SPOILT_S }]),
    ...(attempt === undefined ? [] : [{ id: onceId(attempt), ttl: onceLifetime(attempt, now) }]),
  ];
}

/** Whether this second has room for a call to the store. Anyone can cause refused answers, as many as they like. */
function mayCall(now: number): boolean {
  const count = locksDict().incr(`refused answers ${Math.floor(now)}`, 1, 0, 2000);
  return count !== undefined && count <= MAX_REFUSED_ANSWERS;
}

/** Uses up the code or the ticket in a URL that nginx refused before the sign-in's JavaScript ran, for example because of
 * a limit that a page of another site has used up in this browser. In the browser that began, it stays valid, so the
 * person can load the page again. No provider is called. */
async function useUpRefused(context: SigninContext, r: NginxHTTPRequest): Promise<void> {
  const [path = '', ...query] = (r.headersIn[TO_PAGE.target] ?? '').split('?');
  const visit = { ...visitOf(r), path, query: query.join('?') };
  const isCallback = path === CALLBACK_PATH || path.startsWith(`${CALLBACK_PATH}/`);
  if ((!isCallback && path !== HANDOVER_PATH) || query.length === 0) return;
  const shown = await (isCallback ? codeShown(context, visit) : ticketShown(context, visit));
  for (const { id, ttl } of shown) context.store.spoilHere(id, ttl);
  if (context.signin.store === undefined || shown.length === 0 || !mayCall(visit.now)) return;
  for (const { id, ttl, isTicket } of shown)
    await (isTicket ? context.store.once(id, ttl) : context.store.spoil(id, ttl));
}

/** `/.meshgate/page/REASON`: answers with the page of a refusal. */
export const refusalHandler =
  (context: SigninContext) =>
  async (r: NginxHTTPRequest): Promise<void> => {
    try {
      await useUpRefused(context, r);
    } catch (error) {
      ngx.log(ngx.ERR, `meshgate: a refused answer to a sign-in is not used up: ${(error as Error).message}`);
    }
    context.pages.refusal(r);
  };
