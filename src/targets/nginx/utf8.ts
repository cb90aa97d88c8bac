import {
  type Arg,
  block,
  type Directive,
  key,
  line,
  literal,
  map,
  type Part,
  regex,
  template,
  variable,
} from './directive.ts';

/* nginx writes bytes from 0x80 on into the log as a client sent them. A strict reader does not read a line that is not
 * UTF-8, so a client could choose whether its line is read. A line that is longer than a pipe accepts at once is
 * written in pieces, with other lines between them, so the part that a client chooses is limited. */

/** A character of RFC 3629, by its bytes. The expression never backtracks, so that a text is read once, however
 * long. */
const characters = (ascii: string): string =>
  `(?:[${ascii}]++|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}` +
  '|\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}' +
  '|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2})*+';

/** Regular expressions for the parts of a text. None matches control bytes: JSON needs six bytes for each. */
interface Alphabet {
  /** ASCII that JSON writes unchanged. */
  readonly plain: string;
  /** Characters of which JSON writes at most two bytes for each of its own. */
  readonly any: string;
  /** Bytes with which the text continues. */
  readonly bytes: string;
  /** What follows the text. */
  readonly end: string;
}

const TEXT: Alphabet = {
  plain: '\\x20\\x21\\x23-\\x5b\\x5d-\\x7e',
  any: characters('\\x20-\\x7e'),
  bytes: '\\x00-\\xff',
  end: '\\z',
};

/** A request's target: a query follows it. */
const PATH: Alphabet = {
  plain: '\\x21\\x23-\\x3e\\x40-\\x5b\\x5d-\\x7e',
  any: characters('\\x20-\\x3e\\x40-\\x7e'),
  bytes: '\\x00-\\x3e\\x40-\\xff',
  end: '(?:\\?|\\z)',
};

/** Replaces the first byte that is not part of a character, a control byte, or what is too long; and everything after
 * it. */
const BROKEN = '\ufffd';

/** Maps that have a variable as UTF-8 text, at most so many bytes in the log, followed by {@link BROKEN} if it was cut
 * between characters. Most requests need only the first expression. */
function bounded(source: Part, name: string, most: number, { plain, any, bytes, end }: Alphabet): readonly Directive[] {
  // JSON writes two bytes for a quotation mark.
  const half = most / 2;
  const part = (of: string): string => `${name}_${of}`;
  /** The valid part of the text; nothing is captured if that is the whole variable. */
  const whole = (before: string, text: string, of: string): readonly [Arg, Part] =>
    end === TEXT.end
      ? [regex('~', `^${before}${text}${end}`), source]
      : [regex('~', `^${before}(?<${part(of)}>${text})${end}`), variable(part(of))];
  return [
    map(source, name, [
      [key(''), literal('')],
      whole('', `[${plain}]{1,${most}}+`, 'plain'),
      whole(`(?=[${bytes}]{1,${half}}+${end})`, any, 'text'),
      [regex('~', `^(?<${part('long')}>[${plain}]{${most}})`), template(variable(part('long')), BROKEN)],
      // Also if PCRE gives up.
      ['default', variable(part('rest'))],
    ]),
    map(source, part('head'), [[regex('~', `^(?<${part('bytes')}>[${bytes}]{1,${half}})`), variable(part('bytes'))]]),
    map(variable(part('head')), part('rest'), [
      [regex('~', `^(?<${part('kept')}>${any})`), template(variable(part('kept')), BROKEN)],
      ['default', literal(BROKEN)],
    ]),
  ];
}

/** A variable as text: unchanged if it is UTF-8 without control bytes and not too long, else the valid part and U+FFFD.
 *
 * @param name of the variable with the text
 * @param most bytes of it in the log
 */
export const textMaps = (source: Part, name: string, most: number): readonly Directive[] =>
  bounded(source, name, most, TEXT);

/** The same for a request's target, without its query. */
export const pathMaps = (source: Part, name: string, most: number): readonly Directive[] =>
  bounded(source, name, most, PATH);

/** A variable that nginx accepts only in plain ASCII, cut after so many bytes. PCRE does not examine a text that is
 * shorter than the expression, as nearly all are.
 *
 * @param usual entries of texts that are found without an expression; a map ignores the case of their letters
 */
export function shortMap(source: Part, name: string, most: number, usual: readonly Directive[]): Directive {
  const kept = `${name}_kept`;
  return block(
    'map',
    [source, variable(name)],
    [
      ...usual,
      line('default', source),
      line(regex('~', `^(?<${kept}>[\\x00-\\xff]{${most}})[\\x00-\\xff]`), template(variable(kept), BROKEN)),
    ],
  );
}

/** An entry of a map for a text that stays as it is. */
export const found = (text: string): Directive => line(key(text), literal(text));
