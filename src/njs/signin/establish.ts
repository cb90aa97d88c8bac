import { ok, type ReasonCode, type Result, refuse } from '../../base/reasons.ts';
import { refuseSignin } from '../../caller/caller.ts';
import { expireCookies, newSessionCookies, ownSession, sessionValues } from '../../session/cookie.ts';
import type { Attempt, Mode } from '../../session/flow/attempt.ts';
import { allAttemptsEnded, expiredAttempt, oldestAttempt } from '../../session/flow/attempt-cookies.ts';
import type { Ticket } from '../../session/flow/errand.ts';
import { continued, isOfSamePerson, newSession, underAttempt } from '../../session/flow/new-session.ts';
import { randomText } from '../../session/flow/random.ts';
import { SESSION_COOKIE } from '../../session/names.ts';
import type { SigninProvider } from '../../session/signin-table.ts';
import type { SessionClaims, SessionRecord } from '../../session/types.ts';
import { handoverUrl, httpsOrigin } from '../../session/urls.ts';
import { counterName, increment } from '../shared/counts.ts';
import { knownCut } from '../shared/revocation-reader.ts';
import { keepEnded } from '../shared/revoked.ts';
import { emptyCache, redirect, serviceCookiesEnded } from './browser-answer.ts';
import type { Person } from './exchange.ts';
import { endOne } from './out/end.ts';
import type { SigninContext } from './signin-context.ts';
import type { Visit } from './visit.ts';

const tooLong = refuse(
  'claim_absent',
  'the claims that the policy reads do not fit into a cookie; name the needed groups in the policy, or configure the provider to send fewer',
);

/** Stores the record of a session. If this fails, the session is renewed through the provider. */
async function remember({ store }: SigninContext, record: SessionRecord, now: number): Promise<void> {
  try {
    await store.put(record, Math.max(1, record.session.end - now));
  } catch (error) {
    ngx.log(ngx.WARN, `meshgate: a new session is not stored: ${(error as Error).message}`);
  }
}

/** Deletes the record of a session that is no longer used. If this fails, the record expires. */
const forget = ({ store }: SigninContext, { sid }: SessionClaims): Promise<void> => store.delete(sid).catch(() => {});

/** Revokes a session that another person's session replaced, as a copy of its cookie would outlive the sign-out. */
async function replace(context: SigninContext, before: SessionClaims, now: number): Promise<void> {
  if (context.keyring.isRevoked(before)) return;
  try {
    await endOne(context, before, now, keepEnded);
  } catch (error) {
    ngx.log(ngx.ERR, `meshgate: a session that another one replaced is not revoked: ${(error as Error).message}`);
  }
}

/** Returns the cookies to delete after a failed sign-in. With the cookie of a revoked session, or of attempts that
 * began before the revocation, the next sign-in would fail too.
 * @param cookies the browser's `Cookie` line */
export const goneAfter = (attempt: string, reason: ReasonCode, cookies: string): readonly string[] =>
  reason === 'revoked' ? [...expireCookies(SESSION_COOKIE), ...allAttemptsEnded(cookies)] : [expiredAttempt(attempt)];

/** Returns the claim that identifies a person at a provider. */
const subjectOf = ({ table }: SigninContext, provider: string): string =>
  table.providers[provider]?.subject.claim ?? 'sub';

/** A completed sign-in, at the host to which the person signs in. */
interface Arrival {
  readonly session: SessionClaims;
  readonly mode: Mode;
  readonly attempt: string;
  readonly to: string;
  /** The record to store; absent if the sign-in host has stored it. */
  readonly record?: SessionRecord;
}

/** Sends the browser to its page with the session cookie.
 * @returns reason `revoked`, or `claim_absent` if the session is too long for a cookie; then nothing was answered */
export async function arrive(context: SigninContext, visit: Visit, arrival: Arrival): Promise<Result<void>> {
  const { host, cookies, now } = visit;
  const { mode, attempt, to } = arrival;
  const { keyring, signin } = context;
  if (keyring.isRevoked(arrival.session)) return refuse('revoked');
  // A revoked session counts too, because a session that continues an ended session must also be ended.
  const opened = await keyring.cookiesOf(host, cookies, now);
  // A script may have set one of two cookies, so neither is continued.
  const before = ownSession(cookies) === 'twice' ? undefined : opened[0];
  const subject = subjectOf(context, arrival.session.provider);
  const goesOn = before !== undefined && isOfSamePerson(arrival.session, before, subject);
  const oldest = oldestAttempt(cookies) ?? attempt;
  const first = oldest === attempt ? arrival.session : underAttempt(arrival.session, oldest, subject);
  const session = goesOn ? continued(arrival.session, before, mode) : first;
  if (keyring.isRevoked(session)) return refuse('revoked');
  const hasMoved = session.sid !== arrival.session.sid;
  const text = await keyring.sealSession(host, session, now);
  if (text === undefined) return tooLong;
  const kept = () => context.store.get(arrival.session.sid).catch(() => undefined);
  const record = arrival.record ?? (hasMoved ? await kept() : undefined);
  if (!goesOn) for (const other of opened) await replace(context, other, now);
  // A session that continues has only one record, under its own id.
  for (const other of opened) await forget(context, other);
  if (hasMoved && arrival.record === undefined) await forget(context, arrival.session);
  if (record !== undefined) await remember(context, { ...record, session }, now);
  // A cookie that cannot be opened any more may be of another person.
  if (!goesOn && sessionValues(cookies).length > 0) emptyCache(visit);
  increment(counterName('session', [goesOn ? 'continued' : 'started']));
  redirect(visit, httpsOrigin(host, signin.publicPort) + to, [
    ...newSessionCookies(text),
    expiredAttempt(attempt),
    // Nothing shows that the person before was the same.
    ...(goesOn ? [] : serviceCookiesEnded(context, visit)),
  ]);
  return ok(undefined);
}

/** Makes the session of a person and answers: with the session cookie on this host, or with a ticket for another host.
 * @returns reason `claim_absent` if the session is too long, or a reason of {@link refuseSignin}; then nothing was
 * answered */
export async function establish(
  context: SigninContext,
  visit: Visit,
  { attempt, provider }: { readonly attempt: Attempt; readonly provider: SigninProvider },
  { idClaims, claims, tokens }: Person,
): Promise<Result<void>> {
  const { table, signin, keyring } = context;
  const { host, now } = visit;
  const { errand, mode, to, restarted } = attempt;
  const refused = refuseSignin(provider.name, claims, table);
  if (refused !== undefined) return refused;
  const chosen = keyring.chosen(claims, provider.name);
  const kept = { claims: chosen, selection: table.selection };
  const made = newSession(provider, idClaims, kept, { ...signin.session, now, began: attempt.at });
  const began = underAttempt(made, errand?.id ?? attempt.id, subjectOf(context, provider.name));
  const cut = knownCut(keyring.revocable(began));
  const session = cut === 0 ? began : { ...began, cut };
  const { idToken, refreshToken } = tokens;
  const renewable = refreshToken !== undefined && { refreshToken };
  const record: SessionRecord = { session, host: errand?.host ?? host, claims, idToken, ...renewable };
  if (errand === undefined) return arrive(context, visit, { session, mode, attempt: attempt.id, to, record });
  const ticket: Ticket = {
    ...{ id: randomText(12), errand, session, mode, to, at: Math.floor(now) },
    ...(restarted && { restarted }),
  };
  const text = await keyring.sealFor('ticket', errand.host, JSON.stringify(ticket), now);
  if (text === undefined) return tooLong;
  await remember(context, record, now);
  redirect(visit, handoverUrl(errand.host, signin.publicPort, text), [expiredAttempt(attempt.id)]);
  return ok(undefined);
}
