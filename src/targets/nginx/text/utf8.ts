import { conf, type Directive, key, line, literal, regex, variable } from './directive.ts';

/* nginx writes bytes from 0x80 on into the log as the client sent them. A strict reader skips a line that is not
 * UTF-8, so a client could choose whether its line is read. A line that is too long for one write to a pipe is written
 * in pieces, and other lines may come between them. So the length of the part that a client chooses is limited. */

/** Matches characters (RFC 3629) by their bytes. It never backtracks, so any text is read once. */
const characters = (ascii: string): string =>
  `(?:[${ascii}]++|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}` +
  '|\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}' +
  '|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2})*+';

/** The ASCII characters that JSON writes unchanged, without the space. */
export const UNESCAPED = '\\x21\\x23-\\x5b\\x5d-\\x7e';

/** Regular expressions for the parts of a text. None matches control bytes: JSON needs six bytes for each. */
const TEXT = {
  // ASCII characters that JSON writes unchanged.
  plain: `\\x20${UNESCAPED}`,
  // Characters for which JSON writes at most twice as many bytes.
  any: characters('\\x20-\\x7e'),
  // The bytes with which the text continues.
  bytes: '\\x00-\\xff',
  // What follows the text.
  end: '\\z',
};

/** The alphabet of a request's path, which a query may follow. */
const PATH: typeof TEXT = {
  plain: '\\x21\\x23-\\x3e\\x40-\\x5b\\x5d-\\x7e',
  any: characters('\\x20-\\x3e\\x40-\\x7e'),
  bytes: '\\x00-\\x3e\\x40-\\xff',
  end: '(?:\\?|\\z)',
};

/** The replacement character. It replaces the first byte that is invalid or too much, and all bytes after it. */
const BROKEN = '\ufffd';

/** Maps that return a variable as UTF-8 text with a limited number of bytes in the log. {@link BROKEN} follows if the
 * text was cut. Most requests need only the first expression. */
function bounded(source: string, name: string, most: number, alphabet: typeof TEXT): readonly Directive[] {
  const { plain, any, bytes, end } = alphabet;
  // JSON writes two bytes for a quotation mark.
  const half = most / 2;
  const part = (of: string) => variable(`${name}_${of}`);
  /** Matches the valid part of the text. If the whole variable is valid, nothing is captured. */
  const entire = (before: string, text: string, of: string): readonly Directive[] =>
    end === TEXT.end
      ? conf`${regex('~', `^${before}${text}${end}`)} ${variable(source)};`
      : conf`${regex('~', `^${before}(?<${name}_${of}>${text})${end}`)} ${part(of)};`;
  return conf`
    map ${variable(source)} ${variable(name)} {
      "" "";
      ${entire('', `[${plain}]{1,${most}}+`, 'plain')}
      ${entire(`(?=[${bytes}]{1,${half}}+${end})`, any, 'text')}
      ${regex('~', `^(?<${name}_long>[${plain}]{${most}})`)} ${part('long')}${BROKEN};
      // The default also applies if PCRE gives up.
      default ${part('rest')};
    }
    map ${variable(source)} ${part('head')} { ${regex('~', `^(?<${name}_bytes>[${bytes}]{1,${half}})`)} ${part('bytes')}; }
    map ${part('head')} ${part('rest')} {
      ${regex('~', `^(?<${name}_kept>${any})`)} ${part('kept')}${BROKEN};
      default ${BROKEN};
    }
  `;
}

/** Maps that return a variable as text. If the text is UTF-8 without control bytes and not too long, it is unchanged.
 * Otherwise the result is its valid part and U+FFFD.
 * @param source the variable with the text
 * @param name the variable with the result
 * @param most the maximum number of bytes in the log */
export const textMaps = (source: string, name: string, most: number): readonly Directive[] =>
  bounded(source, name, most, TEXT);

/** The maps of {@link textMaps}, for the path of a request without its query. */
export const pathMaps = (source: string, name: string, most: number): readonly Directive[] =>
  bounded(source, name, most, PATH);

/** A map for a variable in which nginx accepts only plain ASCII. It cuts the text after a number of bytes. Nearly all
 * texts are shorter than the expression requires, and PCRE does not examine those.
 * @param usual entries for texts that are found without an expression; a map ignores the case of their letters */
export const shortMap = (
  source: string,
  name: string,
  most: number,
  usual: readonly Directive[],
): readonly Directive[] => conf`
  map ${variable(source)} ${variable(name)} {
    ${usual}
    default ${variable(source)};
    ${regex('~', `^(?<${name}_kept>[\\x00-\\xff]{${most}})[\\x00-\\xff]`)} ${variable(`${name}_kept`)}${BROKEN};
  }
`;

/** An entry of a map for a text that stays unchanged. */
export const found = (text: string): Directive => line(key(text), literal(text));
