/**
 * The check asks the sign-in to renew a session that is not fresh any more: `POST /.meshgate/renew` over the unix socket
 * of the check's server. What the answer means, by its status; any other answer, or none, means `alone`.
 */
export const RENEWED = {
  /** The body is the newer cookie's text. */
  renewed: 200,
  /** The provider is asked now; the old cookie stands meanwhile. */
  going: 202,
  /** There is no record here, or the provider is away: the old cookie stands until its hard end. */
  alone: 204,
  /** The provider ended it. */
  ended: 401,
  /** Its time is over, and the provider did not confirm the claims: a page goes there, all else is refused. */
  stale: 409,
} as const;

/** How a refused navigation goes to sign-in: value of `X-Meshgate-Signin`, the query of the sign-in's URL before `&to=`. */
export type SigninMode = 'in' | 'renew' | `step&role=${string}`;
