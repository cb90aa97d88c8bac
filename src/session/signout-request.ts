import { objectIn } from '../token/json.ts';
import { parameterValues, parseParams, withQuery } from './flow/query.ts';
import { SIGNOUT_PATH } from './names.ts';

/** Maximum length of an ID token that is sent as a hint in a URL. Servers accept URLs of about 8 KB. */
const MAX_HINT_LENGTH = 4096;

/** The time within which a person must return from the provider. */
const RETURN_LIFETIME_S = 3600;

/** The state of a sign-out, according to the query of {@link SIGNOUT_PATH}. */
type AfterSignout =
  /** The query is empty: the page asks for confirmation. */
  | { readonly kind: 'ask' }
  /** @property here whether only the gateway's session ended, and the session at the provider continues */
  | { readonly kind: 'done'; readonly here: boolean }
  /** The provider has sent the browser back. */
  | { readonly kind: 'back'; readonly state: string };

/** Returns the URL of the page that says that the sign-out is complete. */
export const doneUrl = (here: boolean): string => `${SIGNOUT_PATH}?${here ? 'here' : 'done'}`;

/** Reads the query. If it cannot be understood, the page asks for confirmation. */
export function readAfterSignout(query: string): AfterSignout {
  if (query === 'done' || query === 'here') return { kind: 'done', here: query === 'here' };
  const [state, ...more] = parameterValues(parseParams(query) ?? [], 'state');
  return state !== undefined && more.length === 0 ? { kind: 'back', state } : { kind: 'ask' };
}

/** Returns the state of a sign-out, which is then sealed. */
export const signoutState = (now: number): string => JSON.stringify({ signout: Math.floor(now) });

/** Whether an opened state belongs to a sign-out and is not too old.
 * @param skew seconds by which clocks can differ */
export function isSignoutState(text: string, now: number, skew: number): boolean {
  const at = objectIn(text)?.signout;
  return typeof at === 'number' && now - at <= RETURN_LIFETIME_S && at - now <= skew;
}

/** The parameters of the provider's sign-out (OpenID Connect RP-Initiated Logout 1.0, section 2). */
interface EndSession {
  readonly endpoint: string;
  readonly clientId: string;
  /** Origin of the host at which the person signs out. */
  readonly origin: string;
  readonly state: string;
  readonly idToken?: string | undefined;
}

/** Returns the URL that ends the session at the provider. The provider then sends the browser back to this host. */
export function endSessionUrl({ endpoint, clientId, origin, state, idToken }: EndSession): string {
  const hint = idToken !== undefined && idToken.length <= MAX_HINT_LENGTH && { id_token_hint: idToken };
  const params = { ...hint, client_id: clientId, post_logout_redirect_uri: `${origin}${SIGNOUT_PATH}`, state };
  return withQuery(endpoint, Object.entries(params));
}

/** The headers `Origin` and `Sec-Fetch-Site`, in which a browser says which page sent a form. */
type Sender = Readonly<Record<'origin' | 'site', string | undefined>>;

/** Whether a page of this host sent a form, as other sites must not sign people out. Programs send neither header. */
export function isOwnForm({ origin, site }: Sender, own: string): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return origin === undefined || origin === own || (origin === 'null' && site === 'same-origin');
}

/** Reads the parameters of a front-channel sign-out (OpenID Connect Front-Channel Logout 1.0, section 2).
 * @returns `undefined` if a parameter is missing or occurs twice */
export function readFrontChannel(query: string): { readonly iss: string; readonly sid: string } | undefined {
  const params = parseParams(query) ?? [];
  const [[iss, ...otherIss], [sid, ...otherSid]] = [parameterValues(params, 'iss'), parameterValues(params, 'sid')];
  if (iss === undefined || sid === undefined || otherIss.length + otherSid.length > 0) return undefined;
  return { iss, sid };
}
