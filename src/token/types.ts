import type { Claims } from '../claim-at.ts';
import type { IntrospectionPolicy, Provider } from '../policy/types.ts';

export type { Claims } from '../claim-at.ts';

/** The part of a provider that verifying tokens needs; rendered into policy.js. */
export interface TokenProvider
  extends Omit<Provider, 'at' | 'caFile' | 'client' | 'signin' | 'introspection' | 'groupsEndpoint'> {
  /** The provider is asked about tokens that are not JWTs (RFC 7662). */
  readonly introspection?: Introspection;
  /** The provider publishes no keys and is asked about all of its tokens. */
  readonly keyless?: true;
  /** The provider is asked for groups that a token leaves out. */
  readonly asksGroups?: true;
}

/** A provider for a route that has its own audiences (RFC 8707). They replace the provider's, so the route rejects a
 * token for another resource, and other routes reject a token for this one. */
export function forResource(provider: TokenProvider, audiences: readonly string[]): TokenProvider {
  const { anyAudience: _, ...rest } = provider;
  return { ...rest, audiences };
}

/** How a provider is asked about tokens; times in seconds. */
export type Introspection = Omit<IntrospectionPolicy, 'endpoint' | 'timeout'>;

/** The key that a token is bound to. A request must prove that its sender has the private half. */
export interface Binding {
  readonly kind: 'dpop' | 'certificate';
  /** SHA-256 in base64url: of the JWK (RFC 7638), or of the certificate's DER. */
  readonly thumbprint: string;
}

/** A token whose signature and claims are valid. */
export interface Verified {
  readonly provider: string;
  readonly claims: Claims;
  /** `exp`, seconds since the epoch. */
  readonly expires: number;
  /** RFC 7638 thumbprint of the key that signed it, on which the cache entry depends; `introspected` if no key did. */
  readonly key: string;
  /** When the provider must be asked again, seconds since the epoch; absent: never. */
  readonly until?: number;
  /** Absent: anyone who has the token may use it. */
  readonly binding?: Binding;
}

/** One usable public key of a provider. */
export interface Key {
  /** RFC 7638 thumbprint, SHA-256, base64url. */
  readonly thumbprint: string;
  readonly kid?: string;
  /** The algorithm that its owner bound it to, if any. */
  readonly alg?: string;
  readonly kty: 'RSA' | 'EC' | 'OKP';
  readonly crv?: string;
  /** The issuer that it belongs to, or the template of its issuers, if the set says so. */
  readonly issuer?: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** The point of an EC key in SEC 1 form. Importing it takes half the time of importing the JWK. */
  readonly raw?: Uint8Array;
}
