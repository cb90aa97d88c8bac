/** What meshgate knows about one kind of OpenID provider: the claims of its tokens (access tokens and ID tokens) that
 * the gateway reads, which tokens are not access tokens, and what a sign-in requests. A claim path is a claim's name,
 * or names joined by dots. */
export interface ProviderKind {
  readonly name: string;
  /** Claim with the caller's groups; absent: its tokens have none. */
  readonly groups?: string;
  /** Claim that names the claims which were left out because they are too large for a token (OpenID Connect Core,
   * 5.6.2). */
  readonly leftOut?: string;
  /** Claim with the audience of a token that has no `aud`. */
  readonly audienceElse?: string;
  /** Claims with the granted scopes, as a space-delimited string or a list; the first one present counts. */
  readonly scopes: readonly string[];
  /** Claims that name the client which a token was issued to. The first one present counts, before the other names of
   * `token/client-id.ts`. Empty: its tokens name no client. */
  readonly client: readonly string[];
  /** How a token shows that no person is behind it: `always`, or by all signs of one of these lists. */
  readonly alone: 'always' | readonly (readonly Sign[])[];
  /** Marks by which the provider says that an agent is the caller; absent: there are none. */
  readonly agents?: readonly AgentMark[];
  /** Access tokens name their client in these claims and ID tokens do not, which tells them apart. */
  readonly tellsByClient?: true;
  /** A claim and value that every access token has and no other token. */
  readonly says?: { readonly claim: string; readonly is: string };
  /** Claim of the caller's display name. */
  readonly displayName?: string;
  /** Claim of the caller's e-mail address. */
  readonly email?: string;
  /** Claim that says whether the address is verified. */
  readonly emailVerified?: string;
  /** Its values that mean yes; any other value, or none, means no. */
  readonly verifiedAs: readonly unknown[];
  /** A type in the JOSE header, lower case, that its tokens may have besides `JWT` and `at+jwt`. */
  readonly type?: string;
  /** Values of the payload's own `typ` (not the JOSE header's), lower case, of tokens that are not access tokens. */
  readonly refusedTypes: readonly string[];
  /** The service whose tokens have a `nonce` in the JOSE header; only that service can verify them. */
  readonly nonceInHeader?: string;
  /** The type of token that callers send, if it is not an access token. */
  readonly wants?: string;
  /** Other spellings of its one issuer. */
  readonly spellings?: readonly string[];
  /** The `use` that keys for tokens have in its key sets. */
  readonly keyUse?: string;
  /** Its keys say which issuer they belong to. */
  readonly keysNameIssuer?: true;
  /** Anyone can get a token of this kind, for any audience: a valid token does not show who the caller is. */
  readonly ofAnybody?: true;
  /** Absent: people cannot sign in with it. */
  readonly signin?: SigninDefaults;
}

/** What to change at a provider if a claim is absent or has the wrong value, by claim path. A path finds its own entry,
 * the entry of its part before a dot, or the entry `*`. */
export type ClaimHelp = Readonly<Record<string, string>>;

/** A condition for a claim: it is absent, has this value, matches a pattern, or its text is `before`, the text of the
 * claim `as`, and `after`. */
export type Sign =
  | { readonly claim: string; readonly absent: true }
  | { readonly claim: string; readonly is: string }
  | { readonly claim: string; readonly like: string }
  | {
      readonly claim: string;
      readonly as: string;
      readonly before?: string;
      readonly after?: string;
      readonly ignoreCase?: true;
    };

/** The claims of a kind that identify the owner of a token. A role or an agent that relies on other claims accepts
 * tokens of anyone. */
export interface Owners {
  /** Where those claims are, for messages. */
  readonly at: string;
  /** What has to be named, for messages. */
  readonly named: string;
  readonly claims: Readonly<Record<string, OwnerClaim>>;
  readonly write: string;
}

/** The values of a claim that identify an owner, as regular expressions. */
export interface OwnerClaim {
  /** For a whole value; absent: every value does. */
  readonly value?: string;
  /** For a pattern; absent: no pattern does. */
  readonly pattern?: string;
}

/** A claim by which a provider says that an agent is the caller: the claim is present, or contains this word. */
export interface AgentMark {
  readonly claim: string;
  readonly has?: string;
  /** No person is behind such an agent. */
  readonly alone?: true;
}

/** A kind of providers, for people. */
export interface AboutKind {
  readonly title: string;
  /** How to register the gateway there, one step per line. */
  readonly registering: readonly string[];
}

/** The form of a kind's issuers. */
export interface Issuers {
  /** An issuer that matches one of these is of this kind. */
  readonly looksLike: readonly RegExp[];
  /** Whether an issuer must end in a slash; absent: none does. */
  readonly endsInSlash?: (issuer: string) => boolean;
  /** The kind's only issuer. */
  readonly only?: string;
}

/** Tokens that callers often send by mistake, by the form of their issuer. The help reveals nothing of the policy. */
export interface Mistaken {
  readonly issuer: RegExp;
  readonly help: string;
}

/** What a sign-in requests of a provider, unless the policy says it. */
export interface SigninDefaults {
  /** With `offline_access` if the provider issues no refresh token without it. */
  readonly scopes: readonly string[];
  /** Whether the UserInfo endpoint has claims that the ID token may lack. */
  readonly userinfo: boolean;
}
