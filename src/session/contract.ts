/**
 * What the check asks of the sign-in's side, over the unix socket of the check's server, about a session that is not
 * fresh any more: `POST /.meshgate/renew` with these headers.
 */
export const RENEW_HEADERS = {
  /** The host whose cookie it is. */
  host: 'X-Meshgate-Host',
  /** The cookie's text. */
  session: 'X-Meshgate-Session',
  /** `1`: answer when the provider has answered; `0`: answer at once and go on. */
  wait: 'X-Meshgate-Wait',
} as const;

/** What the answer means, by its status. Any other answer, or none, is taken as `alone`. */
export const RENEWED = {
  /** The body is the newer cookie's text. */
  renewed: 200,
  /** The provider is asked now; the old cookie stands meanwhile. */
  going: 202,
  /** There is no record here, or the provider is away: the old cookie stands until its hard end. */
  alone: 204,
  /** The provider ended it. */
  ended: 401,
} as const;

/** How a refused navigation goes to sign-in: value of `X-Meshgate-Signin`, the query of the sign-in's URL before `&to=`. */
export type SigninMode = 'in' | 'renew' | `step&role=${string}`;
