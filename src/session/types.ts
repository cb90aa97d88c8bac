import type { Claims } from '../token/types.ts';

/** Which of a provider's claims a session keeps: those that the policy's facts, headers and subjects read. */
export interface KeptClaims {
  /** Claim paths that are kept whole, by provider. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /**
   * Elements of lists that are kept, by provider and claim path, where nothing reads the whole list: the groups that
   * the policy names, of the hundreds that somebody may be in.
   */
  readonly elements: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** What a session cookie says, sealed. Times are seconds since the epoch. Short names: each byte travels in each request. */
export interface SessionClaims {
  /** Id of the session, 128 random bits, base64url. It stays while the same person uses the browser, see `continued`. */
  readonly sid: string;
  readonly provider: string;
  /** The provider's own session (`sid` of the ID token), which a back-channel sign-out names. */
  readonly psid?: string;
  /** {@link Table.selection} of the policy that chose the claims. */
  readonly selection: string;
  /** Grows with each renewal and sign-in; the record has the newest. */
  readonly gen: number;
  /** When its last sign-in began here: a revocation of the subject holds for what began before. */
  readonly since: number;
  /** When the person signed in at the provider (`auth_time`); 0 where it does not say. */
  readonly authTime: number;
  /** When this cookie was sealed: `idle` counts from here. */
  readonly sealed: number;
  /** Until when the claims count as confirmed by the provider. */
  readonly fresh: number;
  /** The absolute end. */
  readonly end: number;
  /** Revocations with a cut-off up to this one were known when the session began; absent: there were none. */
  readonly cut?: number;
  /** What {@link KeptClaims} keeps. */
  readonly claims: Claims;
}

/** What the gateway keeps of a session beside the cookie, sealed before it lies anywhere. */
export interface SessionRecord {
  readonly session: SessionClaims;
  /** The host whose cookie it is. */
  readonly host: string;
  /** All claims that the provider gave, so that another policy can choose anew. */
  readonly claims: Claims;
  /** Absent: the provider gave none, or it must not be used any more. */
  readonly refreshToken?: string;
  /** A refresh was sent and its answer lost: the provider may have used the token up. */
  readonly lost?: true;
  /** A refresh says nothing, or too little, of the person: the provider is not asked by its refresh token again. */
  readonly silent?: true;
  /** The provider ended the session: nothing else is kept of it. */
  readonly ended?: true;
  /** Hint for the provider's sign-out (OpenID Connect RP-Initiated Logout, section 2). */
  readonly idToken?: string;
}
