import type { Claims } from '../base/claim-at.ts';
import type { IntrospectionPolicy, Provider } from '../policy/checked/types.ts';

export type { Claims } from '../base/claim-at.ts';

/** The part of a provider that is needed to verify tokens. It is rendered into policy.js. */
export interface TokenProvider
  extends Omit<Provider, 'at' | 'caFile' | 'client' | 'signin' | 'introspection' | 'groupsEndpoint'> {
  /** Set if the provider is asked about tokens that are not JWTs (RFC 7662). */
  readonly introspection?: Introspection;
  /** Whether the provider publishes no keys, so that it is asked about all of its tokens. */
  readonly keyless?: true;
  /** Whether the provider is asked for groups that a token leaves out. */
  readonly asksGroups?: true;
}

/** Returns the provider with a route's audiences (RFC 8707) instead of the provider's. The route then rejects tokens
 * for other resources, and other routes reject tokens for this resource. */
export function forResource(provider: TokenProvider, audiences: readonly string[]): TokenProvider {
  const { anyAudience: _, ...rest } = provider;
  return { ...rest, audiences };
}

/** How a provider is asked about tokens. Times are in seconds. */
type Introspection = Omit<IntrospectionPolicy, 'endpoint' | 'timeout'>;

/** The key to which a token is bound. The sender of a request must prove that it has the private half. */
export interface Binding {
  readonly kind: 'dpop' | 'certificate';
  /** The SHA-256 of the JWK (RFC 7638) or of the certificate's DER, as base64url. */
  readonly thumbprint: string;
}

/** A token whose signature and claims are valid. */
export interface Verified {
  readonly provider: string;
  readonly claims: Claims;
  /** `exp`, seconds since the epoch. */
  readonly expires: number;
  /** RFC 7638 thumbprint of the signing key, or `introspected`. A cache entry becomes invalid together with this
   * key. */
  readonly key: string;
  /** When the provider must be asked again, in seconds since the epoch; absent: never. */
  readonly until?: number;
  /** The key to which the token is bound; absent: anyone who has the token may use it. */
  readonly binding?: Binding;
}

/** One usable public key of a provider. */
export interface ProviderKey {
  /** The SHA-256 thumbprint of RFC 7638, as base64url. */
  readonly thumbprint: string;
  readonly kid?: string;
  /** The only algorithm for which the key's owner allows the key, if there is one. */
  readonly alg?: string;
  readonly kty: 'RSA' | 'EC' | 'OKP';
  readonly crv?: string;
  /** The issuer to which the key belongs, or the template of its issuers, if the key set names one. */
  readonly issuer?: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** The point of an EC key in SEC 1 form. Importing it takes half as long as importing the JWK. */
  readonly raw?: Uint8Array;
}
