import type { ProviderKind } from '../providers/index.ts';
import type { Claims } from './types.ts';

/**
 * Every name that a provider gives to the client which a token was issued to: `azp` of OpenID Connect, `client_id` of
 * RFC 9068 and of the answers about tokens (RFC 7662 section 2.2), `cid` of Okta, `appid` of Entra ID's version 1.
 */
export const CLIENT_CLAIMS: readonly string[] = Object.freeze(['azp', 'client_id', 'cid', 'appid']);

const isClient = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The first of these claims that the token has. */
function firstOf(claims: Claims, names: readonly string[]): unknown {
  for (let i = 0; i < names.length; i++) {
    const value = claims[names[i] as string];
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * The client that a token was issued to: by the names that its kind of provider uses in tokens, or else by any other
 * name, since an answer about the token may use another one. Tokens of some kinds name no client.
 *
 * @returns undefined where there is none, or no text
 */
export function clientOf(claims: Claims, { client: own }: ProviderKind): string | undefined {
  if (own.length === 0) return undefined;
  const value = firstOf(claims, own) ?? firstOf(claims, CLIENT_CLAIMS);
  return isClient(value) ? value : undefined;
}

/** A claim that names a client, and is no non-empty text: the token of an agent must not pass as a person's for that. */
export function malformedClient(claims: Claims, { client: own }: ProviderKind): string | undefined {
  if (own.length === 0) return undefined;
  for (let i = 0; i < CLIENT_CLAIMS.length; i++) {
    const name = CLIENT_CLAIMS[i] as string;
    const value = claims[name];
    if (value !== undefined && !isClient(value)) return name;
  }
  return undefined;
}
