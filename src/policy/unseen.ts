/** Characters that are not seen themselves, and change what is seen beside them (Unicode Technical Standard 55). */

/** Embeddings, overrides and isolates of the direction of text. */
const DIRECTION = '\\u202a-\\u202e\\u2066-\\u2069';

/** The characters that no name has, for a class of a regular expression: also marks of direction, breaks of lines, and
 * what has no width (Unicode's Default_Ignorable_Code_Point, whose tags begin with U+DB40 in UTF-16). Persian and Indian
 * scripts need the joiners U+200C and U+200D. */
export const INVISIBLE = `${DIRECTION}\\u00ad\\u034f\\u061c\\u115f\\u1160\\u180b-\\u180f\\u200b\\u200e\\u200f\\u2028\\u2029\\u2060-\\u2065\\u206a-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\udb40`;

const invisible = new RegExp(`[${INVISIBLE}]`, 'g');

/** Writes characters that are not seen as escapes. */
export const shown = (text: string): string =>
  text.replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The first character of a text, also in a comment, that changes the order in which a reader sees a line. */
export function findDirection(text: string): { readonly at: number; readonly message: string } | undefined {
  const at = text.search(new RegExp(`[${DIRECTION}]`));
  if (at < 0) return undefined;
  const code = text.charCodeAt(at).toString(16).toUpperCase();
  return {
    at,
    message: `the invisible character U+${code} changes the order in which people see this line; remove it`,
  };
}
