import { objectIn } from '../token/json.ts';
import { type Params, parseParams, valuesOf, withQuery } from './flow/query.ts';
import { SIGNOUT_PATH } from './names.ts';

/** Longest ID token that goes along as a hint: it stands in a URL, and servers take 8 KB of that. */
const MAX_HINT_LENGTH = 4096;

/** How long somebody may take at the provider before they come back. */
const RETURN_LIFETIME_S = 3600;

/** After a sign-out, as the query of {@link SIGNOUT_PATH} says it. */
export type AfterSignout =
  /** Nothing is said: somebody asks for the page that asks. */
  | { readonly kind: 'ask' }
  /** @property here the provider was not asked: its session goes on */
  | { readonly kind: 'done'; readonly here: boolean }
  /** The provider sent the browser back. */
  | { readonly kind: 'back'; readonly state: string };

/** Where the browser goes when nothing is left to do: the page that says so, by GET. */
export const doneUrl = (here: boolean): string => `${SIGNOUT_PATH}?${here ? 'here' : 'done'}`;

/** Reads the query; what is not understood asks. */
export function readAfterSignout(query: string): AfterSignout {
  if (query === 'done' || query === 'here') return { kind: 'done', here: query === 'here' };
  const params = query === '' ? [] : (parseParams(query) ?? []);
  const [state, ...more] = valuesOf(params, 'state');
  return state !== undefined && more.length === 0 ? { kind: 'back', state } : { kind: 'ask' };
}

/** What is sealed as the state of a sign-out. */
export const signoutState = (now: number): string => JSON.stringify({ signout: Math.floor(now) });

/** Whether an opened state is that of a sign-out, and not too old. */
export function isSignoutState(text: string, now: number): boolean {
  const at = objectIn(text)?.signout;
  return typeof at === 'number' && Math.abs(now - at) <= RETURN_LIFETIME_S;
}

/** What the provider is asked with (OpenID Connect RP-Initiated Logout 1.0, section 2). */
export interface EndSession {
  readonly endpoint: string;
  readonly clientId: string;
  /** Origin of the host that is signed out of. */
  readonly origin: string;
  readonly state: string;
  readonly idToken?: string;
}

/** The address at the provider that ends its session too, and sends the browser back to the page that says so. */
export function endSessionUrl({ endpoint, clientId, origin, state, idToken }: EndSession): string {
  const hint: Params = idToken !== undefined && idToken.length <= MAX_HINT_LENGTH ? [['id_token_hint', idToken]] : [];
  return withQuery(endpoint, [
    ...hint,
    ['client_id', clientId],
    ['post_logout_redirect_uri', `${origin}${SIGNOUT_PATH}`],
    ['state', state],
  ]);
}

/** What browsers say of where a form comes from. */
export interface Sender {
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`. */
  readonly site: string | undefined;
}

/** Whether a form is this host's own: another site's must not sign anybody out. What is no browser says neither. */
export function isOwnForm({ origin, site }: Sender, own: string): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return origin === undefined || origin === own || (origin === 'null' && site === 'same-origin');
}

/**
 * What a front-channel sign-out names (OpenID Connect Front-Channel Logout 1.0, section 2).
 *
 * @returns `undefined` where one of both is missing, or there twice
 */
export function readFrontChannel(query: string): { readonly iss: string; readonly sid: string } | undefined {
  const params = parseParams(query) ?? [];
  const [[iss, ...otherIss], [sid, ...otherSid]] = [valuesOf(params, 'iss'), valuesOf(params, 'sid')];
  if (iss === undefined || sid === undefined || otherIss.length + otherSid.length > 0) return undefined;
  return { iss, sid };
}
