/** The meanings of status codes in the answer to `POST /.meshgate/renew`. The check sends this request over the unix
 * socket of its server, so that the JavaScript of the sign-in renews a session that is no longer fresh. Any other
 * status, or no answer, means `alone`. */
export const RENEWED = {
  /** The body is the value of the newer cookie. */
  renewed: 200,
  /** The provider is being asked. The old cookie stays valid until the answer. */
  going: 202,
  /** There is no record here, or the provider has an outage. The old cookie stays valid until its hard end. */
  alone: 204,
  /** The provider has ended the session. */
  ended: 401,
  /** The provider did not confirm claims that are no longer fresh. Pages go to the sign-in, and other requests are
   * refused. */
  stale: 409,
} as const;

/** The kind of sign-in to which a refused page request is redirected: the value of `X-Meshgate-Signin`, before `&to=`
 * in the query of the sign-in's URL. */
export type SigninMode = 'in' | 'renew' | `step&role=${string}`;
