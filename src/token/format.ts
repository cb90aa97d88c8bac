import { MAX_TOKEN_BYTES } from '../limits.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { decodeCanonical, parseObject } from './json.ts';
import type { Claims } from './types.ts';

/** A compact JWS (RFC 7515 section 7.1). */
export interface CompactJws {
  /** Still encoded: headers repeat, and known ones are not decoded again. */
  readonly header: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** The signed bytes: header, dot, payload (RFC 7515 section 5.2). */
  readonly input: Uint8Array;
}

/** The result of {@link splitJws}. The parts are not wrapped in a Result, which would be one more object for each
 * token. */
export type Split = (CompactJws & { readonly ok: true }) | ReturnType<typeof refuse>;

/** The members of a JOSE header that the gateway reads. All others, such as `jwk`, `jku`, `x5u` and `x5c`, are
 * ignored. */
export interface JoseHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  /** Whether the header has a nonce. Only tokens of Microsoft Graph have one. */
  readonly nonce?: true;
}

/** Number of parsed headers that are kept. A provider has one per key and kind of token. */
const KNOWN_HEADERS = 32;

const knownHeaders = new Map<string, Result<JoseHeader>>();

/** The last header. It is read again while its token is verified, and most next tokens have the same one. */
let lastHeader = '';
let lastParsed: Result<JoseHeader> | undefined;

const encoder = new TextEncoder();

/* Header and length of the signature of the last token. Most tokens of one provider agree in both, and searching a
 * whole token for dots takes as long as decoding it. A part that contains a dot is not canonical. */
let header = '';
let tail = Number.POSITIVE_INFINITY;

const encrypted = refuse('token_malformed', 'the token is encrypted (JWE); ask the provider for a signed one');

const malformed = refuse('token_malformed', 'the token is not three parts of canonical base64url');

/** The last token that was split. A token is split before it is looked up, and again when it is verified. */
let lastToken = '';
let last: Split = malformed;

/** The first step: three parts of canonical base64url, not too long. The token's text is a key of the token cache, so
 * each token must have exactly one spelling. An empty payload passes: it is rejected as a claims set after the
 * signature is verified.
 *
 * @returns reason `token_malformed` otherwise
 */
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
    // Destructuring a list would cost an iterator.
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

/** Whether a text has the form of a compact JWS: three parts of canonical base64url, the first of which is a header. No
 * other text is looked up. */
export function isJws(token: string): boolean {
  const jws = splitJws(token);
  return jws.ok && parseHeader(jws.header).ok;
}

/** Members that change how the rest must be read. The gateway supports none of them. */
const changing = ['crit', 'b64', 'zip'];

/** Parses a JOSE header. It refuses `crit` with any value, because no extension is supported (RFC 7515 section 4.1.11),
 * and also `b64` (RFC 7797) and `zip`.
 *
 * @param text the first part of a {@link CompactJws}
 * @returns reason `token_malformed` for any other text
 */
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

/** Parses a payload; `undefined` if it is not a claims set (RFC 7519 section 7.2). */
export function parseClaims(payload: Buffer): Claims | undefined {
  return parseObject(payload);
}
