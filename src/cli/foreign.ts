/* Text from outside on a terminal: from providers, tokens, meshes and files. A terminal obeys control characters, and
 * some characters change the order of text. */

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Control characters, line breaks, and characters that are invisible or reverse text. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Most characters of one text that are printed. */
const LONGEST = 300;

/** Text from outside within a line of output; it cannot leave the line. */
export function foreign(text: string, longest = LONGEST): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(UNPRINTABLE, escaped);
}

/** Characters that control a terminal, except lines and tabs. The escapes are JSON's as well, so that JSON stays the
 * same. */
const STEERING =
  /\u001b\[(?:0|1|2|31|32)m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Escapes the control characters in all output of a command, for texts on which nobody called {@link foreign}.
 *
 * @param colours whether the command's own colours (style.ts) may pass
 */
export function printable(text: string, colours: boolean): string {
  return text.replace(STEERING, (found) => {
    if (found.length > 1) return colours ? found : escaped(found[0] as string) + found.slice(1);
    return escaped(found);
  });
}
