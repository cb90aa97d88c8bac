/** What meshgate knows about one kind of OpenID provider. The path of a claim is its name, or names joined by dots. */
export interface ProviderKind {
  readonly name: string;
  /** The claim with the caller's groups; absent: tokens of this kind have no groups. */
  readonly groups?: string;
  /** The claim that names claims which were too large for the token and were left out (OpenID Connect Core, 5.6.2). */
  readonly leftOut?: string;
  /** The claim with the audience of a token that has no `aud`. */
  readonly audienceElse?: string;
  /** Claims with the granted scopes, as a space-delimited text or a list. The first present claim counts. */
  readonly scopes: readonly string[];
  /** Claims with the client of the token. The first present claim counts; those of `token/client-id.ts` follow. */
  readonly client: readonly string[];
  /** Which tokens have no person: all tokens (`always`), or tokens with all signs of one of these lists. */
  readonly alone: 'always' | readonly (readonly Sign[])[];
  /** Marks with which the provider says that the caller is an agent; absent: there are none. */
  readonly agents?: readonly AgentMark[];
  /** Set if access tokens name their client in these claims and ID tokens do not. This difference tells them apart. */
  readonly tellsByClient?: true;
  /** A claim and a value that every access token has and no other token has. */
  readonly says?: { readonly claim: string; readonly is: string };
  readonly displayName?: string;
  readonly email?: string;
  /** The claim that says whether the address is verified. */
  readonly emailVerified?: string;
  /** The values of that claim which mean that the address is verified. */
  readonly verifiedAs: readonly unknown[];
  /** A type in the JOSE header, in lower case, that tokens of this kind may have besides `JWT` and `at+jwt`. */
  readonly type?: string;
  /** Values of the claim `typ`, in lower case, of tokens that are not access tokens. */
  readonly refusedTypes: readonly string[];
  /** A service whose tokens have a `nonce` in the JOSE header. Only this service can verify these tokens. */
  readonly nonceInHeader?: string;
  /** The type of token that callers send, if they do not send access tokens. */
  readonly wants?: string;
  /** Other spellings of the issuer, if the kind has only one issuer. */
  readonly spellings?: readonly string[];
  /** The value of `use` that keys for tokens have in the key sets of this kind. */
  readonly keyUse?: string;
  /** Set if the keys say which issuer they belong to. */
  readonly keysNameIssuer?: true;
  /** Set if anyone can get a token of this kind for any audience. Then a valid token does not show who the caller is. */
  readonly ofAnybody?: true;
  /** What a sign-in requests. Absent: people cannot sign in at this kind. */
  readonly signin?: SigninDefaults;
}

/** What to change at a provider if a claim is absent or wrong. The key is its path, the part before a dot, or `*`. */
export type ClaimHelp = Readonly<Record<string, string>>;

/** A condition for a claim: it is absent, has this value, matches a pattern, or is `before`, the claim `as` and
 * `after`. */
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

/** The claims that identify the owner of a token. If a role compares only other claims, anyone's token can match. */
export interface Owners {
  readonly at: string;
  readonly named: string;
  readonly claims: Readonly<Record<string, OwnerClaim>>;
  readonly write: string;
}

/** Which values of a claim identify an owner, as regular expressions. */
interface OwnerClaim {
  /** For the comparison with a whole value; absent: every value identifies an owner. */
  readonly value?: string;
  /** For the comparison with a pattern; absent: no pattern identifies an owner. */
  readonly pattern?: string;
}

/** A mark with which a provider says that the caller is an agent: the claim is present, or it contains this word. */
export interface AgentMark {
  readonly claim: string;
  readonly has?: string;
  /** Set if such an agent acts without a person. */
  readonly alone?: true;
}

export interface AboutKind {
  readonly title: string;
  /** The steps to register the gateway at the provider, one per line. */
  readonly registering: readonly string[];
}

export interface Issuers {
  /** Patterns: an issuer that matches one of them belongs to this kind. */
  readonly looksLike: readonly RegExp[];
  /** Whether an issuer must end with a slash; absent: issuers have no slash at the end. */
  readonly endsInSlash?: (issuer: string) => boolean;
  readonly only?: string;
}

/** Tokens that callers often send by mistake. The help contains nothing of the policy. */
export interface Mistaken {
  readonly issuer: RegExp;
  readonly help: string;
  /** Audiences of another service of the provider, and what to do about a token that is for it. */
  readonly other?: { readonly audiences: readonly string[]; readonly help: string };
}

/** The defaults for what a sign-in requests from a provider. */
export interface SigninDefaults {
  /** The scopes. They include `offline_access` if the provider issues no refresh token without it. */
  readonly scopes: readonly string[];
  /** Whether the UserInfo endpoint has claims that the ID token can lack. */
  readonly userinfo: boolean;
}
