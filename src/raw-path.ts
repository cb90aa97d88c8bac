/**
 * Raw request targets whose path something behind nginx may read as another one: empty and dot segments, `;`, `\`, `#`,
 * encoded NUL, `/`, `\`, `.` and `;`, and any encoded letter, digit, `-` or `_`, since a mesh that does not decode
 * would match another rule. The source reads the same in PCRE and in JavaScript.
 */
export const ODD_PATH =
  '^[^?]*(//|/\\.\\.?(/|\\?|$)|[;\\\\#]|%(00|2[dDeEfF]|3[0-9bB]|4[1-9a-fA-F]|5[0-9aAcCfF]|6[1-9a-fA-F]|7[0-9aA]))';

/**
 * Raw request targets of plain segments, which most are; none of them is odd. That takes one pass, where
 * {@link ODD_PATH} tries each alternative at each character. PCRE alone knows `*+`, which never steps back: without it
 * a long path could exhaust the stack.
 */
export const PLAIN_PATH = '^(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)*+/?(?:[?]|$)';

/**
 * Raw request targets that read as the gateway's own, in any case. Other spellings are odd. Its own paths are written in
 * small letters; whatever else looks like them is not there, so that no service imitates the gateway's pages.
 */
export const OWN_PATH = '^/\\.meshgate(?:[/?]|$)';

const own = new RegExp(OWN_PATH, 'i');

/** Whether a raw path, query included, is kept for the gateway. */
export const isOwnPath = (rawPath: string): boolean => own.test(rawPath);

const odd = new RegExp(ODD_PATH);

/** Whether a raw path, query included, has its one plain spelling. */
export function isCanonical(rawPath: string): boolean {
  return !odd.test(rawPath);
}
