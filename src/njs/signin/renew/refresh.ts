import { ok, type ReasonCode, type Result, refuse } from '../../../base/reasons.ts';
import { refuseSignin } from '../../../caller/caller.ts';
import { verifyRefreshedIdToken } from '../../../session/flow/id-token.ts';
import type { SigninMetadata } from '../../../session/flow/provider-metadata.ts';
import { readRefreshAnswer, type Tokens } from '../../../session/flow/token-answer.ts';
import { losesClaims, onlyOfTokens, readPaths } from '../../../session/flow/userinfo.ts';
import type { ProviderTokenContext } from '../../../session/provider-token.ts';
import type { Refreshed } from '../../../session/renew.ts';
import { signinProvider } from '../../../session/signin-table.ts';
import { isOfAll, isOfPerson } from '../../../session/token-errors.ts';
import type { SessionRecord } from '../../../session/types.ts';
import type { Claims } from '../../../token/types.ts';
import { isAway, isLimited, mayBeUsed, NoAnswer } from '../../shared/egress-call.ts';
import { allClaims } from '../exchange.ts';
import type { AtProvider, ClientAnswer } from '../provider.ts';
import type { SigninContext } from '../signin-context.ts';
import { addUserinfo } from './merge-userinfo.ts';
import { withNewestKeys } from './newest-keys.ts';

/** Claims about the sign-in, which a refresh does not change and its ID token may omit. */
const LASTING = ['auth_time', 'acr', 'amr', 'sid', 'nonce'] as const;

/** Reasons for which the claims are not known now. The session can continue. */
const PASSING: readonly ReasonCode[] = ['provider_unavailable', 'key_unknown'];

/** Returns all claims of the person after a refresh; undefined if there are none. It throws like {@link allClaims}. */
async function claimsAfter(
  renderContext: SigninContext,
  at: AtProvider,
  before: Claims,
  { idToken, accessToken }: Partial<Tokens>,
): Promise<Result<Claims | undefined>> {
  const { provider, metadata } = at;
  if (idToken === undefined) {
    if (!provider.signin.userinfo || metadata.userinfo === undefined || accessToken === undefined) return ok(undefined);
    // A claim that UserInfo no longer returns is no longer confirmed, so the old value is not kept.
    return addUserinfo(renderContext, at, onlyOfTokens(before), accessToken);
  }
  const now = Date.now() / 1000;
  const verify = (context: ProviderTokenContext) =>
    verifyRefreshedIdToken(idToken, { subject: String(before.sub), accessToken }, context, now);
  const verified = await withNewestKeys(renderContext, { provider, token: idToken, from: 'provider', now }, verify);
  if (!verified.ok) return verified;
  const claims: Record<string, unknown> = { ...verified.value };
  // OpenID Connect Core section 12.2: if the new ID token has a nonce, it must be the nonce of the sign-in.
  if (claims.nonce !== undefined && claims.nonce !== before.nonce) {
    return refuse('claim_absent', 'its "nonce" is not from the sign-in');
  }
  for (const name of LASTING) if (claims[name] === undefined && before[name] !== undefined) claims[name] = before[name];
  return allClaims(renderContext, at, claims, accessToken);
}

const AWAY = { away: true } as const;

/** Returns what the answer of the token endpoint means for the refresh token that was sent. */
function outcomeOf(
  answered: ClientAnswer,
): Exclude<Refreshed, { kind: 'confirmed' }> | { readonly kind: 'tokens'; readonly tokens: Partial<Tokens> } {
  const { status, text, reached, secrets } = answered;
  const away = isAway(answered) && AWAY;
  if (!reached) return { kind: 'unused', detail: 'the token endpoint was not reached', ...away };
  const answer = readRefreshAnswer(status, text, secrets);
  if (answer.kind === 'tokens') return answer;
  if (answer.kind === 'refused') {
    if (isOfAll(answer.error)) return { kind: 'unused', detail: answer.text, ...AWAY };
    if (isLimited(answered)) return { kind: 'unsaid', detail: answer.text, limited: true };
    if (isOfPerson(answer.error, status)) return { kind: 'over', detail: answer.text };
    return { kind: 'unsaid', detail: answer.text };
  }
  const { error: detail } = answer;
  if (isLimited(answered)) return { kind: 'unsaid', detail, limited: true };
  if (mayBeUsed(answered)) return { kind: 'lost', detail, ...away };
  // Nothing says whether this is about the person: the claims count only for their fresh time.
  return away ? { kind: 'unused', detail, ...away } : { kind: 'unsaid', detail };
}

/** Asks a provider once whether a session may continue, by its refresh token (RFC 6749 section 6). It never throws. */
export async function refresh(renderContext: SigninContext, record: SessionRecord): Promise<Refreshed> {
  const { signin, client } = renderContext;
  const { session, claims: before, refreshToken = '' } = record;
  const now = Date.now() / 1000;
  const provider = signinProvider(signin, session);
  if (provider === undefined) return { kind: 'unused', detail: 'people can no longer sign in with this provider' };
  let tokens: Partial<Tokens>;
  let metadata: SigninMetadata | undefined;
  try {
    metadata = await renderContext.metadata.of(provider, now);
    if (metadata === undefined) return { kind: 'unused', detail: 'its discovery document is not available', ...AWAY };
    const params = Object.entries({ grant_type: 'refresh_token', refresh_token: refreshToken });
    const outcome = outcomeOf(await client.call({ provider, metadata }, 'token', params, now));
    if (outcome.kind !== 'tokens') return outcome;
    tokens = outcome.tokens;
  } catch (error) {
    // The client has no credentials, or the provider's address is forbidden. In both cases no session can be renewed.
    return { kind: error instanceof NoAnswer ? 'lost' : 'unused', detail: (error as Error).message, ...AWAY };
  }
  const { idToken, refreshToken: next } = tokens;
  const kept = { ...(next !== undefined && { refreshToken: next }) };
  try {
    const claims = await claimsAfter(renderContext, { provider, metadata }, before, tokens);
    if (!claims.ok) {
      const detail = `${claims.reason}: ${claims.detail ?? ''}`;
      return PASSING.includes(claims.reason) ? { kind: 'unsaid', detail, ...kept } : { kind: 'over', detail };
    }
    if (claims.value === undefined) {
      return { kind: 'unconfirmed', detail: 'a refresh returns neither an ID token nor UserInfo', ...kept };
    }
    const agent = refuseSignin(provider.name, claims.value, renderContext.table);
    if (agent !== undefined) return { kind: 'over', detail: `${agent.reason}: ${agent.detail ?? ''}` };
    const psid = claims.value.sid;
    const paths = readPaths(renderContext.table.session?.keep, provider.name);
    const partly = idToken === undefined && losesClaims(before, claims.value, paths);
    return {
      kind: 'confirmed',
      claims: claims.value,
      ...(partly && { partly }),
      ...(typeof psid === 'string' && psid !== '' && { psid }),
      ...(idToken !== undefined && { idToken }),
      ...kept,
    };
  } catch (error) {
    // The token endpoint has just answered, so the provider has no outage. UserInfo may refuse only this person.
    return { kind: 'unsaid', detail: (error as Error).message, ...kept };
  }
}
