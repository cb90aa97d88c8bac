import { MAX_DOCUMENT_BYTES } from '../base/limits.ts';

export type Members = Readonly<Record<string, unknown>>;

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const strict = new TextDecoder('utf-8', { fatal: true });

/** Decodes base64url in its only canonical spelling: no padding, no white space, and unused trailing bits are zero (RFC
 * 4648 sections 3.2, 3.3, 3.5). Engines accept more, so the decoded bytes must encode to the same text.
 * @returns `undefined` for any other text */
export function decodeCanonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** Decodes strict UTF-8. The lenient decoder takes less than a third of the time. Its result is correct if all bytes
 * are ASCII, as in most payloads: the text then has as many characters as bytes, and no replacement character. njs's
 * engine need not search an ASCII text for that character.
 * @throws TypeError if the bytes are not UTF-8 */
function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  const isAscii = text.length === bytes.length && text.replace('\ufffd', '') === text;
  return isAscii ? text : strict.decode(bytes as never);
}

/** Parses a JSON object in strict UTF-8 without a byte order mark; of members with one name, the last counts (RFC 7515
 * section 4). Returns `undefined` for anything else, also for an object that is nested too deeply for the engine. */
export function parseObject(bytes: Buffer): Members | undefined {
  // Some decoders drop a byte order mark and others do not. JSON never begins with this byte.
  if (bytes[0] === 0xef) return undefined;
  try {
    return asObject(JSON.parse(textOf(bytes)));
  } catch {
    return undefined;
  }
}

/** Returns the value if it is a JSON object, and not `null` or an array. */
export function asObject(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

/** Returns the JSON object in a text; `undefined` for any other text. */
export function objectIn(text: string): Members | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Returns the keys of a JWKS (RFC 7517 section 5) unchanged, or a sentence for the log, which contains nothing of the
 * text.
 * @param what name of the text in that sentence
 * @param list what the text must contain, for that sentence */
export function keysIn(text: string, what = 'the file', list = 'list "keys"'): readonly unknown[] | string {
  if (text.length > MAX_DOCUMENT_BYTES) return `${what} is too large`;
  try {
    const keys = asObject(JSON.parse(text))?.keys;
    return Array.isArray(keys) ? keys : `${what} has no ${list}`;
  } catch {
    return `${what} is not JSON`;
  }
}
