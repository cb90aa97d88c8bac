import { MAX_TOKEN_BYTES } from '../base/limits.ts';
import { ok, type Result, refuse } from '../base/reasons.ts';
import { decodeCanonical, parseObject } from './json.ts';
import type { Claims } from './types.ts';

export interface CompactJws {
  /** The encoded header. Many tokens have the same header, so the gateway decodes it only once. */
  readonly header: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** The bytes that are signed: header, dot, payload (RFC 7515 section 5.2). */
  readonly input: Uint8Array;
}

/** The result of {@link splitJws}. It is not a Result, because that would be one more object for each token. */
type Split = (CompactJws & { readonly ok: true }) | ReturnType<typeof refuse>;

/** The members of a JOSE header that the gateway reads. It never reads `jwk`, `jku`, `x5u`, `x5c` or others. */
export interface JoseHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  /** Whether the header contains a nonce. Only tokens of Microsoft Graph contain one. */
  readonly nonce?: true;
}

/** Maximum number of parsed headers that are kept. A provider uses one header for each key and kind of token. */
const KNOWN_HEADERS = 32;

const knownHeaders = new Map<string, Result<JoseHeader>>();

/** The header that was parsed last. It is needed again for the same token, and for most of the next tokens. */
let lastHeader = '';
let lastParsed: Result<JoseHeader> | undefined;

const encoder = new TextEncoder();

/* Header and signature length of the last token. Most tokens of a provider have the same ones. Searching a whole token
 * for dots takes as long as decoding it, so these lengths are tried first. A wrong guess is noticed, because a part
 * that contains a dot is not canonical. */
let header = '';
let tail = Number.POSITIVE_INFINITY;

const encrypted = refuse('token_malformed', 'the token is encrypted (JWE); ask the provider for a signed one');

const malformed = refuse('token_malformed', 'the token is not three parts of canonical base64url');

/** The token that was split last. A token is split before it is looked up, and again when it is verified. */
let lastToken = '';
let last: Split = malformed;

/** Splits a token into three parts of canonical base64url. Each token must have one spelling, because tokens are the
 * keys of the token cache. An empty payload passes here; it is rejected later as a claims set.
 * @returns reason `token_malformed` if the text does not have this form or is too long */
export function splitJws(token: string): Split {
  if (token !== lastToken) {
    last = splitAnew(token);
    lastToken = token;
  }
  return last;
}

function splitAnew(token: string): Split {
  if (token.length > MAX_TOKEN_BYTES) return refuse('token_malformed', 'the token is too long');
  let dot = token.length - 1 - tail;
  if (dot <= header.length || token[dot] !== '.' || token[header.length] !== '.' || !token.startsWith(header)) {
    // Destructuring the list would cost an iterator.
    const parts = token.split('.', 4);
    if (parts.length > 3 && token.split('.', 6).length === 5) return encrypted;
    if (parts.length !== 3 || parts[0] === '' || parts[2] === '') return malformed;
    header = parts[0] as string;
    tail = (parts[2] as string).length;
    dot = token.length - 1 - tail;
  }
  const payload = decodeCanonical(token.slice(header.length + 1, dot));
  const signature = decodeCanonical(token.slice(dot + 1));
  if (payload === undefined || signature === undefined) return malformed;
  return { ok: true, header, payload, signature, input: encoder.encode(token.slice(0, dot)) };
}

/** Whether a text is three parts of canonical base64url and begins with a header. No other text is a known token. */
export function isJws(token: string): boolean {
  const jws = splitJws(token);
  return jws.ok && parseHeader(jws.header).ok;
}

/** Members that change how the other members must be read. The gateway supports none of them. */
export const changing = ['crit', 'b64', 'zip'];

/** Parses a JOSE header. It rejects `b64` (RFC 7797), `zip`, and `crit` with any value, because the gateway supports no
 * extensions (RFC 7515 section 4.1.11).
 * @param text the first part of a {@link CompactJws}
 * @returns reason `token_malformed` for any other text */
export function parseHeader(text: string): Result<JoseHeader> {
  if (lastParsed === undefined || text !== lastHeader) {
    lastParsed = knownHeaders.get(text) ?? parseAnew(text);
    lastHeader = text;
  }
  return lastParsed;
}

function parseAnew(text: string): Result<JoseHeader> {
  const bytes = decodeCanonical(text);
  if (bytes === undefined) return malformed;
  const members = parseObject(bytes);
  if (members === undefined) return refuse('token_malformed', 'the header is not a JSON object');
  const { alg, kid, typ } = members;
  if (typeof alg !== 'string') return refuse('token_malformed', 'the header has no "alg"');
  if (kid !== undefined && typeof kid !== 'string') return refuse('token_malformed', '"kid" is not a string');
  if (typ !== undefined && typeof typ !== 'string') return refuse('token_malformed', '"typ" is not a string');
  const refused = changing.find((name) => Object.hasOwn(members, name));
  if (refused !== undefined) return refuse('token_malformed', `the header has "${refused}", which is not supported`);
  const header = ok(
    Object.freeze({
      alg,
      ...(kid !== undefined && { kid }),
      ...(typ !== undefined && { typ }),
      ...(Object.hasOwn(members, 'nonce') && { nonce: true as const }),
    }),
  );
  if (knownHeaders.size >= KNOWN_HEADERS) knownHeaders.delete(knownHeaders.keys().next().value as string);
  knownHeaders.set(text, header);
  return header;
}

/** Parses a payload; `undefined` if the payload is not a claims set (RFC 7519 section 7.2). */
export const parseClaims = (payload: Buffer): Claims | undefined => parseObject(payload);
