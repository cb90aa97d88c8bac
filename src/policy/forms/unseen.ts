/** Characters that are not seen themselves, and change what is seen beside them (Unicode Technical Standard 55). */

/** Embeddings, overrides and isolates of the direction of text. */
const DIRECTION = '\\u202a-\\u202e\\u2066-\\u2069';

/** Characters that some programs show as the end of a line, or obey, and that YAML reads as part of a line. */
const CONTROLS = '\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u2028\\u2029';

/** The characters that no name has, for a class of a regular expression: also marks of direction, breaks of lines,
 * annotations, and what has no width (Unicode's Default_Ignorable_Code_Point). */
export const INVISIBLE = `${DIRECTION}\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200e\\u200f\\u2028\\u2029\\u2060-\\u2065\\u206a-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\udb40-\\udb43`;

/** Characters of scripts in which U+200C and U+200D join or separate letters; also the halves of emoji. */
const JOINED = '\\u0600-\\u109f\\u1700-\\u1cff\\ua840-\\uabff\\ufb50-\\ufdff\\ufe70-\\ufefc';

/** The same for pairs of UTF-16. */
const PAIRS = '\\ud80d[\\udc30-\\udc3f]|\\ud82f[\\udca0-\\udca3]|\\ud834[\\udd73-\\udd7a]';

/** Matches what {@link INVISIBLE} cannot: pairs, and joiners that are not between characters that they join. */
export const UNSEEN = `${PAIRS}|(?:^|[^${JOINED}\\udc00-\\udfff])[\\u200c\\u200d]|[\\u200c\\u200d](?:$|[^${JOINED}\\ud800-\\udbff\\u2600-\\u27bf])`;

const invisible = new RegExp(`[\\udb40-\\udb43][\\udc00-\\udfff]|${PAIRS}|[${INVISIBLE}\\u200c\\u200d]`, 'g');

const codeOf = (character: string): string => character.charCodeAt(0).toString(16).padStart(4, '0');

/** Writes characters that are not seen as escapes. */
export const shown = (text: string): string =>
  text.replace(invisible, (found) =>
    [...Array(found.length).keys()].map((i) => `\\u${codeOf(found.charAt(i))}`).join(''),
  );

/** The first character of a text, also in a comment, with which a reader sees other lines than YAML reads. */
export function findUnseen(text: string): { readonly at: number; readonly message: string } | undefined {
  const at = text.search(new RegExp(`[${DIRECTION}${CONTROLS}]|\\r(?!\\n)`));
  if (at < 0) return undefined;
  const isOrder = new RegExp(`[${DIRECTION}]`).test(text.charAt(at));
  const effect = isOrder
    ? 'changes the order in which people see this line'
    : 'makes people see other lines than YAML reads';
  return { at, message: `the invisible character U+${codeOf(text.charAt(at)).toUpperCase()} ${effect}; remove it` };
}
