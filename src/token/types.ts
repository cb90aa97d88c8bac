import type { Claims } from '../claim-at.ts';
import type { IntrospectionPolicy, Provider } from '../policy/types.ts';

export type { Claims } from '../claim-at.ts';

/** What the token steps need of a provider; rendered into policy.js. */
export interface TokenProvider
  extends Omit<Provider, 'at' | 'caFile' | 'client' | 'signin' | 'introspection' | 'groupsEndpoint'> {
  /** The provider is asked about tokens that are no JWTs (RFC 7662). */
  readonly introspection?: Introspection;
  /** It publishes no keys: it is asked about all of its tokens. */
  readonly keyless?: true;
  /** Groups that a token leaves out are asked for. */
  readonly asksGroups?: true;
}

/**
 * A provider as a route takes its tokens that has audiences of its own (RFC 8707): those stand in the place of the
 * provider's, so that a token for another resource is none here, and one for this is none elsewhere.
 */
export function forResource(provider: TokenProvider, audiences: readonly string[]): TokenProvider {
  const { anyAudience: _, ...rest } = provider;
  return { ...rest, audiences };
}

/** How a provider is asked about tokens; times in seconds. */
export type Introspection = Omit<IntrospectionPolicy, 'endpoint' | 'timeout'>;

/** The key that a token is bound to: a request with it has to prove that its sender has the private half. */
export interface Binding {
  readonly kind: 'dpop' | 'certificate';
  /** SHA-256 in base64url: of the JWK (RFC 7638), or of the certificate's DER. */
  readonly thumbprint: string;
}

/** A token whose signature and claims hold. */
export interface Verified {
  readonly provider: string;
  readonly claims: Claims;
  /** `exp`, seconds since the epoch. */
  readonly expires: number;
  /** RFC 7638 thumbprint of the key that signed it: what the cache entry depends on; `introspected` where none did. */
  readonly key: string;
  /** When the provider has to be asked again, seconds since the epoch; absent: never. */
  readonly until?: number;
  /** Absent: whoever has the token may use it. */
  readonly binding?: Binding;
}

/** One usable public key of a provider. */
export interface Key {
  /** RFC 7638 thumbprint, SHA-256, base64url. */
  readonly thumbprint: string;
  readonly kid?: string;
  /** The algorithm its owner bound it to, if any. */
  readonly alg?: string;
  readonly kty: 'RSA' | 'EC' | 'OKP';
  readonly crv?: string;
  /** The issuer that it belongs to, or the template of those, where its set says so. */
  readonly issuer?: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** The point of an EC key as SEC 1 writes it; with it nothing else is imported, in half the time. */
  readonly raw?: Uint8Array;
}
