/** Names and paths that the check, the sign-in and the renderer share. */

/** The name of the session cookie. `__Host-` binds it to host, TLS and the path `/` (RFC 6265bis section 4.1.3.2). With
 * `Http-`, browsers that know this prefix (Chromium 140) let no script set such a cookie; to others it is `__Host-`. */
export const SESSION_COOKIE = '__Host-Http-meshgate';

/** Beginning of the name of the cookie that binds an attempt to its browser. */
export const ATTEMPT_COOKIE = '__Host-Http-meshgate-a-';

/** Maximum number of attempts of one browser at the same time. A new attempt replaces the oldest one. */
export const MAX_ATTEMPTS = 8;

/** The purpose for which a text is sealed. The text cannot be opened for another purpose. */
export type Purpose = 'session' | 'state' | 'ticket' | 'record';

export const SIGNIN_PATH = '/.meshgate/signin';
export const CALLBACK_PATH = '/.meshgate/callback';
export const HANDOVER_PATH = '/.meshgate/handover';
export const SIGNOUT_PATH = '/.meshgate/signout';
export const BACKCHANNEL_PATH = '/.meshgate/backchannel';
export const FRONTCHANNEL_PATH = '/.meshgate/frontchannel';
export const WHOAMI_PATH = '/.meshgate/whoami';
export const ASSETS_PATH = '/.meshgate/assets/';
/** Only the check requests this path. */
export const RENEW_PATH = '/.meshgate/renew';
export const PAGE_PATH = '/.meshgate/page/';

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
