/**
 * What meshgate knows about one kind of OpenID provider: where its tokens (access tokens and ID tokens) keep what the
 * gateway reads, which of its tokens are none to ask services with, and what it wants to be asked for when somebody signs
 * in. A claim path is a claim's name, or names joined by dots.
 */
export interface ProviderKind {
  readonly name: string;
  /** Claim of the caller's groups; absent: its tokens have none. */
  readonly groups?: string;
  /** Claim that names those which were left out because they are too much for a token (OpenID Connect Core, 5.6.2). */
  readonly leftOut?: string;
  /** Claim that says who a token without `aud` is for. */
  readonly audienceElse?: string;
  /** Claims of the granted scopes; the first one present counts. A space-delimited string or a list. */
  readonly scopes: readonly string[];
  /**
   * Claims by which its tokens name the client that they were issued to; the first one present counts, before the other
   * names of `token/client-id.ts`. None: its tokens name no client.
   */
  readonly client: readonly string[];
  /** How a token shows that no person is behind it: `always`, or by all the signs of one of these lists. */
  readonly alone: 'always' | readonly (readonly Sign[])[];
  /** By what the provider itself says that an agent asks; absent: it does not. */
  readonly agents?: readonly AgentMark[];
  /** Each access token names its client there, and no ID token does: that tells them apart. */
  readonly tellsByClient?: true;
  /** What each access token says of itself, and no other token. */
  readonly says?: { readonly claim: string; readonly is: string };
  /** Claim of the caller's display name. */
  readonly displayName?: string;
  /** Claim of the caller's e-mail address. */
  readonly email?: string;
  /** Claim that says whether the address is the caller's. */
  readonly emailVerified?: string;
  /** Its values that say yes; any other, or none, says no. */
  readonly verifiedAs: readonly unknown[];
  /** A type in the JOSE header, lower case, that its tokens may have beside `JWT` and `at+jwt`. */
  readonly type?: string;
  /** Values of the payload's own `typ` (not the JOSE header's), lower case, of tokens that are no access tokens. */
  readonly refusedTypes: readonly string[];
  /** Whose tokens have a `nonce` in the JOSE header, with which nobody else can verify them. */
  readonly nonceInHeader?: string;
  /** What callers send, if it is not an access token. */
  readonly wants?: string;
  /** Other spellings of its one issuer. */
  readonly spellings?: readonly string[];
  /** Its key sets have keys of this `use` for tokens. */
  readonly keyUse?: string;
  /** Its keys say which issuer they belong to. */
  readonly keysNameIssuer?: true;
  /** Anybody in the world can have a token of it, for any audience: that one is good says nothing of who it is. */
  readonly ofAnybody?: true;
  /** Absent: nobody signs in through it. */
  readonly signin?: SigninDefaults;
}

/**
 * What to do at a provider where a claim is absent or has the wrong value, by claim path: a path finds its own, the one of
 * a part before a dot, or that of `*`.
 */
export type ClaimHelp = Readonly<Record<string, string>>;

/**
 * What a claim looks like: it is not there, it has this value, it is like a pattern, or its text is `before`, the text
 * of the claim `as`, and `after`.
 */
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

/** What of a kind's tokens names exactly whose they are: a role or an agent by anything else is anybody's in the world. */
export interface Owners {
  /** Where that is, for messages. */
  readonly at: string;
  /** What has to be named, for messages. */
  readonly named: string;
  readonly claims: Readonly<Record<string, OwnerClaim>>;
  readonly write: string;
}

/** How texts of a claim name whose a token is, as regular expressions. */
export interface OwnerClaim {
  /** Of a whole value; absent: each does. */
  readonly value?: string;
  /** Of a pattern; absent: none does. */
  readonly pattern?: string;
}

/** A claim by which a provider says that an agent asks: it is there, or has this among its words. */
export interface AgentMark {
  readonly claim: string;
  readonly has?: string;
  /** Nobody is behind the agent then. */
  readonly alone?: true;
}

/** What issuers of a kind are like. */
export interface Issuers {
  /** An issuer that one of these matches is of this kind. */
  readonly looksLike: readonly RegExp[];
  /** Whether this one has to end in a slash; absent: none does. */
  readonly endsInSlash?: (issuer: string) => boolean;
  /** There is no other issuer. */
  readonly only?: string;
}

/** Tokens that people send by mistake, by what their issuer looks like: the help says nothing of the policy. */
export interface Mistaken {
  readonly issuer: RegExp;
  readonly help: string;
}

/** What a provider is asked for when somebody signs in, unless the policy says. */
export interface SigninDefaults {
  /** With `offline_access` where there is no refresh token without it. */
  readonly scopes: readonly string[];
  /** Whether the UserInfo endpoint has claims that the ID token may lack. */
  readonly userinfo: boolean;
}
