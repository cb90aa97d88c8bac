import { isCanonical, isOwnPath } from '../../base/raw-path.ts';
import { MAX_RETURN_LENGTH, MAX_SIGNIN_QUERY } from '../limits.ts';
import type { Mode, Wish } from './attempt.ts';
import type { ChoiceInput } from './choose.ts';
import { parameterValues, parseParams } from './query.ts';

/** Matches one `/` and printable ASCII. The second character must not be `/` or `\`: browsers read `\` as `/`. */
const ofThisOrigin = /^\/(?![/\\])[\x21-\x7e]*$/;

/** Matches characters that some software decodes as white space at the start, or as control characters anywhere. */
const blank = /^\/(?:%(?:20|85|[aA]0)|%[cC]2%(?:85|[aA]0)|%[eE][123]%8[0-9])|^[^?]*%(?:[01][0-9a-fA-F]|7[fF])/;

/** Returns the page to which a sign-in returns: a raw request target of the host's own origin, with a canonical path,
 * and not one of the gateway's own pages. Any other target becomes `/`. */
export function safeReturn(target: string): string {
  const isSafe =
    target.length <= MAX_RETURN_LENGTH &&
    ofThisOrigin.test(target) &&
    isCanonical(target) &&
    !blank.test(target) &&
    !isOwnPath(target);
  return isSafe ? target : '/';
}

/** The content of a request to `/.meshgate/signin`. */
type SigninRequest =
  | { readonly wish: Wish; readonly reported: ChoiceInput }
  /** The sealed request of another host, to which the person signs in. */
  | { readonly request: string };

const TO = 'to=';

/** Splits a query before the raw target, which follows the first parameter `to=`. */
function splitAtTarget(query: string): readonly [head: string, target: string] {
  if (query.startsWith(TO)) return ['', query.slice(TO.length)];
  const at = query.indexOf(`&${TO}`);
  return at < 0 ? [query, '/'] : [query.slice(0, at), query.slice(at + TO.length + 1)];
}

/** Returns the target. It begins with `/` in a link, and with `%2F` in a form, because browsers encode form fields. */
function targetOf(text: string): string {
  if (!/^%2f/i.test(text)) return text;
  const [[, value] = ['', '/']] = parseParams(`${TO}${text}`) ?? [];
  return value;
}

/** Reads the query of a sign-in: `MODE[&role=NAME][&provider=NAME][&email=ADDRESS]&to=TARGET`. A target of another
 * origin becomes `/`. A query that cannot be understood counts as an ordinary sign-in. */
export function readSigninRequest(query: string): SigninRequest {
  const plain: SigninRequest = { wish: { mode: 'in', to: '/' }, reported: {} };
  if (query.length > MAX_SIGNIN_QUERY) return plain;
  const [head, target] = splitAtTarget(query);
  const params = parseParams(head);
  if (params === undefined) return plain;
  const first = (name: string): string | undefined => parameterValues(params, name)[0];
  const request = first('for');
  if (request !== undefined && request !== '') return { request };
  const role = first('role');
  const mode: Mode =
    params[0]?.[0] === 'renew' ? 'renew' : params[0]?.[0] === 'step' && role !== undefined ? 'step' : 'in';
  const [provider, email] = [first('provider'), first('email')];
  return {
    wish: { mode, to: safeReturn(targetOf(target)), ...(mode === 'step' && role !== undefined && { role }) },
    reported: { ...(provider !== undefined && { provider }), ...(email !== undefined && { email }) },
  };
}
