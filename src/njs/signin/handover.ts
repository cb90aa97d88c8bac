import { isBound, isOver, onceId, onceLifetime } from '../../session/flow/attempt.ts';
import { expiredAttempt } from '../../session/flow/attempt-cookies.ts';
import { readTicket, type Ticket } from '../../session/flow/errand.ts';
import { parameterValues, parseParams } from '../../session/flow/query.ts';
import { TICKET_LIFETIME_S } from '../../session/limits.ts';
import { signinProvider } from '../../session/signin-table.ts';
import { httpsOrigin } from '../../session/urls.ts';
import { begin } from './begin.ts';
import { redirect, refuseMethod, refuseWith } from './browser-answer.ts';
import { arrive, goneAfter } from './establish.ts';
import type { SigninContext } from './signin-context.ts';
import type { Visit } from './visit.ts';

/** Returns the ticket in a query, if the ticket is for this host. */
export async function ticketOf(
  { keyring, signin }: SigninContext,
  { host, query, now }: Visit,
): Promise<Ticket | undefined> {
  // Tickets exist only if there is a sign-in host.
  const params = signin.signinHost === undefined ? undefined : parseParams(query);
  const [text, ...more] = params === undefined ? [] : parameterValues(params, 'ticket');
  if (text === undefined || more.length > 0) return undefined;
  const plain = await keyring.openFor('ticket', host, text, now);
  const ticket = plain === undefined ? undefined : readTicket(plain);
  return ticket?.errand.host === host ? ticket : undefined;
}

/** Whether a ticket is too old. The replica that made it may have another clock. */
export const isLate = ({ table }: SigninContext, { now }: Visit, ticket: Ticket): boolean =>
  isOver(ticket, now, table.clockSkew, TICKET_LIFETIME_S + table.clockSkew);

/** Uses up a ticket.
 * @returns whether it was not used before, on any replica */
const isFirstUse = ({ store }: SigninContext, { now }: Visit, ticket: Ticket): Promise<boolean> =>
  store.once(onceId(ticket), onceLifetime(ticket, now, TICKET_LIFETIME_S));

/** Handles a ticket of another browser, or a ticket that is old or was used before. It never signs anyone in. */
async function astray(context: SigninContext, visit: Visit, ticket: Ticket, used: boolean): Promise<void> {
  const { session, errand, to, restarted } = ticket;
  const { signin, keyring, pages } = context;
  const before = await keyring.sessionOf(visit.host, visit.cookies, visit.now);
  const page = httpsOrigin(visit.host, signin.publicPort) + to;
  if (before !== undefined) return redirect(visit, page, [expiredAttempt(errand.id)]);
  const provider = signinProvider(signin, session);
  if (used || restarted || provider === undefined || !visit.isPage)
    return refuseWith(pages, visit, 'attempt_unknown', { retry: to });
  await begin(context, visit, { wish: { mode: 'in', to, restarted: true }, provider });
}

/** `/.meshgate/handover`: the sign-in host returns a browser to this page with a {@link Ticket}.
 * @throws Error with one line for the log if the store does not answer, or nothing can be sealed */
export async function handover(context: SigninContext, visit: Visit): Promise<void> {
  const ticket = await ticketOf(context, visit);
  const isGet = visit.r.method === 'GET';
  // Another browser uses the ticket up, too. Otherwise anyone who began, and learned its URL, could use it.
  const isInTime = ticket !== undefined && !isLate(context, visit, ticket);
  const isFirst = isInTime && (await isFirstUse(context, visit, ticket));
  if (!isGet) return refuseMethod(visit, 'GET');
  if (ticket === undefined) return refuseWith(context.pages, visit, 'attempt_unknown', { retry: '/' });
  const { errand, session, to } = ticket;
  if (!isInTime || !isBound(errand, visit.cookies)) return astray(context, visit, ticket, false);
  if (!isFirst) return astray(context, visit, ticket, true);
  const arrived = await arrive(context, visit, { session, mode: ticket.mode, attempt: errand.id, to });
  if (arrived.ok) return;
  ngx.log(ngx.WARN, `meshgate: sign-in through ${session.provider}: ${arrived.reason}: ${arrived.detail ?? ''}`);
  refuseWith(context.pages, visit, arrived.reason, { cookies: goneAfter(errand.id, arrived.reason, visit.cookies) });
}
