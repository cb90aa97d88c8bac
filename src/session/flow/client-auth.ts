import type { Client } from '../../policy/checked/types.ts';
import { MIN_HS256_SECRET_BYTES } from '../limits.ts';
import { formEncode, formText, type Params } from './query.ts';

/** The client's secret or signed assertion for one call; `undefined` for other methods. */
export type ClientProof = { readonly secret: string } | { readonly assertion: string } | undefined;

const BASIC = 'Basic ';

/** The type of a client assertion (RFC 7523 section 2.2). */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Makes a request with client authentication (OpenID Connect Core section 9; RFC 8705 section 2 for a certificate in
 * TLS). Id and secret are form-encoded before they become Basic credentials (RFC 6749 section 2.3.1). */
export function clientCall(
  { id, auth }: Client,
  params: Params,
  shown: ClientProof,
): { readonly authorization?: string; readonly body: string } {
  switch (auth.kind) {
    case 'client_secret_basic': {
      const credentials = `${formEncode(id)}:${formEncode(secretOf(shown))}`;
      return { authorization: BASIC + Buffer.from(credentials).toString('base64'), body: formText(params) };
    }
    case 'client_secret_post':
      return { body: formText([...params, ['client_id', id], ['client_secret', secretOf(shown)]]) };
    case 'client_secret_jwt':
    case 'private_key_jwt': {
      const own = { client_id: id, client_assertion_type: ASSERTION_TYPE, client_assertion: assertionOf(shown) };
      return { body: formText([...params, ...Object.entries(own)]) };
    }
    case 'tls_client_auth':
    case 'none':
      return { body: formText([...params, ['client_id', id]]) };
  }
}

/** Parameters whose values must not be in the log, even if a provider repeats them. */
const SECRET_PARAMS = ['code', 'code_verifier', 'refresh_token', 'token', 'state', 'nonce'];

/** Returns a secret, and the forms that can repeat it: as a form or URL, with hex digits of either case. */
function spellings(secret: string): readonly string[] {
  const encoded = [formEncode(secret), encodeURIComponent(secret)];
  return [secret, ...encoded, ...encoded.map((text) => text.replace(/%../g, (hex) => hex.toLowerCase()))];
}

/** Returns the secrets in a request, the longest first, because one secret can be a part of another. */
export function secretsIn(client: Client, params: Params, shown: readonly ClientProof[]): readonly string[] {
  const raw = [
    ...params.filter(([name]) => SECRET_PARAMS.includes(name)).map(([, value]) => value),
    ...shown.flatMap((it) => (it === undefined ? [] : ['secret' in it ? it.secret : it.assertion])),
  ];
  const basic = shown.map((it) => clientCall(client, params, it).authorization?.slice(BASIC.length) ?? '');
  return [...new Set([...raw.flatMap(spellings), ...basic])].sort((a, b) => b.length - a.length);
}

function secretOf(shown: ClientProof): string {
  if (shown === undefined || !('secret' in shown)) throw new Error('no client secret was read');
  return shown.secret;
}

function assertionOf(shown: ClientProof): string {
  if (shown === undefined || !('assertion' in shown)) throw new Error('no client assertion was signed');
  return shown.assertion;
}

/** Whether a secret is too short to sign with HS256 (RFC 7518 section 3.2). */
export const isShort = (secret: string): boolean => Buffer.byteLength(secret) < MIN_HS256_SECRET_BYTES;

/** Reads the secrets in a secret file: one per line, the newest first, without the white space around them.
 * @param most maximum number of secrets to read */
export function readSecrets(text: string, most: number): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').slice(0, most);
}
