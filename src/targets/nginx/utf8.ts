import { type Directive, key, literal, map, type Part, regex, template, variable } from './directive.ts';

/*
 * nginx writes bytes from 0x80 on into the log as a client sent them. A line that is no UTF-8 is not read by a strict
 * reader, so that the client would choose whether its line is read.
 */

/** A character of RFC 3629, by its bytes. Each way is taken whole, so that a text is looked at once, however long. */
const characters = (ascii: string): string =>
  `(?:[${ascii}]++|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}` +
  '|\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}' +
  '|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2})*+';

const ANY = characters('\\x00-\\x7f');
const NO_QUERY = characters('\\x00-\\x3e\\x40-\\x7f');

/** In the place of the first byte that is in no character, and of all that follows. */
const BROKEN = '\ufffd';

/**
 * A variable as text: itself where it is UTF-8, else what comes before the first byte that is not, and U+FFFD.
 *
 * @param name of the variable with the text
 */
export function textMap(source: Part, name: string): Directive {
  const kept = `${name}_kept`;
  return map(source, name, [
    [key(''), literal('')],
    [regex('~', `^${ANY}\\z`), source],
    [regex('~', `^(?<${kept}>${ANY})`), template(variable(kept), BROKEN)],
    // Also where PCRE gives up.
    ['default', literal(BROKEN)],
  ]);
}

/** The same of a request's target, without its query. */
export function pathMap(source: Part, name: string): Directive {
  const [whole, kept] = [`${name}_whole`, `${name}_kept`];
  return map(source, name, [
    [key(''), literal('')],
    [regex('~', `^(?<${whole}>${NO_QUERY})(?:\\?|\\z)`), variable(whole)],
    [regex('~', `^(?<${kept}>${NO_QUERY})`), template(variable(kept), BROKEN)],
    ['default', literal(BROKEN)],
  ]);
}
