import { ownOf } from '../../base/own.ts';
import { de } from './texts/de.ts';
import { en, type TextName, type Texts } from './texts/en.ts';

/** Texts by language (BCP 47, lower case). If a language lacks a text, the English text is shown. */
export type Catalogues = Readonly<Record<string, Partial<Texts>>>;

/** The languages of the gateway. The first one is the default language. */
export const catalogues: Catalogues = { en, de };

/** The header `Accept-Language` is read up to this length. Browsers send about sixty characters. */
const MAX_LENGTH = 200;

/** Returns the languages that a person reads, the preferred one first (RFC 9110 section 12.5.4). */
function wanted(header: string): string[] {
  const all = header.slice(0, MAX_LENGTH).toLowerCase().split(',');
  const ranges = all.map((range) => {
    const [tag = '', weight] = range.split(';');
    const quality = weight === undefined ? 1 : Number(/^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(weight)?.[1] ?? 0);
    return { tag: tag.trim(), quality };
  });
  const good = ranges.filter(({ tag, quality }) => /^[a-z]{1,8}(-[a-z0-9]{1,8})*$/.test(tag) && quality > 0);
  return good.sort((a, b) => b.quality - a.quality).map(({ tag }) => tag);
}

/** Returns the known tag for a language: itself or a more general tag, `de` for `de-at` (RFC 4647 section 3.4). */
function lookUp(tag: string, known: readonly string[]): string | undefined {
  for (let rest = tag; rest !== ''; rest = rest.slice(0, Math.max(0, rest.lastIndexOf('-')))) {
    if (known.includes(rest)) return rest;
  }
  return undefined;
}

export interface Language {
  readonly tag: string;
  /** Returns a text in which each `{name}` is replaced by its value. */
  text(name: TextName, values?: Readonly<Record<string, string>>): string;
  /** Returns a text that can be missing. */
  maybe(name: string): string | undefined;
}

/** Returns the language of a page.
 * @param header value of `Accept-Language`; empty if the request has no such header
 * @param own texts from an operator's folder, which replace or add texts */
export function languageFor(header: string, own: Catalogues = {}): Language {
  const known = Object.keys({ ...catalogues, ...own });
  const found = wanted(header).map((tag) => lookUp(tag, known));
  const tag = found.find((one) => one !== undefined) ?? (known[0] as string);
  const texts: Readonly<Record<string, string | undefined>> = { ...en, ...catalogues[tag], ...own[tag] };
  const maybe = (name: string) => ownOf(texts, name);
  return {
    tag,
    maybe,
    text: (name, values = {}) =>
      (maybe(name) ?? en[name]).replace(/\{(\w+)\}/g, (entire, key: string) => ownOf(values, key) ?? entire),
  };
}
