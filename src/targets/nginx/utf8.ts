import { type Arg, type Directive, key, literal, map, type Part, regex, template, variable } from './directive.ts';

/*
 * nginx writes bytes from 0x80 on into the log as a client sent them. A line that is no UTF-8 is not read by a strict
 * reader, so that the client would choose whether its line is read. And a line that is longer than a pipe takes at once
 * comes in pieces, between which lines of others stand: so a client chooses how long its line is only up to a bound.
 */

/** A character of RFC 3629, by its bytes. Each way is taken whole, so that a text is looked at once, however long. */
const characters = (ascii: string): string =>
  `(?:[${ascii}]++|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}` +
  '|\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}' +
  '|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2})*+';

/** What a text is made of, as regular expressions. Control bytes are in none of them: JSON writes six bytes for each. */
interface Alphabet {
  /** ASCII that JSON writes as it is. */
  readonly plain: string;
  /** Characters, of which JSON writes two bytes at most for each of theirs. */
  readonly any: string;
  /** Bytes that the text goes on with. */
  readonly bytes: string;
  /** What stands behind the text. */
  readonly end: string;
}

const TEXT: Alphabet = {
  plain: '\\x20\\x21\\x23-\\x5b\\x5d-\\x7e',
  any: characters('\\x20-\\x7e'),
  bytes: '\\x00-\\xff',
  end: '\\z',
};

/** Of a request's target: a query comes after it. */
const PATH: Alphabet = {
  plain: '\\x21\\x23-\\x3e\\x40-\\x5b\\x5d-\\x7e',
  any: characters('\\x20-\\x3e\\x40-\\x7e'),
  bytes: '\\x00-\\x3e\\x40-\\xff',
  end: '(?:\\?|\\z)',
};

/** In the place of the first byte that is in no character, of a control byte, or of what is too much; and of all that follows. */
const BROKEN = '\ufffd';

/**
 * Maps that have a variable as text of UTF-8, in the log no longer than so many bytes and {@link BROKEN}: whole
 * characters, the first ones. Most requests need the first expression alone.
 */
function bounded(source: Part, name: string, most: number, { plain, any, bytes, end }: Alphabet): readonly Directive[] {
  // JSON writes two bytes for a quotation mark.
  const half = most / 2;
  const part = (of: string): string => `${name}_${of}`;
  /** The text where it is such, up to its end; nothing is captured where that is the whole variable. */
  const whole = (before: string, text: string, of: string): readonly [Arg, Part] =>
    end === TEXT.end
      ? [regex('~', `^${before}${text}${end}`), source]
      : [regex('~', `^${before}(?<${part(of)}>${text})${end}`), variable(part(of))];
  return [
    map(source, name, [
      [key(''), literal('')],
      whole('', `[${plain}]{1,${most}}+`, 'plain'),
      whole(`(?=[${bytes}]{1,${half}}+${end})`, any, 'text'),
      // Also where PCRE gives up.
      ['default', variable(part('cut'))],
    ]),
    map(source, part('cut'), [
      [regex('~', `^(?<${part('long')}>[${plain}]{${most}})`), template(variable(part('long')), BROKEN)],
      ['default', variable(part('rest'))],
    ]),
    map(source, part('head'), [[regex('~', `^(?<${part('bytes')}>[${bytes}]{1,${half}})`), variable(part('bytes'))]]),
    map(variable(part('head')), part('rest'), [
      [regex('~', `^(?<${part('kept')}>${any})`), template(variable(part('kept')), BROKEN)],
      ['default', literal(BROKEN)],
    ]),
  ];
}

/**
 * A variable as text: itself where it is UTF-8 without control bytes and not too long, else what comes before, and U+FFFD.
 *
 * @param name of the variable with the text
 * @param most bytes of it in the log
 */
export const textMaps = (source: Part, name: string, most: number): readonly Directive[] =>
  bounded(source, name, most, TEXT);

/** The same of a request's target, without its query. */
export const pathMaps = (source: Part, name: string, most: number): readonly Directive[] =>
  bounded(source, name, most, PATH);

/**
 * A variable that nginx takes in plain ASCII alone, cut after so many bytes. PCRE looks at no text that is too short for
 * the expression, as nearly all are.
 *
 * @param usual texts that are found without an expression; a map compares them in any case of their letters
 */
export function shortMap(source: Part, name: string, most: number, usual: readonly string[] = []): Directive {
  const kept = `${name}_kept`;
  return map(source, name, [
    ...usual.map((text) => [key(text), literal(text)] as const),
    ['default', source],
    [regex('~', `^(?<${kept}>[\\x00-\\xff]{${most}})[\\x00-\\xff]`), template(variable(kept), BROKEN)],
  ]);
}
