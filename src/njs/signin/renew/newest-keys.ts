import type { Result } from '../../../base/reasons.ts';
import type { ProviderTokenContext } from '../../../session/provider-token.ts';
import type { SigninProvider } from '../../../session/signin-table.ts';
import { providerToAsk } from '../../../token/keys/key-refresh.ts';
import type { Claims, TokenProvider } from '../../../token/types.ts';
import { emptyErrorQueue } from '../../keys/openssl.ts';
import type { SigninContext } from '../signin-context.ts';

/** Returns the input for verifying what a provider signs for the gateway, with its current keys. */
function providerContext({ table, keys }: SigninContext, provider: SigninProvider, now: number) {
  return {
    provider: table.providers[provider.name] as TokenProvider,
    clientId: provider.client.id,
    keys: keys.of(provider.name, now),
    skew: table.clockSkew,
    imported: keys.imported,
    onFailure: emptyErrorQueue,
  };
}

interface SignedToken {
  readonly provider: SigninProvider;
  readonly token: string;
  /** Who sent the token: the provider, in an answer to the gateway, or anyone. */
  readonly from: 'provider' | 'anyone';
  readonly now: number;
}

/** Verifies a token that a provider signed for the gateway, if necessary once more with the newest keys. */
export async function withNewestKeys(
  renderContext: SigninContext,
  { provider, token, from, now }: SignedToken,
  verify: (context: ProviderTokenContext) => Promise<Result<Claims>>,
): Promise<Result<Claims>> {
  const verified = await verify(providerContext(renderContext, provider, now));
  if (verified.ok) return verified;
  const of = renderContext.table.providers[provider.name] as TokenProvider;
  // The job may not have fetched keys yet. If the provider has just answered, it has no outage. Anyone else must wait
  // for the cool-down, so that strangers cause no calls at will.
  const urgent = from === 'provider' && verified.reason === 'provider_unavailable';
  const ask = urgent ? of : providerToAsk(token, verified, [of]);
  if (ask === undefined || (await renderContext.keys.refetch(ask, urgent)) !== 'fetched') return verified;
  return verify(providerContext(renderContext, provider, now));
}
