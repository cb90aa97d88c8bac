import type { Claims } from '../token/types.ts';

/** The claims that a session keeps: those that facts, headers and subjects of the policy read. */
export interface KeptClaims {
  /** Claim paths that are kept whole, by provider. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** Elements of lists that are kept, by provider and claim path, if nothing reads the whole list. For example, a
   * person may be in hundreds of groups of which the policy names a few. */
  readonly elements: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** The content of a session cookie, which is sealed. Times are seconds since the epoch. Names are short because each
 * byte travels in each request. */
export interface SessionClaims {
  /** Id of the session: 128 random bits, base64url. It stays the same while one person uses the browser, see
   * `continued`. */
  readonly sid: string;
  readonly provider: string;
  /** The provider's session id (`sid` of the ID token), which a back-channel sign-out names. */
  readonly psid?: string;
  /** {@link Table.selection} of the policy that selected the claims. */
  readonly selection: string;
  /** Grows with each renewal and sign-in. The record has the newest. */
  readonly gen: number;
  /** When the last sign-in began here. A revocation of the subject applies to sessions that began before it. */
  readonly since: number;
  /** When the person signed in at the provider (`auth_time`); 0 if the provider does not say it. */
  readonly authTime: number;
  /** When this cookie was sealed. `idle` counts from here. */
  readonly sealed: number;
  /** Until when the claims count as confirmed by the provider. */
  readonly fresh: number;
  /** The absolute end. */
  readonly end: number;
  /** Revocations with a cut-off up to this one were known when the session began; absent: there were none. */
  readonly cut?: number;
  /** The claims that {@link KeptClaims} selects. */
  readonly claims: Claims;
}

/** What the gateway keeps about a session besides the cookie. It is sealed before it is stored. */
export interface SessionRecord {
  readonly session: SessionClaims;
  /** The host whose cookie it is. */
  readonly host: string;
  /** All claims that the provider returned, so that another policy can select others. */
  readonly claims: Claims;
  /** Absent: the provider returned none, or it must not be used any more. */
  readonly refreshToken?: string;
  /** A refresh was sent and its answer was lost: the provider may have used up the token. */
  readonly lost?: true;
  /** A refresh returns no claims, or too few: this session is not refreshed again. */
  readonly silent?: true;
  /** The provider has ended the session. Nothing else of it is kept. */
  readonly ended?: true;
  /** Hint for the provider's sign-out (OpenID Connect RP-Initiated Logout, section 2). */
  readonly idToken?: string;
}
