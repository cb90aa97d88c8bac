/** Names and paths that the check, the sign-in and the renderer share. */

/** The cookie of a session (RFC 6265bis section 4.1.3.2: `__Host-` binds it to one host, TLS and the path `/`). */
export const SESSION_COOKIE = '__Host-meshgate';

/** Beginning of the name of the cookie that binds an attempt to its browser. */
export const ATTEMPT_COOKIE = '__Host-meshgate-a-';

/** Most attempts of one browser at a time. A further one replaces the oldest. */
export const MAX_ATTEMPTS = 8;

/** The purpose that a text is sealed for. It cannot be opened for another purpose. */
export type Purpose = 'session' | 'state' | 'ticket' | 'record';

export const SIGNIN_PATH = '/.meshgate/signin';
export const CALLBACK_PATH = '/.meshgate/callback';
export const HANDOVER_PATH = '/.meshgate/handover';
export const SIGNOUT_PATH = '/.meshgate/signout';
export const BACKCHANNEL_PATH = '/.meshgate/backchannel';
export const FRONTCHANNEL_PATH = '/.meshgate/frontchannel';
export const WHOAMI_PATH = '/.meshgate/whoami';
export const ASSETS_PATH = '/.meshgate/assets/';
/** Internal: only the check requests it. */
export const RENEW_PATH = '/.meshgate/renew';
export const PAGE_PATH = '/.meshgate/page/';
