import type { Client } from '../../policy/types.ts';
import { formEncode, formText, type Params } from './query.ts';

/** A request to an endpoint with the gateway's client authentication. */
export interface ClientCall {
  readonly authorization?: string;
  /** `application/x-www-form-urlencoded` */
  readonly body: string;
}

/** The client's secret or signed assertion for one call; `undefined` for the other methods. */
export type Shown = { readonly secret: string } | { readonly assertion: string } | undefined;

const BASIC = 'Basic ';

/** RFC 7523 section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A request with client authentication. RFC 6749 section 2.3.1: id and secret are form-encoded before they become
 * Basic credentials. See also OpenID Connect Core section 9, and RFC 8705 section 2 for a certificate shown in TLS. */
export function clientCall({ id, auth }: Client, params: Params, shown: Shown): ClientCall {
  switch (auth.kind) {
    case 'client_secret_basic': {
      const credentials = `${formEncode(id)}:${formEncode(secretOf(shown))}`;
      return { authorization: BASIC + Buffer.from(credentials).toString('base64'), body: formText(params) };
    }
    case 'client_secret_post':
      return { body: formText([...params, ['client_id', id], ['client_secret', secretOf(shown)]]) };
    case 'private_key_jwt':
      return {
        body: formText([
          ...params,
          ['client_id', id],
          ['client_assertion_type', ASSERTION_TYPE],
          ['client_assertion', assertionOf(shown)],
        ]),
      };
    case 'tls_client_auth':
    case 'none':
      return { body: formText([...params, ['client_id', id]]) };
  }
}

/** Parameters whose values are secrets. The log must never contain them, even if a provider repeats them. */
const SECRET_PARAMS = ['code', 'code_verifier', 'refresh_token', 'token', 'state', 'nonce'];

/** A secret, and its spellings in an answer that repeats it: encoded as a form or a URL, with hex digits in either
 * case. */
function spellings(secret: string): readonly string[] {
  const encoded = [formEncode(secret), encodeURIComponent(secret)];
  return [secret, ...encoded, ...encoded.map((text) => text.replace(/%../g, (hex) => hex.toLowerCase()))];
}

/** The secrets in a request, the longest first, since one may be a part of another. */
export function secretsIn(client: Client, params: Params, shown: readonly Shown[]): readonly string[] {
  const raw = [
    ...params.filter(([name]) => SECRET_PARAMS.includes(name)).map(([, value]) => value),
    ...shown.flatMap((it) => (it === undefined ? [] : ['secret' in it ? it.secret : it.assertion])),
  ];
  const basic = shown.map((it) => clientCall(client, params, it).authorization?.slice(BASIC.length) ?? '');
  const all = new Set([...raw.flatMap(spellings), ...basic]);
  return [...all].sort((a, b) => b.length - a.length);
}

function secretOf(shown: Shown): string {
  if (shown === undefined || !('secret' in shown)) throw new Error('no client secret was read');
  return shown.secret;
}

function assertionOf(shown: Shown): string {
  if (shown === undefined || !('assertion' in shown)) throw new Error('no client assertion was signed');
  return shown.assertion;
}

/** The secrets of a secret file: one per line, the newest first, without surrounding white space.
 *
 * @param most no more are read
 */
export function readSecrets(text: string, most: number): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, most);
}
