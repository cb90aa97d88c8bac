import type { ProviderKind } from '../providers/index.ts';
import { isText } from './json.ts';
import type { Claims } from './types.ts';

/** Claims that name the client to which a token was issued: `azp` of OpenID Connect, `client_id` of RFC 9068 and of
 * introspection (RFC 7662 section 2.2), `cid` of Okta, and `appid` of Entra ID version 1. */
export const CLIENT_CLAIMS: readonly string[] = Object.freeze(['azp', 'client_id', 'cid', 'appid']);

const noClients: readonly string[] = Object.freeze([]);

/** Returns the clients to which a token was issued: first by the claims that this kind of provider uses, then by all
 * others, which an introspection answer may use. Normally, all these claims name the same client. Tokens of some kinds
 * of providers name no client. */
export function clientIds(claims: Claims, { client: own }: ProviderKind): readonly string[] {
  if (own.length === 0) return noClients;
  const found: string[] = [];
  for (const names of [own, CLIENT_CLAIMS]) {
    for (let i = 0; i < names.length; i++) {
      const value = claims[names[i] as string];
      if (isText(value) && !found.includes(value)) found.push(value);
    }
  }
  return found;
}

/** Returns the first of {@link clientIds}. For a token without clients, undefined. */
export const clientOf = (claims: Claims, kind: ProviderKind): string | undefined => clientIds(claims, kind)[0];

/** Returns a claim that should name a client but is not a non-empty text. With it, an agent could count as a person. */
export function malformedClient(claims: Claims, { client: own }: ProviderKind): string | undefined {
  if (own.length === 0) return undefined;
  // This runs for each new token, and almost no token has a malformed claim. Plain reads are faster than a loop.
  const { azp, client_id: clientId, cid, appid } = claims;
  if (
    (azp === undefined || (typeof azp === 'string' && azp !== '')) &&
    (clientId === undefined || (typeof clientId === 'string' && clientId !== '')) &&
    (cid === undefined || (typeof cid === 'string' && cid !== '')) &&
    (appid === undefined || (typeof appid === 'string' && appid !== ''))
  ) {
    return undefined;
  }
  return CLIENT_CLAIMS.find((name) => claims[name] !== undefined && !isText(claims[name]));
}
