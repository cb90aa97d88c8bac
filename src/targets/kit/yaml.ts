import {
  lineOf,
  NotYaml,
  plainValue,
  readYaml,
  toYaml,
  type YamlNode,
  type YamlScalar,
  type YamlText,
} from '../../base/yaml.ts';
import { Foreign } from '../types.ts';

/** The first line of every rendered YAML file. */
export const YAML_HEAD = '# Rendered by meshgate from the policy; do not edit.\n';

/** A file with one document for each object. */
export const documents = (objects: readonly unknown[]): string => YAML_HEAD + objects.map(toYaml).join('---\n');

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
function unclear({ text, isPlain }: YamlScalar): string | undefined {
  if (!isPlain || text === undefined) return undefined;
  if (text === '<<') return 'a merge key';
  const isClear = PLAIN_NUMBER.test(text) || !(BOOLEAN.test(text) || NUMBER.some((it) => it.test(text)));
  return isClear ? undefined : `${text} without quotes`;
}

/** Checks that all YAML readers read a text in the same way. Otherwise it throws: the meaning is unknown. */
function checkClear(name: string, text: string, { documents, tags }: YamlText): void {
  const fail = (at: number, what: string) => {
    throw new Error(`${name}, line ${lineOf(text, at)}: ${what} has different meanings to different YAML readers`);
  };
  const divided = DIVIDED.exec(text);
  if (divided !== null) fail(divided.index, 'this break between lines or documents');
  for (const { at } of tags) fail(at, 'a tag');
  const check = (node: YamlNode): void => {
    if (node.kind === 'list') node.items.forEach(check);
    if (node.kind === 'map') {
      for (const { key, value } of node.entries) {
        check(key);
        check(value);
      }
    }
    const what = node.kind === 'scalar' ? unclear(node) : undefined;
    if (what !== undefined) fail(node.at, what);
  };
  documents.forEach(check);
}

/** Every document of a YAML or JSON file. Empty documents are null.
 * @throws Foreign if the file is not YAML, or has aliases, with which a small file could expand without limit; Error if
 * another parser could read the file in another way */
export function allDocumentsIn(name: string, text: string): readonly unknown[] {
  try {
    const read = readYaml(text);
    const values = read.documents.map((it) => plainValue(it, true));
    checkClear(name, text, read);
    return values;
  } catch (error) {
    if (!(error instanceof NotYaml)) throw error;
    throw new Foreign(`not YAML, line ${lineOf(text, error.at)}: ${error.message}`, name);
  }
}

/** The documents of a file that are not empty.
 * @throws Foreign if there are none; and the errors of {@link allDocumentsIn} */
export function documentsIn(name: string, text: string): readonly unknown[] {
  const documents = allDocumentsIn(name, text).filter((it) => it !== null && it !== undefined);
  if (documents.length === 0) throw new Foreign('the file is empty', name);
  return documents;
}
