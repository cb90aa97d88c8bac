/**
 * What meshgate knows about one kind of OpenID provider: where its access tokens keep what the gateway reads,
 * and which of its tokens are no access tokens. A claim path is a claim's name, or names joined by dots.
 */
export interface ProviderKind {
  readonly name: string;
  /** One sentence for the policy's author. */
  readonly help: string;
  /** Claim of the caller's groups. */
  readonly groups: string;
  /** Claims of the granted scopes; the first one present counts. A space-delimited string or a list. */
  readonly scopes: readonly string[];
  /** Claims that name the client which the token was issued to; the first one present counts. */
  readonly client: readonly string[];
  /** Claim of the caller's display name. */
  readonly displayName: string;
  /** Claim of the caller's e-mail address. */
  readonly email: string;
  /** Claim that must be true for the address to count. */
  readonly emailVerified: string;
  /** Values of the payload's own `typ` (not the JOSE header's), lower case, of tokens that are no access tokens. */
  readonly refusedTypes: readonly string[];
}
