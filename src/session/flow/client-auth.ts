import type { Client } from '../../policy/types.ts';
import { formEncode, formText, type Params } from './query.ts';

/** A call to an endpoint where the gateway shows that it is the registered client. */
export interface ClientCall {
  readonly authorization?: string;
  /** `application/x-www-form-urlencoded` */
  readonly body: string;
}

/** What a client shows, read from its file for this call: a secret, or a signed assertion; nothing for the others. */
export type Shown = { readonly secret: string } | { readonly assertion: string } | undefined;

const BASIC = 'Basic ';

/** RFC 7523 section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * A request of the client with its authentication (RFC 6749 section 2.3.1: id and secret are form-encoded before they
 * are Basic credentials; OpenID Connect Core section 9; RFC 8705 section 2: the certificate is shown by TLS).
 */
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

/** Parameters whose values are secrets: no log may have them, whoever repeats them. */
const SECRET_PARAMS = ['code', 'code_verifier', 'refresh_token', 'token', 'state', 'nonce'];

/** A secret, and how a provider may write it that repeats what it got: encoded as a form or a URL, in digits of either case. */
function spellings(secret: string): readonly string[] {
  const encoded = [formEncode(secret), encodeURIComponent(secret)];
  return [secret, ...encoded, ...encoded.map((text) => text.replace(/%../g, (hex) => hex.toLowerCase()))];
}

/** The secrets in a request of the client, the longest first, since one may be a part of another. */
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

/**
 * The secrets of a secret file: a line each, the newest first; white space around a line is nobody's secret.
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
