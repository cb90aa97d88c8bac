/** Raw request targets whose path software behind nginx may read as another one: empty and dot segments, `;`, `\`, `#`,
 * encoded NUL, `/`, `\`, `.` and `;`, and any encoded letter, digit, `-` or `_`, because a mesh that does not decode
 * would match another rule. The expression means the same in PCRE and in JavaScript. */
export const ODD_PATH =
  '^[^?]*(//|/\\.\\.?(/|\\?|$)|[;\\\\#]|%(00|2[dDeEfF]|3[0-9bB]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aA]))';

/** Raw request targets of plain segments, like most. All of them are canonical. This expression takes one pass, while
 * {@link ODD_PATH} tries each alternative at each character. Only PCRE knows `*+`, which never backtracks: without it a
 * long path could exhaust the stack. */
export const PLAIN_PATH = '^(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)*+/?(?:[?]|$)';

/** Raw request targets that read as the gateway's own, in any case. The gateway's paths are in lower case; any other
 * spelling is not found, so that no service can imitate the gateway's pages. */
export const OWN_PATH = '^/\\.meshgate(?:[/?]|$)';

const own = new RegExp(OWN_PATH, 'i');

/** Whether a raw path, with or without a query, is reserved for the gateway. */
export const isOwnPath = (rawPath: string): boolean => own.test(rawPath);

const odd = new RegExp(ODD_PATH);

/** Whether a raw path, with or without a query, is canonical. */
export function isCanonical(rawPath: string): boolean {
  return !odd.test(rawPath);
}
