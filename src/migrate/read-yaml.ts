import { type Document, isScalar, parseAllDocuments, visit } from 'yaml';

export type Plain = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;

/** Files that are longer than this are not read. */
const LONGEST = 4 * 1024 * 1024;

/** Where a merge key (`<<`) stands after other keys: kubectl and Docker differ in which of two values counts then. */
function lateMerge(document: Document): number | undefined {
  let at: number | undefined;
  visit(document, {
    Pair: (index, { key }) => {
      if (index !== 0 && isScalar(key) && typeof key.value === 'symbol') at ??= key.range?.[0] ?? 0;
    },
  });
  return at;
}

/** Returns all documents of a YAML file as plain values. Aliases are resolved, but only so many that no short file
 * becomes large, and merged as kubectl, Helm and Docker do.
 * @returns where the text is not YAML, or has more than one meaning; the message of the parser is left out, because it
 * may quote a secret */
export function readDocuments(text: string): readonly unknown[] | { readonly line: number } {
  if (text.length > LONGEST) return { line: 1 };
  try {
    const options = { prettyErrors: false, logLevel: 'silent', uniqueKeys: false, merge: true } as const;
    const documents = parseAllDocuments(text, options);
    if (!Array.isArray(documents)) return [];
    const bad = documents.flatMap((it) => it.errors[0]?.pos[0] ?? lateMerge(it) ?? [])[0];
    if (bad !== undefined) return { line: text.slice(0, bad).split('\n').length };
    return documents.map((it) => it.toJS({ maxAliasCount: 1000 }) as unknown);
  } catch {
    // The YAML library is recursive: an error of the call stack arrives here, and an error about aliases.
    return { line: 1 };
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
