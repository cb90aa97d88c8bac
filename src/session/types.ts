import type { Claims } from '../token/types.ts';

/** The claims that a session keeps: those that facts, headers and subjects of the policy read. */
export interface KeptClaims {
  /** Claim paths that are kept whole, by provider. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** Elements of lists that are kept, by provider and claim path, if nothing reads the whole list. A person can be in
   * hundreds of groups, but the policy names only a few. */
  readonly elements: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** The content of a session cookie, which is sealed. Times are in seconds since the epoch. The names are short, because
 * the browser sends each byte with each request. */
export interface SessionClaims {
  /** Id of the session: 128 random bits as base64url. It stays for the same person, see `continued`. */
  readonly sid: string;
  readonly provider: string;
  /** The provider's issuer in the policy. The policy may later use the provider's name for another issuer. */
  readonly issuer: string;
  /** The id of the session at the provider (`sid` of the ID token). A back-channel sign-out names it. */
  readonly psid?: string;
  /** {@link Table.selection} of the policy with which the claims were selected. */
  readonly selection: string;
  /** Increases with each renewal and each sign-in. The record has the highest number. */
  readonly gen: number;
  /** When the last sign-in began here. A revocation of the subject ends sessions that began before it. */
  readonly since: number;
  /** When the person signed in at the provider (`auth_time`); 0 if the provider does not say when. */
  readonly authTime: number;
  /** When this cookie was sealed. `idle` counts from here. */
  readonly sealed: number;
  /** Until when the claims count as confirmed by the provider. */
  readonly fresh: number;
  /** The absolute end of the session. */
  readonly end: number;
  /** The latest cut-off of revocations that was known when the session began; absent: there was none. */
  readonly cut?: number;
  /** The claims that {@link KeptClaims} selects. */
  readonly claims: Claims;
}

/** What the gateway keeps about a session in addition to the cookie. It is sealed before it is stored. */
export interface SessionRecord {
  readonly session: SessionClaims;
  readonly host: string;
  /** All claims that the provider returned. Another policy can then select other claims. */
  readonly claims: Claims;
  /** Absent: the provider returned no refresh token, or the token must not be used any more. */
  readonly refreshToken?: string;
  /** Whether a refresh was sent and its answer was lost, so that the provider may have used up the token. */
  readonly lost?: true;
  /** Whether the answer came and was not usable, so that the claims count only for their fresh time. */
  readonly suspended?: true;
  /** Whether a refresh returns no claims or too few. Then this session is not refreshed again. */
  readonly silent?: true;
  /** Whether the provider has ended the session. The record then contains nothing else. */
  readonly ended?: true;
  /** The ID token, as a hint for the provider's sign-out (OpenID Connect RP-Initiated Logout, section 2). */
  readonly idToken?: string;
}
