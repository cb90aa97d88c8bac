/** Matches raw request targets that are not canonical: software behind nginx may read their path as another path. Such
 * targets contain empty segments, dot segments, `;`, `\`, `#`, or one of NUL, `/`, `\`, `.` and `;` in encoded form. An
 * encoded letter, digit, `-` or `_` is not canonical either, because a mesh that does not decode it would match another
 * rule. The expression has the same meaning in PCRE and in JavaScript. */
export const NON_CANONICAL_PATH =
  '^[^?]*(//|/\\.\\.?(/|\\?|$)|[;\\\\#]|%(00|2[dDeEfF]|3[0-9bB]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aA]))';

/** The path of {@link PLAIN_PATH}. */
export const PLAIN_SEGMENTS = '(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)*+/?';

/** Matches raw request targets of plain segments. Most targets are of this kind, and all of them are canonical. This
 * expression needs one pass, while {@link NON_CANONICAL_PATH} tries each alternative at each character. Only PCRE supports `*+`,
 * which never backtracks. Without it, a long path could exhaust the stack. */
export const PLAIN_PATH = `^${PLAIN_SEGMENTS}(?:[?]|$)`;

/** Matches raw request targets that look like the gateway's own, in upper or lower case. The gateway's paths are in
 * lower case. For any other spelling the gateway answers 404, so that no service can imitate the gateway's pages. */
export const OWN_PATH = '^/\\.meshgate(?:[/?]|$)';

const own = new RegExp(OWN_PATH, 'i');

/** Whether a raw path, with or without a query, is reserved for the gateway. */
export const isOwnPath = (rawPath: string): boolean => own.test(rawPath);

const unexpected = new RegExp(NON_CANONICAL_PATH);

/** Whether a raw path, with or without a query, is canonical. */
export function isCanonical(rawPath: string): boolean {
  return !unexpected.test(rawPath);
}
