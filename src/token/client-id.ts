import type { ProviderKind } from '../providers/index.ts';
import type { Claims } from './types.ts';

/** Claims that name the client which a token was issued to: `azp` of OpenID Connect, `client_id` of RFC 9068 and of
 * introspection (RFC 7662 section 2.2), `cid` of Okta, `appid` of Entra ID's version 1. */
export const CLIENT_CLAIMS: readonly string[] = Object.freeze(['azp', 'client_id', 'cid', 'appid']);

const isClient = (value: unknown): value is string => typeof value === 'string' && value !== '';

const noClients: readonly string[] = Object.freeze([]);

/** The clients that a token was issued to, by all these claims: first those that its kind of provider uses in tokens,
 * then all others, because an introspection answer may use another one. They name one client, unless the provider
 * contradicts itself. Tokens of some kinds name no client. */
export function clientsOf(claims: Claims, { client: own }: ProviderKind): readonly string[] {
  if (own.length === 0) return noClients;
  const found: string[] = [];
  for (const names of [own, CLIENT_CLAIMS]) {
    for (let i = 0; i < names.length; i++) {
      const value = claims[names[i] as string];
      if (isClient(value) && !found.includes(value)) found.push(value);
    }
  }
  return found;
}

/** The first of {@link clientsOf}; undefined if there is none. */
export const clientOf = (claims: Claims, kind: ProviderKind): string | undefined => clientsOf(claims, kind)[0];

/** A claim that should name a client but is not a non-empty text. It must be found, or an agent's token could pass as a
 * person's. */
export function malformedClient(claims: Claims, { client: own }: ProviderKind): string | undefined {
  if (own.length === 0) return undefined;
  // Each new token is checked here, and hardly any has such a claim. Plain reads cost less than a loop over names, or
  // calls.
  const { azp, client_id: clientId, cid, appid } = claims;
  if (
    (azp === undefined || (typeof azp === 'string' && azp !== '')) &&
    (clientId === undefined || (typeof clientId === 'string' && clientId !== '')) &&
    (cid === undefined || (typeof cid === 'string' && cid !== '')) &&
    (appid === undefined || (typeof appid === 'string' && appid !== ''))
  ) {
    return undefined;
  }
  return CLIENT_CLAIMS.find((name) => claims[name] !== undefined && !isClient(claims[name]));
}
