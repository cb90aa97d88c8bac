import { MAX_DOCUMENT_BYTES } from '../limits.ts';

const strict = new TextDecoder('utf-8', { fatal: true });

/** Decodes base64url in its one canonical spelling: no padding, no white space, unused trailing bits zero (RFC 4648
 * sections 3.2, 3.3, 3.5). The decoders of engines accept more, each in its own way. A text is canonical if encoding
 * the decoded bytes gives it back.
 *
 * @returns `undefined` for any other text
 */
export function decodeCanonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** The character that the lenient decoder writes for each byte that is not UTF-8. */
const foreign = '\ufffd';

/** Decodes strict UTF-8. The result of the lenient decoder is right if all bytes are ASCII, as in most payloads: then
 * it has as many characters as bytes and no replacement character. That costs less than a third of the strict decoder:
 * for a text of narrow characters, njs's engine knows without a search that there is no wide character to replace.
 *
 * @throws TypeError if the bytes are not UTF-8
 */
function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  const isAscii = text.length === bytes.length && text.replace(foreign, '') === text;
  return isAscii ? text : strict.decode(bytes as never);
}

/** Parses a JSON object in strict UTF-8 without a byte order mark. The last one of duplicate members counts (RFC 7515
 * section 4, RFC 7519 section 4).
 *
 * @returns `undefined` for broken UTF-8 or JSON, another JSON value, or one that is nested too deeply for the engine
 */
export function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  // Engines differ on whether the decoder drops a byte order mark. JSON never starts with that byte.
  if (bytes[0] === 0xef) return undefined;
  try {
    return asObject(JSON.parse(textOf(bytes)));
  } catch {
    return undefined;
  }
}

/** The value if it is a JSON object, neither `null` nor an array. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** The JSON object in a text; `undefined` for any other text. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The keys of a JWKS (RFC 7517 section 5), unchanged, or a sentence for the log that contains nothing of the text.
 *
 * @param what the name of the text in that sentence
 * @param list what it must have
 */
export function keysIn(text: string, what = 'the file', list = 'list "keys"'): readonly unknown[] | string {
  if (text.length > MAX_DOCUMENT_BYTES) return `${what} is too large`;
  try {
    const keys = asObject(JSON.parse(text))?.keys;
    return Array.isArray(keys) ? keys : `${what} has no ${list}`;
  } catch {
    return `${what} is not JSON`;
  }
}
