import { constructFromEvents, dump, EVENT_ID, type Event, parseEvents, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import { Foreign } from '../types.ts';

/** The first line of every rendered YAML file. */
export const HEAD = '# Rendered by meshgate from the policy; do not edit.\n';

/** A value as a YAML document. All strings are quoted: without quotes, `y`, `on` and numbers would not be strings. */
export const toYaml = (value: unknown): string =>
  dump(value, { forceQuotes: true, lineWidth: -1, noRefs: true, quoteStyle: 'double', skipInvalid: true });

/** A file with one document for each object. */
export const documents = (objects: readonly unknown[]): string => HEAD + objects.map(toYaml).join('---\n');

/** The maximum nesting that is read. Rendered files have less. */
const DEEPEST = 100;

/** Plain text that is a boolean in YAML 1.1 but a string in YAML 1.2. */
const BOOLEAN = /^(y|yes|n|no|on|off)$/i;

/** Numbers that have the same value for all YAML readers. */
const PLAIN_NUMBER = /^(0|-?[1-9]\d{0,14})(\.\d{1,15})?$/;

/** Plain text that at least one YAML reader reads as a number: kubectl reads 0300 as 192, and 1_000 as 1000. */
const NUMBER = [
  /^[-+]?(\.[\d_]+|\d[\d_]*(\.[\d_]*)?)(e[-+]?[\d_]+)?$/i,
  /^[-+]?0(x[\da-f_]+|b[01_]+|o[0-7_]+)$/i,
  /^[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?$/,
  /^[-+]?\.(inf|nan)$/i,
];

/** Lines at which kubectl and YAML readers split a file differently. kubectl splits files with its own code. */
const DIVIDED = /\r(?!\n)|[\u0085\u2028\u2029]|^---(?![ \t]*\r?$|[ \t]+#)|^\.\.\.|^%/m;

/** The part of a scalar that YAML readers read in different ways; undefined if there is none. */
function unclear({ style, valueStart, valueEnd }: ScalarEvent, text: string): string | undefined {
  if (style !== SCALAR_STYLE.PLAIN || valueStart < 0) return undefined;
  const value = text.slice(valueStart, valueEnd);
  if (value === '<<') return 'a merge key';
  const isClear = PLAIN_NUMBER.test(value) || !(BOOLEAN.test(value) || NUMBER.some((it) => it.test(value)));
  return isClear ? undefined : `${value} without quotes`;
}

/** Checks that all YAML readers read a text in the same way. Otherwise it throws: the meaning is unknown. */
function checkClear(name: string, text: string, events: readonly Event[]): void {
  const fail = (at: number, what: string) => {
    const line = text.slice(0, at).split('\n').length;
    throw new Error(`${name}, line ${line}: ${what} has different meanings to different YAML readers`);
  };
  const divided = DIVIDED.exec(text);
  if (divided !== null) fail(divided.index, 'this break between lines or documents');
  for (const event of events) {
    if ('tagStart' in event && event.tagStart >= 0) fail(event.tagStart, 'a tag');
    if (event.type !== EVENT_ID.SCALAR) continue;
    const what = unclear(event, text);
    if (what !== undefined) fail(event.valueStart, what);
  }
}

/** Every document of a YAML or JSON file. Empty documents are null. The parser for policies is not used, because it
 * keeps positions and takes ten times as long, which is too long for thousands of rules.
 * @throws Foreign if the file is not YAML, or has aliases, with which a small file could expand without limit; Error if
 * another parser could read the file in another way */
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

/** The documents of a file that are not empty.
 * @throws Foreign if there are none; and the errors of {@link allDocumentsIn} */
export function documentsIn(name: string, text: string): readonly unknown[] {
  const documents = allDocumentsIn(name, text).filter((it) => it !== null && it !== undefined);
  if (documents.length === 0) throw new Foreign('the file is empty', name);
  return documents;
}
