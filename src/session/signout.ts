import { objectIn } from '../token/json.ts';
import { type Params, parseParams, valuesOf, withQuery } from './flow/query.ts';
import { SIGNOUT_PATH } from './names.ts';

/** Longest ID token that is sent as a hint. It stands in a URL, and servers accept about 8 KB of that. */
const MAX_HINT_LENGTH = 4096;

/** The time within which a person must return from the provider. */
const RETURN_LIFETIME_S = 3600;

/** The state of a sign-out, as the query of {@link SIGNOUT_PATH} says it. */
export type AfterSignout =
  /** The query is empty: show the page that asks for confirmation. */
  | { readonly kind: 'ask' }
  /** @property here only this session ended; the one at the provider goes on */
  | { readonly kind: 'done'; readonly here: boolean }
  /** The provider sent the browser back. */
  | { readonly kind: 'back'; readonly state: string };

/** The URL of the page that says that the sign-out is complete. */
export const doneUrl = (here: boolean): string => `${SIGNOUT_PATH}?${here ? 'here' : 'done'}`;

/** Reads the query. A query that is not understood shows the page that asks. */
export function readAfterSignout(query: string): AfterSignout {
  if (query === 'done' || query === 'here') return { kind: 'done', here: query === 'here' };
  const params = query === '' ? [] : (parseParams(query) ?? []);
  const [state, ...more] = valuesOf(params, 'state');
  return state !== undefined && more.length === 0 ? { kind: 'back', state } : { kind: 'ask' };
}

/** What is sealed as the state of a sign-out. */
export const signoutState = (now: number): string => JSON.stringify({ signout: Math.floor(now) });

/** Whether an opened state is of a sign-out and is not too old. */
export function isSignoutState(text: string, now: number): boolean {
  const at = objectIn(text)?.signout;
  return typeof at === 'number' && Math.abs(now - at) <= RETURN_LIFETIME_S;
}

/** The parameters of the provider's sign-out (OpenID Connect RP-Initiated Logout 1.0, section 2). */
export interface EndSession {
  readonly endpoint: string;
  readonly clientId: string;
  /** Origin of the host that the person signs out of. */
  readonly origin: string;
  readonly state: string;
  readonly idToken?: string;
}

/** The URL that ends the session at the provider and then returns the browser to the page that confirms it. */
export function endSessionUrl({ endpoint, clientId, origin, state, idToken }: EndSession): string {
  const hint: Params = idToken !== undefined && idToken.length <= MAX_HINT_LENGTH ? [['id_token_hint', idToken]] : [];
  return withQuery(endpoint, [
    ...hint,
    ['client_id', clientId],
    ['post_logout_redirect_uri', `${origin}${SIGNOUT_PATH}`],
    ['state', state],
  ]);
}

/** The headers by which a browser says where a form comes from. */
export interface Sender {
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`. */
  readonly site: string | undefined;
}

/** Whether a form comes from this host. Another site must not be able to sign people out. Clients that are not browsers
 * send neither header. */
export function isOwnForm({ origin, site }: Sender, own: string): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return origin === undefined || origin === own || (origin === 'null' && site === 'same-origin');
}

/** The parameters of a front-channel sign-out (OpenID Connect Front-Channel Logout 1.0, section 2).
 *
 * @returns `undefined` if one of them is missing or there twice
 */
export function readFrontChannel(query: string): { readonly iss: string; readonly sid: string } | undefined {
  const params = parseParams(query) ?? [];
  const [[iss, ...otherIss], [sid, ...otherSid]] = [valuesOf(params, 'iss'), valuesOf(params, 'sid')];
  if (iss === undefined || sid === undefined || otherIss.length + otherSid.length > 0) return undefined;
  return { iss, sid };
}
