/*
 * Text of others on a terminal: of providers, tokens, meshes, files. A terminal obeys control characters, and shows text
 * in another order where the text says so.
 */

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Control characters and line breaks, and what is not seen or turns text round. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** No more characters of one text are of use. */
const LONGEST = 300;

/** Text of others within a line of ours: all of it stays on that line. */
export function foreign(text: string, longest = LONGEST): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(UNPRINTABLE, escaped);
}

/** What steers a terminal, but for lines and tabs. The escapes are JSON's as well, so that JSON stays the same. */
const STEERING =
  /\u001b\[(?:0|1|2|31|32)m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * All that a command prints, with whatever steers a terminal written out: the last look at text that nobody has called
 * {@link foreign}.
 *
 * @param colours whether the command's own colours (style.ts) may pass
 */
export function printable(text: string, colours: boolean): string {
  return text.replace(STEERING, (found) => {
    if (found.length > 1) return colours ? found : escaped(found[0] as string) + found.slice(1);
    return escaped(found);
  });
}
