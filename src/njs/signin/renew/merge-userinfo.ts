import { type Result, refuse } from '../../../base/reasons.ts';
import { providerKind } from '../../../providers/index.ts';
import { isJwt, verifySignedUserinfo } from '../../../session/flow/signed-userinfo.ts';
import { joinUserinfo, withUserinfo } from '../../../session/flow/userinfo.ts';
import type { Claims } from '../../../token/types.ts';
import type { AtProvider } from '../provider.ts';
import type { SigninContext } from '../signin-context.ts';
import { withNewestKeys } from './newest-keys.ts';

/** Adds the claims of the UserInfo endpoint, which may sign its answer, to other claims.
 * @returns reason `signin_failed` if the provider refuses, or its answer is not valid or about another person;
 * `provider_unavailable` if the keys that verify the answer are not known
 * @throws Error with one line for the log if UserInfo did not answer */
export async function addUserinfo(
  renderContext: SigninContext,
  at: AtProvider,
  claims: Claims,
  accessToken: string,
): Promise<Result<Claims>> {
  const { provider } = at;
  const reported = await renderContext.client.userinfo(at, accessToken);
  if (!reported.ok) return reported;
  const { text, type } = reported.value;
  const kind = providerKind(provider.kind) ?? {};
  if (!isJwt(type)) return withUserinfo(claims, text, kind);
  const now = Date.now() / 1000;
  const jwt = text.trim();
  const verified = await withNewestKeys(renderContext, { provider, token: jwt, from: 'provider', now }, (context) =>
    verifySignedUserinfo(jwt, context, now),
  );
  if (verified.ok) return joinUserinfo(claims, verified.value, kind);
  const { reason, detail = '' } = verified;
  const line = `its signed UserInfo is rejected: ${reason}${detail === '' ? '' : `: ${detail}`}`;
  return refuse(
    reason === 'provider_unavailable' || reason === 'key_unknown' ? 'provider_unavailable' : 'signin_failed',
    line,
  );
}
