/* Makes text from outside (providers, tokens, meshes, files) safe for a terminal. A terminal executes control
 * characters, and some characters change the order of the text that a person sees. */

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Control characters, line breaks, and characters that are invisible or reverse the order of text. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Maximum number of characters of one text that are printed. */
const LONGEST = 300;

/** Escapes text from outside for use within one line of output. Its line breaks are escaped too. */
export function foreign(text: string, longest = LONGEST): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(UNPRINTABLE, escaped);
}

/** Characters that control a terminal, except line breaks (also `\r\n`) and tabs. Their escapes are those of JSON. */
const STEERING =
  /\u001b\[(?:0|1|2|31|32)m|\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Escapes the control characters in all output of a command, also in texts that did not pass {@link foreign}.
 * @param colours whether the command's own colour codes (colours.ts) are kept */
export function printable(text: string, colours: boolean): string {
  return text.replace(STEERING, (found) => {
    if (found.length > 1) return colours ? found : escaped(found[0] as string) + found.slice(1);
    return escaped(found);
  });
}
