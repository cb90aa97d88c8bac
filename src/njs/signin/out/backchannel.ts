import { FROM_HANDLER } from '../../../base/internal-headers.ts';
import { ok, type Result, refuse } from '../../../base/reasons.ts';
import { parameterValues, parseParams } from '../../../session/flow/query.ts';
import { audiencesOf, type ProviderTokenContext } from '../../../session/provider-token.ts';
import { issuerOf, verifyLogoutToken } from '../../../session/revocation/logout-token.ts';
import { ending, revocation } from '../../../session/revocation/new-revocation.ts';
import { type NamedClaim, ofIssuer, ofPerson } from '../../../session/revocation/revocation.ts';
import type { Revocation } from '../../../session/revocation/store.ts';
import type { SigninProvider } from '../../../session/signin-table.ts';
import { isIssuer } from '../../../token/issuer.ts';
import type { Claims } from '../../../token/types.ts';
import { counterName, increment } from '../../shared/counts.ts';
import { refuseMethod } from '../browser-answer.ts';
import { withNewestKeys } from '../renew/newest-keys.ts';
import type { SigninContext } from '../signin-context.ts';
import { type Visit, visitedHost } from '../visit.ts';
import { callBack } from './end.ts';

/** Returns the logout token in a form, if there is exactly one. */
function tokenOf(r: NginxHTTPRequest): string | undefined {
  const type = (r.headersIn['Content-Type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return undefined;
  const [token, ...more] = parameterValues(parseParams(r.requestText ?? '') ?? [], 'logout_token');
  return more.length === 0 ? token : undefined;
}

/** Returns the providers of a host that have this issuer. On the sign-in host, the providers of all hosts count. */
function providersOf({ signin }: SigninContext, host: string, issuer: unknown): readonly SigninProvider[] {
  const names =
    host === signin.signinHost ? Object.keys(signin.providers) : (visitedHost(signin, host)?.providers ?? []);
  return names.flatMap((name) => {
    const provider = signin.providers[name];
    return provider !== undefined && isIssuer(provider, issuer) ? [provider] : [];
  });
}

/** Returns the claims of a logout token that a provider verifies, or else why the first provider rejects it. */
async function verifiedBy(
  renderContext: SigninContext,
  [first, ...others]: readonly SigninProvider[],
  token: string,
  now: number,
): Promise<Result<Claims>> {
  if (first === undefined) return refuse('issuer_unknown', 'the issuer of the token is not a provider of this host');
  const verify = (context: ProviderTokenContext) => verifyLogoutToken(token, context, Date.now() / 1000);
  const verified = await withNewestKeys(renderContext, { provider: first, token, from: 'anyone', now }, verify);
  if (verified.ok || others.length === 0) return verified;
  // The token may be for another client of the same issuer.
  const next = await verifiedBy(renderContext, others, token, now);
  return next.ok ? next : verified;
}

/** Returns what a logout token revokes: the provider's session or, if the token names none, all sessions that the
 * person began before. A repeated token revokes the same again, and no session that began later.
 * @param at when the token was made; the present time if the provider's clock is ahead */
function revokedBy({ sid, sub }: Claims, issuer: string, at: number, absolute: number): Revocation {
  const person: NamedClaim = ['sub', String(sub)];
  if (typeof sid !== 'string') {
    return { ...revocation('sub', ofPerson(issuer, person), at, absolute), claim: 'sub' };
  }
  if (typeof sub !== 'string') return revocation('psid', ofIssuer(issuer, sid), at, absolute);
  return ending(issuer, { names: [person], psid: sid }, at, absolute);
}

async function take(renderContext: SigninContext, { r, host, now }: Visit): Promise<Result<void>> {
  const token = tokenOf(r);
  if (token === undefined) return refuse('token_malformed', 'a form with one "logout_token" is required');
  const providers = providersOf(renderContext, host, issuerOf(token));
  const verified = await verifiedBy(renderContext, providers, token, now);
  if (!verified.ok) return verified;
  const claims = verified.value;
  const at = Math.min(now, claims.iat as number);
  const { absolute } = renderContext.signin.session;
  // Only the providers whose client is an audience of the token count.
  const addressed = providers.filter(({ client }) => audiencesOf(claims).includes(client.id));
  // Sessions contain the provider's issuer in the policy, which another policy may write in another form.
  const issuers = new Set(addressed.flatMap(({ issuer }) => [issuer, String(claims.iss)]));
  const revocations = [...issuers].map((issuer) => revokedBy(claims, issuer, at, absolute));
  await callBack(renderContext, revocations);
  return ok(undefined);
}

function answer(r: NginxHTTPRequest, status: 200 | 400, body: string): void {
  r.headersOut['Cache-Control'] = 'no-store';
  r.headersOut['Content-Type'] = 'application/json';
  r.headersOut['X-Content-Type-Options'] = 'nosniff';
  r.return(status, body);
}

/** `/.meshgate/backchannel`: the provider reports a sign-out (OpenID Connect Back-Channel Logout 1.0). It answers 200
 * when the revocation is in force on this replica; the others follow within two seconds. Otherwise it answers 400 with
 * a reason. */
export async function backchannel(renderContext: SigninContext, visit: Visit): Promise<void> {
  const { r } = visit;
  if (r.method !== 'POST') return refuseMethod(visit, 'POST');
  const taken = await take(renderContext, visit).catch((error: Error) => error);
  if (taken instanceof Error) {
    ngx.log(ngx.ERR, `meshgate: back-channel sign-out: ${taken.message}`);
    return answer(r, 400, JSON.stringify({ error: 'logout_failed' }));
  }
  if (taken.ok) return answer(r, 200, '');
  const { reason, detail = '' } = taken;
  ngx.log(ngx.WARN, `meshgate: back-channel sign-out refused: ${reason}: ${detail}`);
  increment(counterName('signin', [reason]));
  r.headersOut[FROM_HANDLER.reason] = reason;
  answer(r, 400, JSON.stringify({ error: 'invalid_request', error_description: `${reason}: ${detail}` }));
}
