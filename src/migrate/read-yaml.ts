import { lineOf, NotYaml, plainValue, readYaml } from '../base/yaml.ts';

export type Plain = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;

/** Files that are longer than this are not read. */
const LONGEST = 4 * 1024 * 1024;

/** Returns all documents of a YAML file as plain values. Aliases are resolved, but only so many that no short file
 * becomes large, and merged as kubectl, Helm and Docker do.
 * @returns where the text is not YAML, or has more than one meaning; the message of the parser is left out, because it
 * may quote a secret */
export function readDocuments(text: string): readonly unknown[] | { readonly line: number } {
  if (text.length > LONGEST) return { line: 1 };
  try {
    return readYaml(text).documents.map((it) => plainValue(it, false));
  } catch (error) {
    if (!(error instanceof NotYaml)) throw error;
    return { line: lineOf(text, error.at) };
  }
}

/** Returns the objects of Kubernetes in documents; those of a List are among them. */
export function objectsIn(documents: readonly unknown[]): readonly Plain[] {
  return documents.flatMap((it) => {
    if (!isMapping(it)) return [];
    const isList = typeof it.kind === 'string' && it.kind.endsWith('List') && Array.isArray(it.items);
    return isList ? listOf(it.items).filter(isMapping) : [it];
  });
}
