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
