/** The check asks the sign-in's JavaScript to renew a session that is no longer fresh: `POST /.meshgate/renew` over the
 * unix socket of the check's server. The status of the answer has these meanings. Any other answer, or none, means
 * `alone`. */
export const RENEWED = {
  /** The body is the text of the newer cookie. */
  renewed: 200,
  /** The provider is being asked. The old cookie stays valid meanwhile. */
  going: 202,
  /** There is no record here, or the provider has an outage. The old cookie stays valid until its hard end. */
  alone: 204,
  /** The provider has ended the session. */
  ended: 401,
  /** The claims are no longer fresh, and the provider did not confirm them. Pages go to the sign-in; other requests are
   * refused. */
  stale: 409,
} as const;

/** The kind of sign-in that a refused navigation is sent to: value of `X-Meshgate-Signin`, which precedes `&to=` in the
 * query of the sign-in's URL. */
export type SigninMode = 'in' | 'renew' | `step&role=${string}`;
