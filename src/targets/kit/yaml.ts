import { constructFromEvents, dump, EVENT_ID, type Event, parseEvents, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import { Foreign } from '../types.ts';

/** What stands above everything that is rendered as YAML. */
export const HEAD = '# Rendered by meshgate from the policy; do not edit.\n';

/** A value as a YAML document. Every string is in quotes: plain `y`, `on` and numbers are taken for what they look like. */
export function toYaml(value: unknown): string {
  return dump(value, { forceQuotes: true, lineWidth: -1, noRefs: true, quoteStyle: 'double', skipInvalid: true });
}

/** Objects as one file, a document each. */
export function documents(objects: readonly unknown[]): string {
  return HEAD + objects.map(toYaml).join('---\n');
}

/** A rendered file is deep, and nobody's is deeper. */
const DEEPEST = 100;

/** Plain text that YAML 1.1 takes for a boolean, and YAML 1.2 for text. */
const BOOLEAN = /^(y|yes|n|no|on|off)$/i;

/** Numbers that all readers of YAML read alike. */
const PLAIN_NUMBER = /^(0|-?[1-9]\d{0,14})(\.\d{1,15})?$/;

/** Plain text that some reader of YAML takes for a number: kubectl takes 0300 for 192, and 1_000 for 1000. */
const NUMBER = [
  /^[-+]?(\.[\d_]+|\d[\d_]*(\.[\d_]*)?)(e[-+]?[\d_]+)?$/i,
  /^[-+]?0(x[\da-f_]+|b[01_]+|o[0-7_]+)$/i,
  /^[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?$/,
  /^[-+]?\.(inf|nan)$/i,
];

/** Lines that kubectl, which splits files by itself, and readers of YAML divide at different places. */
const DIVIDED = /\r(?!\n)|[\u0085\u2028\u2029]|^---(?![ \t]*\r?$|[ \t]+#)|^\.\.\.|^%/m;

/** What of a scalar the readers of YAML read differently; undefined: nothing. */
function unclear({ style, valueStart, valueEnd }: ScalarEvent, text: string): string | undefined {
  if (style !== SCALAR_STYLE.PLAIN || valueStart < 0) return undefined;
  const value = text.slice(valueStart, valueEnd);
  if (value === '<<') return 'a merge key';
  const isClear = PLAIN_NUMBER.test(value) || !(BOOLEAN.test(value) || NUMBER.some((it) => it.test(value)));
  return isClear ? undefined : `${value} without quotes`;
}

/** @throws Error for text that the readers of YAML which meshes have do not read alike: nothing is known of it */
function checkClear(name: string, text: string, events: readonly Event[]): void {
  const fail = (at: number, what: string) => {
    const line = text.slice(0, at).split('\n').length;
    throw new Error(`${name}, line ${line}: ${what} is not read alike by all readers of YAML`);
  };
  const divided = DIVIDED.exec(text);
  if (divided !== null) fail(divided.index, 'this break of lines or documents');
  for (const event of events) {
    if ('tagStart' in event && event.tagStart >= 0) fail(event.tagStart, 'a tag');
    if (event.type !== EVENT_ID.SCALAR) continue;
    const what = unclear(event, text);
    if (what !== undefined) fail(event.valueStart, what);
  }
}

/**
 * Every document of a file, YAML or JSON, empty ones as null. The reader with positions, which policies are read with,
 * takes ten times as long: too long for what thousands of rules render to.
 *
 * @throws Foreign for what is no YAML, and for aliases, which could make a small file endless; Error for what another
 * reader could read otherwise
 */
export function allDocumentsIn(name: string, text: string): readonly unknown[] {
  const { events, documents } = parsed(name, text);
  checkClear(name, text, events);
  return documents;
}

function parsed(name: string, text: string) {
  try {
    const events = parseEvents(text, { maxDepth: DEEPEST });
    return { events, documents: constructFromEvents(events, { source: text, maxAliases: 0 }) };
  } catch (error) {
    const { reason, mark } = error as { readonly reason?: string; readonly mark?: { readonly line: number } };
    const why = reason ?? (error as Error).message;
    throw new Foreign(`not YAML${mark ? `, line ${mark.line + 1}` : ''}: ${why}`, name);
  }
}

/**
 * The documents of a file that are not empty.
 *
 * @throws as {@link allDocumentsIn}; Foreign where there is none
 */
export function documentsIn(name: string, text: string): readonly unknown[] {
  const documents = allDocumentsIn(name, text).filter((it) => it !== null && it !== undefined);
  if (documents.length === 0) throw new Foreign('the file is empty', name);
  return documents;
}
