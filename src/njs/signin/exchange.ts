import { ok, type Refusal, type Result, refuse } from '../../base/reasons.ts';
import type { Attempt } from '../../session/flow/attempt.ts';
import { signinRequirements } from '../../session/flow/authorize.ts';
import { verifyIdToken } from '../../session/flow/id-token.ts';
import type { Params } from '../../session/flow/query.ts';
import type { Tokens } from '../../session/flow/token-answer.ts';
import { checkOverage, lacksClaims, readPaths } from '../../session/flow/userinfo.ts';
import type { ProviderTokenContext } from '../../session/provider-token.ts';
import { redirectUri } from '../../session/urls.ts';
import { leavesGroupsOut } from '../../token/overage.ts';
import type { Claims, TokenProvider } from '../../token/types.ts';
import type { AtProvider } from './provider.ts';
import { addUserinfo } from './renew/merge-userinfo.ts';
import { withNewestKeys } from './renew/newest-keys.ts';
import type { SigninContext } from './signin-context.ts';
import { callbackAt, type Visit } from './visit.ts';

/** A person who has signed in, as the provider describes them. */
export interface Person {
  /** The claims of the ID token only. */
  readonly idClaims: Claims;
  /** All claims that the provider returned. */
  readonly claims: Claims;
  readonly tokens: Tokens;
}

/** The result of a failed sign-in. `lost`: the code may be used up, and the result is not known. */
type NotExchanged = { readonly ok: false; readonly lost: boolean } & Refusal;

/** If a person signs in with several tabs at once, all tabs use the same answer for this number of seconds. */
const TABS_S = 5;

/** Returns the claims of the ID token, with those of UserInfo if the ID token lacks claims that the policy reads.
 * @returns reason `provider_unavailable`, `signin_failed`, or `claim_absent` if the provider left groups out
 * @throws Error with one line for the log if UserInfo did not answer */
export async function allClaims(
  renderContext: SigninContext,
  at: AtProvider,
  idClaims: Claims,
  accessToken: string | undefined,
): Promise<Result<Claims>> {
  const { provider, metadata } = at;
  const { table, providerCalls } = renderContext;
  const paths = readPaths(table.session?.keep, provider.name);
  let claims: Result<Claims> = ok(idClaims);
  const mayAsk = provider.signin.userinfo && accessToken !== undefined && metadata.userinfo !== undefined;
  if (mayAsk && lacksClaims(idClaims, paths)) {
    claims = await addUserinfo(renderContext, at, idClaims, accessToken);
  }
  if (!claims.ok) return claims;
  const of = table.providers[provider.name] as TokenProvider;
  if (providerCalls !== undefined && of.asksGroups && leavesGroupsOut(claims.value, of.kind)) {
    const reported = await providerCalls.groups(of, claims.value, TABS_S, { now: Date.now() / 1000 });
    if (reported.ok) return ok(reported.value.claims);
    return refuse(reported.reason, reported.detail ?? 'the provider does not say which groups people have');
  }
  return checkOverage(claims.value, paths) ?? claims;
}

/** Returns the refusal that the person sees for a rejected ID token. It says only that the sign-in failed, unless a
 * step-up or keys are needed. */
function notTaken({ reason, detail = '' }: Refusal): ReturnType<typeof refuse> {
  if (reason === 'provider_unavailable') return refuse(reason, detail === '' ? 'it has published no keys yet' : detail);
  return reason === 'step_up_required'
    ? refuse(reason, detail)
    : refuse('signin_failed', `its ID token is rejected: ${reason}${detail === '' ? '' : `: ${detail}`}`);
}

/** Returns a refusal after the provider has redeemed the code, which is lost if the result is not known. */
const afterTokens = (refusal: Refusal): NotExchanged => ({
  ok: false,
  ...refusal,
  lost: refusal.reason === 'provider_unavailable',
});

/** An attempt to which the provider has answered. */
type AnsweredAttempt = AtProvider & { readonly attempt: Attempt };

/** Returns the parameters that redeem a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5). */
export function codeParams(
  { signin }: SigninContext,
  { host }: Visit,
  { attempt, provider }: Pick<AnsweredAttempt, 'attempt' | 'provider'>,
  code: string,
): Params {
  const uri = redirectUri(host, signin.publicPort, callbackAt(signin, host, provider.name));
  return Object.entries({ grant_type: 'authorization_code', code, redirect_uri: uri, code_verifier: attempt.verifier });
}

/** Redeems a code once, and returns the person. */
export async function exchange(
  renderContext: SigninContext,
  visit: Visit,
  answered: AnsweredAttempt,
  code: string,
): Promise<{ readonly ok: true; readonly value: Person } | NotExchanged> {
  const { attempt, provider } = answered;
  const { client, signin } = renderContext;
  const answer = await client.tokens(answered, codeParams(renderContext, visit, answered, code), visit.now);
  if (answer.kind === 'broken') return { ...refuse('provider_unavailable', answer.error), lost: answer.lost };
  if (answer.kind === 'refused') return { ...refuse('signin_failed', answer.text), lost: false };
  const { tokens } = answer;
  const { idToken, accessToken } = tokens;
  const expected = { ...signinRequirements(attempt, provider, signin.stepUps), nonce: attempt.nonce, accessToken };
  // The time is read again: a token that was signed while this request waited must not count as issued in the future.
  const then = Date.now() / 1000;
  const verify = (context: ProviderTokenContext) => verifyIdToken(idToken, expected, context, then);
  const verified = await withNewestKeys(
    renderContext,
    { provider, token: idToken, from: 'provider', now: then },
    verify,
  );
  if (!verified.ok) return afterTokens(notTaken(verified));
  try {
    const claims = await allClaims(renderContext, answered, verified.value, accessToken);
    if (!claims.ok) return afterTokens(claims);
    return { ok: true, value: { idClaims: verified.value, claims: claims.value, tokens } };
  } catch (error) {
    return afterTokens(refuse('provider_unavailable', (error as Error).message));
  }
}
