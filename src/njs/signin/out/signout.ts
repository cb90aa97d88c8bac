import { expireCookies } from '../../../session/cookie.ts';
import { allAttemptsEnded } from '../../../session/flow/attempt-cookies.ts';
import { readRevoked } from '../../../session/flow/token-answer.ts';
import { SESSION_COOKIE } from '../../../session/names.ts';
import { signinProvider } from '../../../session/signin-table.ts';
import {
  doneUrl,
  endSessionUrl,
  isOwnForm,
  isSignoutState,
  readAfterSignout,
  readFrontChannel,
  signoutState,
} from '../../../session/signout-request.ts';
import type { SessionClaims, SessionRecord } from '../../../session/types.ts';
import { httpsOrigin } from '../../../session/urls.ts';
import { isIssuer } from '../../../token/issuer.ts';
import { redirect, refuseMethod, refuseWith, serviceCookiesEnded, setCookies } from '../browser-answer.ts';
import type { SigninContext } from '../signin-context.ts';
import type { Visit } from '../visit.ts';
import { endSession } from './end.ts';

/** Returns the cookies that a sign-out deletes: the session, the attempts to sign in that began before it, and the sessions
 * of services. */
const goneOf = (context: SigninContext, visit: Visit): readonly string[] => [
  ...expireCookies(SESSION_COOKIE),
  ...allAttemptsEnded(visit.cookies),
  ...serviceCookiesEnded(context, visit),
];

/** Shows the page that asks whether to sign out, or the page after a sign-out. */
async function show(context: SigninContext, visit: Visit): Promise<void> {
  const { pages, keyring, signin } = context;
  const { r, host, query, now, requestId } = visit;
  const after = readAfterSignout(query);
  const [session] = await keyring.sessionsOf(host, visit.cookies, now);
  if (after.kind === 'back') {
    const state = await keyring.openFor('state', host, after.state, now);
    if (state === undefined || !isSignoutState(state, now, context.table.clockSkew))
      return refuseWith(pages, visit, 'attempt_unknown');
  }
  if (session === undefined || after.kind === 'back') {
    const here = after.kind === 'done' && after.here;
    return pages.answer(r, 200, { kind: 'signedout', host, requestId, here });
  }
  const provider = signinProvider(signin, session);
  pages.answer(r, 200, { kind: 'confirm', host, requestId, issuers: provider === undefined ? [] : [provider.issuer] });
}

/** Returns the URL for the sign-out at the provider; `undefined` if there is no such URL or it is not known now. */
async function addressAtProvider(
  { metadata, keyring, signin }: SigninContext,
  { host, now }: Visit,
  session: SessionClaims,
  record: SessionRecord | undefined,
): Promise<string | undefined> {
  const provider = signinProvider(signin, session);
  const endpoint = provider && (await metadata.of(provider, now))?.endSession;
  const state = endpoint === undefined ? undefined : await keyring.sealFor('state', host, signoutState(now), now);
  if (provider === undefined || endpoint === undefined || state === undefined) return undefined;
  const idToken = record?.host === host ? record.idToken : undefined;
  const origin = httpsOrigin(host, signin.publicPort);
  return endSessionUrl({ endpoint, clientId: provider.client.id, origin, state, idToken });
}

/** Asks the provider to revoke the refresh token of a session after the sign-out (RFC 7009), if the provider supports
 * this. The browser already has its answer, so a failure is only logged. It never throws. */
async function revokeToken(
  { client, metadata, signin }: SigninContext,
  { now }: Visit,
  { session, refreshToken }: SessionRecord,
): Promise<void> {
  const name = session.provider;
  const provider = signinProvider(signin, session);
  if (refreshToken === undefined || provider === undefined) return;
  try {
    const known = await metadata.of(provider, now);
    if (known?.revocation === undefined) return;
    const params = Object.entries({ token: refreshToken, token_type_hint: 'refresh_token' });
    const { status, text, secrets } = await client.call({ provider, metadata: known }, 'revocation', params, now);
    const error = readRevoked(status, text, secrets);
    if (error !== undefined) throw new Error(error);
    ngx.log(ngx.INFO, `meshgate: ${name} revoked the refresh token of a session that was signed out`);
  } catch (error) {
    const why = (error as Error).message;
    ngx.log(ngx.WARN, `meshgate: ${name} did not revoke the refresh token of a session that was signed out: ${why}`);
  }
}

/** Signs a person out: first at the gateway, then at the provider. */
async function signOut(context: SigninContext, visit: Visit): Promise<void> {
  const { r, host, cookies, now } = visit;
  const { headersIn } = r;
  const own = httpsOrigin(host, context.signin.publicPort);
  if (!isOwnForm({ origin: headersIn.Origin, site: headersIn['Sec-Fetch-Site'] }, own))
    return refuseWith(context.pages, visit, 'origin_refused');
  const gone = goneOf(context, visit);
  // A script may have set a second session. All of them end, because the page then says that the person is signed out.
  const sessions = await context.keyring.sessionsOf(host, cookies, now);
  const [session] = sessions;
  if (session === undefined) return redirect(visit, own + doneUrl(false), gone);
  // The record contains the hint for the provider. It must be read now, because the end of the session deletes it.
  const record = await context.store.get(session.sid).catch(() => undefined);
  try {
    for (const one of sessions) await endSession(context, one, now);
  } catch (error) {
    // The browser has lost its cookie, but a copy of the cookie would still be accepted.
    ngx.log(ngx.ERR, `meshgate: a sign-out is not stored: ${(error as Error).message}`);
    setCookies(visit, gone);
    return refuseWith(context.pages, visit, 'check_unavailable', { cookies: gone });
  }
  // This comes after the revocation, because the provider may be slow, and the browser may close the connection.
  const address = await addressAtProvider(context, visit, session, record).catch((error: Error) => {
    ngx.log(ngx.WARN, `meshgate: a sign-out does not continue at ${session.provider}: ${error.message}`);
    return undefined;
  });
  redirect(visit, address ?? own + doneUrl(true), gone);
  if (record !== undefined) await revokeToken(context, visit, record);
}

/** `/.meshgate/signout`: POST signs out, and GET asks for confirmation (OpenID Connect RP-Initiated Logout 1.0).
 * @throws Error with one line for the log if nothing can be sealed */
export async function signout(context: SigninContext, visit: Visit): Promise<void> {
  const { method } = visit.r;
  if (method === 'POST') return signOut(context, visit);
  if (method === 'GET' || method === 'HEAD') return show(context, visit);
  refuseMethod(visit, 'GET, POST');
}

/** `/.meshgate/frontchannel`: the provider makes the browser load this page in a frame (OpenID Connect Front-Channel
 * Logout 1.0). Any page can do the same. So it ends only the session of the browser's own cookie, and only if issuer
 * and session match. The response does not show whether they match. */
export async function frontchannel(context: SigninContext, visit: Visit): Promise<void> {
  const { r, host, query, cookies, now } = visit;
  if (r.method !== 'GET') return refuseMethod(visit, 'GET');
  const named = readFrontChannel(query);
  for (const session of named === undefined ? [] : await context.keyring.sessionsOf(host, cookies, now)) {
    const provider = session.psid === named?.sid ? signinProvider(context.signin, session) : undefined;
    if (provider && isIssuer(provider, named?.iss)) {
      await endSession(context, session, now);
      setCookies(visit, goneOf(context, visit));
    }
  }
  r.headersOut['Cache-Control'] = 'no-store';
  r.headersOut['Content-Type'] = 'text/plain; charset=utf-8';
  r.headersOut['X-Content-Type-Options'] = 'nosniff';
  r.return(200, '');
}
