import { providerKind } from '../../providers/index.ts';
import { ok, type Refusal, type Result, refuse } from '../../reasons.ts';
import type { Attempt } from '../../session/flow/attempt.ts';
import { askedBy } from '../../session/flow/authorize.ts';
import { verifyIdToken } from '../../session/flow/id-token.ts';
import type { Metadata } from '../../session/flow/provider-metadata.ts';
import type { Tokens } from '../../session/flow/token-answer.ts';
import { checkOverage, lacksClaims, readPaths, withUserinfo } from '../../session/flow/userinfo.ts';
import type { ProviderTokenContext } from '../../session/provider-token.ts';
import type { SigninProvider } from '../../session/signin-table.ts';
import { redirectUri } from '../../session/urls.ts';
import { leavesGroupsOut } from '../../token/overage.ts';
import { providerToAsk } from '../../token/refetch.ts';
import type { Claims, TokenProvider } from '../../token/types.ts';
import { emptyErrorQueue } from '../openssl.ts';
import type { SigninScene } from './scene.ts';
import { callbackAt, type Visit } from './visit.ts';

/** Who the provider says has signed in. */
export interface Person {
  /** Of the ID token alone. */
  readonly idClaims: Claims;
  /** All that the provider said. */
  readonly claims: Claims;
  readonly tokens: Tokens;
}

/** Nobody has signed in; `lost`: the code may be used up, and what came of it is not known. */
export type NotExchanged = { readonly ok: false; readonly lost: boolean } & Refusal;

/** What ID tokens of a provider are checked against, with its keys as they are now. */
export function idTokenContext(
  { table, keys }: SigninScene,
  provider: SigninProvider,
  now: number,
): ProviderTokenContext {
  const tokenProvider = table.providers[provider.name] as TokenProvider;
  return {
    provider: tokenProvider,
    clientId: provider.client.id,
    keys: keys.of(provider.name, now),
    skew: table.clockSkew,
    imported: keys.imported,
    onFailure: emptyErrorQueue,
  };
}

/** Verifies an ID token; once more with the provider's newest keys where those at hand do not do. */
export async function withNewestKeys(
  scene: SigninScene,
  provider: SigninProvider,
  idToken: string,
  now: number,
  verify: (context: ProviderTokenContext) => Promise<Result<Claims>>,
): Promise<Result<Claims>> {
  const verified = await verify(idTokenContext(scene, provider, now));
  if (verified.ok) return verified;
  const of = scene.table.providers[provider.name] as TokenProvider;
  // The job may not have fetched any yet; the provider has just answered, so it is there now.
  const none = verified.reason === 'provider_unavailable';
  const ask = none ? of : providerToAsk(idToken, verified, [of]);
  if (ask === undefined || (await scene.keys.refetch(ask, none)) !== 'fetched') return verified;
  return verify(idTokenContext(scene, provider, now));
}

/** Seconds for which one answer serves several tabs in which somebody signs in at once. */
const TABS_S = 5;

/**
 * Claims of the ID token, and where the policy reads some that are missing there, of the UserInfo endpoint.
 *
 * @returns reason `provider_unavailable`, `signin_failed`, or `claim_absent` where the provider left groups out
 * @throws Error with one line for the log where UserInfo did not answer
 */
export async function allClaims(
  { table, client, questions }: SigninScene,
  provider: SigninProvider,
  metadata: Metadata,
  idClaims: Claims,
  accessToken: string | undefined,
): Promise<Result<Claims>> {
  const keep = table.session?.keep;
  const paths = keep === undefined ? [] : readPaths(keep, provider.name);
  let claims = ok(idClaims);
  if (provider.signin.userinfo && accessToken !== undefined && metadata.userinfo !== undefined) {
    if (lacksClaims(idClaims, paths)) {
      const said = await client.userinfo(provider, metadata, accessToken);
      claims = said.ok ? withUserinfo(idClaims, said.value, providerKind(provider.kind) ?? {}) : said;
    }
  }
  if (!claims.ok) return claims;
  const of = table.providers[provider.name] as TokenProvider;
  if (questions !== undefined && of.asksGroups && leavesGroupsOut(claims.value, of.kind)) {
    const said = await questions.groups(of, claims.value, Date.now() / 1000, TABS_S);
    return said.ok ? ok(said.value.claims) : refuse(said.reason, said.detail ?? 'it does not say who has which groups');
  }
  return checkOverage(claims.value, paths) ?? claims;
}

/** What somebody is told of an ID token that is not taken: that they may step up, that its keys are missing; else no more than that. */
function notTaken({ reason, detail = '' }: Refusal): ReturnType<typeof refuse> {
  if (reason === 'provider_unavailable') return refuse(reason, detail === '' ? 'it has published no keys yet' : detail);
  return reason === 'step_up_required'
    ? refuse(reason, detail)
    : refuse('signin_failed', `its ID token is not taken: ${reason}${detail === '' ? '' : `: ${detail}`}`);
}

/** After the provider has redeemed the code: what is not known just now is lost. */
const afterTokens = (refusal: Refusal): NotExchanged => ({
  ok: false,
  ...refusal,
  lost: refusal.reason === 'provider_unavailable',
});

/** Redeems a code, once, and says who has signed in. */
export async function exchange(
  scene: SigninScene,
  { host, now }: Visit,
  attempt: Attempt,
  provider: SigninProvider,
  metadata: Metadata,
  code: string,
): Promise<{ readonly ok: true; readonly value: Person } | NotExchanged> {
  const { client, signin } = scene;
  const answer = await client.tokens(
    provider,
    metadata,
    [
      ['grant_type', 'authorization_code'],
      ['code', code],
      ['redirect_uri', redirectUri(host, signin.publicPort, callbackAt(signin, host, provider.name))],
      ['code_verifier', attempt.verifier],
    ],
    now,
  );
  if (answer.kind === 'broken') return { ...refuse('provider_unavailable', answer.error), lost: answer.lost };
  if (answer.kind === 'refused') return { ...refuse('signin_failed', answer.text), lost: false };
  const { tokens } = answer;
  const { idToken, accessToken } = tokens;
  const expected = {
    ...askedBy(attempt, provider, signin.stepUps),
    nonce: attempt.nonce,
    ...(accessToken !== undefined && { accessToken }),
  };
  // What was signed while we waited is not of the future.
  const then = Date.now() / 1000;
  const verified = await withNewestKeys(scene, provider, idToken, then, (context) =>
    verifyIdToken(idToken, expected, context, then),
  );
  if (!verified.ok) return afterTokens(notTaken(verified));
  try {
    const claims = await allClaims(scene, provider, metadata, verified.value, accessToken);
    if (!claims.ok) return afterTokens(claims);
    return { ok: true, value: { idClaims: verified.value, claims: claims.value, tokens } };
  } catch (error) {
    return afterTokens(refuse('provider_unavailable', (error as Error).message));
  }
}
