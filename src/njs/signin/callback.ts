import hash from 'crypto';
import { composed } from '../../base/composed-key.ts';
import { type Refusal, refuse } from '../../base/reasons.ts';
import { MAX_CLOCK_SKEW } from '../../policy/forms/bounds.ts';
import {
  type Attempt,
  isBound,
  isOver,
  onceId,
  onceLifetime,
  readAttempt,
  type Wish,
} from '../../session/flow/attempt.ts';
import { expiredAttempt } from '../../session/flow/attempt-cookies.ts';
import { learnsPush, mayRequirePush } from '../../session/flow/authorize.ts';
import { afterError, type Callback, codeIn, errorName, isOfIssuer, readCallback } from '../../session/flow/callback.ts';
import type { SigninMetadata } from '../../session/flow/provider-metadata.ts';
import { ATTEMPT_LIFETIME_S, MAX_SIGNINS, SIGNINS_PERIOD_S } from '../../session/limits.ts';
import { type SigninProvider, signinProvider } from '../../session/signin-table.ts';
import { callbackName, httpsOrigin } from '../../session/urls.ts';
import { signinsDict } from '../shared/dicts.ts';
import { begin, forgetPush, rememberPush } from './begin.ts';
import { redirect, refuseMethod, refuseWith } from './browser-answer.ts';
import { establish, goneAfter } from './establish.ts';
import { codeParams, exchange } from './exchange.ts';
import type { AtProvider } from './provider.ts';
import type { SigninContext } from './signin-context.ts';
import { callbackAt, type Visit } from './visit.ts';

const often = `this person has signed in ${MAX_SIGNINS} times within ${SIGNINS_PERIOD_S / 60} minutes`;
const tooOften = refuse('limit_exceeded', often);

/** Counts one more sign-in of a person, in shared memory that evicts nothing.
 * @param sub the person's `sub` at the provider
 * @returns reason `limit_exceeded` if the person signs in too often; else undefined */
function signsInTooOften(issuer: string, sub: unknown, now: number): typeof tooOften | undefined {
  const period = Math.floor(now / SIGNINS_PERIOD_S);
  const name = composed('sign-ins', issuer, String(sub), String(period));
  const key = hash.createHash('sha256').update(name).digest('base64url').slice(0, 16);
  // If the zone has no room to count, more people sign in than the policy expects. They are not refused.
  const count = signinsDict().incr(key, 1, 0, SIGNINS_PERIOD_S * 1000) ?? 0;
  return count > MAX_SIGNINS ? tooOften : undefined;
}

interface Returned {
  readonly callback: Callback;
  readonly attempt: Attempt;
  readonly provider: SigninProvider;
}

type Answered = Returned & Pick<AtProvider, 'metadata'>;

/** Opens the state of a callback; undefined if the gateway did not seal it. */
export async function returned(
  { keyring, signin }: SigninContext,
  { host, query, now }: Visit,
): Promise<Returned | undefined> {
  const callback = readCallback(query);
  const plain = callback === undefined ? undefined : await keyring.openFor('state', host, callback.state, now);
  const attempt = plain === undefined ? undefined : readAttempt(plain);
  const provider = attempt && signinProvider(signin, attempt);
  return callback && attempt && provider && { callback, attempt, provider };
}

/** Handles an attempt of another browser, or an attempt that is too old or was completed before. It never signs anyone
 * in. If the person has a session, the browser continues to the page. Otherwise the attempt is restarted once, with
 * interaction; for a wildcard host the person is asked first. An attempt for another host that is too old is not
 * restarted, because its cookie on that host has expired too. */
async function astray(
  context: SigninContext,
  visit: Visit,
  { attempt, provider }: Returned,
  used: boolean,
): Promise<void> {
  const { errand, mode, role, to } = attempt;
  const session =
    errand === undefined ? await context.keyring.sessionOf(visit.host, visit.cookies, visit.now) : undefined;
  const page = httpsOrigin(visit.host, context.signin.publicPort) + to;
  if (session !== undefined) return redirect(visit, page, [expiredAttempt(attempt.id)]);
  const isLate = errand !== undefined && isOver(attempt, visit.now, context.table.clockSkew);
  if (used || isLate || attempt.restarted || !visit.isPage) {
    ngx.log(ngx.INFO, `meshgate: sign-in through ${provider.name}: attempt_unknown`);
    return refuseWith(context.pages, visit, 'attempt_unknown', errand === undefined ? { retry: to } : {});
  }
  const wish = { mode, to, restarted: true, ...(role !== undefined && { role }) } as const;
  await begin(context, visit, { wish, provider, ...(errand !== undefined && { errand }) });
}

/** Checks whether an answer comes from the provider of its attempt: by its address and issuer (RFC 9700 section 4.4).
 * @returns why it does not, or undefined */
function otherProvider(
  { signin }: SigninContext,
  { host, path }: Visit,
  { provider, callback: came }: Returned,
  { namesIssuer }: SigninMetadata,
): string | undefined {
  const at = callbackName(path);
  if (at !== callbackAt(signin, host, provider.name)) {
    return `the answer came to the redirect URI of ${at === undefined ? 'a single provider' : `provider ${at}`}`;
  }
  if (isOfIssuer(came, provider.issuer, namesIssuer)) return undefined;
  return `the answer ${came.iss === undefined ? 'names no issuer' : 'names another issuer'}`;
}

/** How long a code is refused that another browser has shown, in seconds. */
export const SPOILT_S = ATTEMPT_LIFETIME_S + MAX_CLOCK_SKEW;

/** Makes the gateway refuse a code that another browser has shown. The `state` beside it says nothing about who began:
 * anyone can send a person to the provider with another one, and it would return the same code. */
async function spoilCode({ store, keyring }: SigninContext, { query, now }: Visit): Promise<void> {
  const code = codeIn(query);
  if (code === undefined) return;
  await store.spoil(await keyring.nameOf(code, now), SPOILT_S).catch(notEnded);
}

function notEnded(error: Error): undefined {
  ngx.log(ngx.ERR, `meshgate: an attempt of another browser is not ended: ${error.message}`);
  return undefined;
}

/** Uses up the answer that a provider gave to another browser than the one that began. Otherwise, anyone who began an
 * attempt, and learned the URL of the answer that another person received for it, could sign in as that person. The
 * attempt ends at all replicas; the code is redeemed and its tokens are thrown away, in case the mark of the attempt
 * is displaced. A code that was redeemed before is not sent again: the provider would end the session from it. */
async function useUp(context: SigninContext, visit: Visit, back: Returned): Promise<void> {
  const { attempt, provider, callback: came } = back;
  const { store, client, longest } = context;
  const { now } = visit;
  // The clock of another replica may be behind.
  if ('error' in came.answer || isOver(attempt, now, MAX_CLOCK_SKEW, SPOILT_S)) return;
  const id = onceId(attempt);
  const claim = await store.claim(id, longest).catch(notEnded);
  await store.spoil(id, onceLifetime(attempt, now)).catch(notEnded);
  if (claim === undefined) return;
  const metadata = await context.metadata.of(provider, now);
  if (metadata !== undefined && otherProvider(context, visit, back, metadata) === undefined) {
    await client.tokens({ provider, metadata }, codeParams(context, visit, back, came.answer.code), now);
  }
  await claim.release();
}

/** Reports a failed sign-in in one line of the log and as a page. */
function fail(context: SigninContext, visit: Visit, { attempt, provider }: Returned, { reason, detail = '' }: Refusal) {
  ngx.log(ngx.WARN, `meshgate: sign-in through ${provider.name}: ${reason}: ${detail}`);
  const cookies = goneAfter(attempt.id, reason, visit.cookies);
  refuseWith(context.pages, visit, reason, { cookies, ...(attempt.errand === undefined && { retry: attempt.to }) });
}

/** Handles an error that the provider returned instead of a code. */
async function refused(context: SigninContext, visit: Visit, back: Answered, error: string): Promise<void> {
  const { attempt, provider, metadata } = back;
  const { mode, to, role, restarted } = attempt;
  const next = afterError(error, mode);
  const push = mayRequirePush(error, attempt, provider, metadata);
  if (push || (next === 'interact' && !restarted)) {
    const same = { mode, to, ...(role !== undefined && { role }), ...(restarted && { restarted }) };
    const wish: Wish = push ? { ...same, pushed: true } : { mode: 'in', to, restarted: true };
    const cookies = [expiredAttempt(attempt.id)];
    // The attempt belongs to this browser, so this person was already asked.
    const endpointHeaders = attempt.errand !== undefined && { errand: attempt.errand, confirmed: true };
    return begin(context, visit, { wish, provider, cookies, ...endpointHeaders });
  }
  const reason = next === 'unavailable' ? 'provider_unavailable' : 'signin_failed';
  fail(context, visit, back, refuse(reason, `the provider answered with the error ${errorName(error)}`));
}

/** `/.meshgate/callback`: the provider returns the browser to this page. A code can be used once, and only by the
 * browser to which the attempt is bound.
 * @throws Error with one line for the log if the store does not answer, or nothing can be sealed */
export async function callback(context: SigninContext, visit: Visit): Promise<void> {
  const back = await returned(context, visit);
  const isGet = visit.r.method === 'GET';
  const isInTime = back !== undefined && !isOver(back.attempt, visit.now, context.table.clockSkew);
  const isOwn = isGet && isInTime && isBound(back.attempt, visit.cookies);
  if (!isOwn) await spoilCode(context, visit);
  if (back !== undefined && !isOwn) await useUp(context, visit, back);
  if (!isGet) return refuseMethod(visit, 'GET');
  if (back === undefined) return refuseWith(context.pages, visit, 'attempt_unknown', { retry: '/' });
  const { attempt, provider, callback: came } = back;
  const { now } = visit;
  if (!isOwn) return astray(context, visit, back, false);
  const metadata = await context.metadata.of(provider, now);
  if (metadata === undefined) {
    return fail(context, visit, back, refuse('provider_unavailable', 'its discovery document is not available'));
  }
  const other = otherProvider(context, visit, back, metadata);
  if (other !== undefined) return fail(context, visit, back, refuse('signin_failed', other));
  if ('error' in came.answer) return refused(context, visit, { ...back, metadata }, came.answer.error);
  // The claim outlasts the exchange. Only after a success, the state is remembered for its whole lifetime.
  const claim = await context.store.claim(onceId(attempt), context.longest);
  if (claim === undefined) return astray(context, visit, back, true);
  const ofCode = await context.store.claim(await context.keyring.nameOf(came.answer.code, now), context.longest);
  if (ofCode === undefined) {
    await claim.release();
    return astray(context, visit, back, true);
  }
  const exchanged = await exchange(context, visit, { attempt, provider, metadata }, came.answer.code);
  const often = exchanged.ok ? signsInTooOften(provider.issuer, exchanged.value.idClaims.sub, now) : undefined;
  const person = often === undefined ? exchanged : { ...often, lost: false };
  await ofCode.release();
  // If the code was not used, the claim is released. A code that may have been used is never sent again.
  if (person.ok) await claim.use(onceLifetime(attempt, now));
  else if (!person.lost) await claim.release();
  if (person.ok && learnsPush(provider, metadata)) {
    if (attempt.pushed) rememberPush(provider, String(person.value.idClaims.sub));
    else forgetPush(provider);
  }
  if (!person.ok) return fail(context, visit, back, person);
  const done = await establish(context, visit, back, person.value);
  if (!done.ok) fail(context, visit, back, done);
}
