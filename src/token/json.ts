import { decode } from 'jose/base64url';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses base64url text as a JSON object in strict UTF-8 without a byte order mark.
 * Of duplicate members the last one counts (RFC 7515 section 4, RFC 7519 section 4).
 *
 * @param text canonical base64url
 * @returns the object, or `undefined` if it is none: a broken encoding, another JSON value, or nested too deeply for the engine
 */
export function decodeObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const bytes = decode(text);
    // Engines differ on whether the decoder drops a byte order mark; JSON never starts with that byte.
    return bytes[0] === 0xef ? undefined : asObject(JSON.parse(utf8.decode(bytes as never)));
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
