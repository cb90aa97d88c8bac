/** Separates the parts of a composed key. A header cannot contain it, because nginx answers 400. A claim can contain
 * it, so it is escaped inside a part. */
export const SEPARATOR = '\n';

const ESCAPED = /[\\\n]/g;

/** Returns a part in which {@link SEPARATOR} is escaped. Most parts need no escape. */
function escaped(part: string): string {
  if (!part.includes(SEPARATOR) && !part.includes('\\')) return part;
  return part.replace(ESCAPED, (character) => (character === SEPARATOR ? '\\n' : '\\\\'));
}

/** Joins several parts to one key, for a Map, a shared dictionary, a hash or etcd. All keys that have several parts are
 * made here. Different lists of parts never give the same key, whatever the parts contain. */
export function composed(...parts: readonly string[]): string {
  let key = '';
  for (let i = 0; i < parts.length; i++) key += escaped(parts[i] as string) + SEPARATOR;
  return key;
}

/** Returns the parts of a {@link composed} key. */
export const partsOf = (key: string): readonly string[] =>
  key
    .split(SEPARATOR)
    .slice(0, -1)
    .map((part) => part.replace(/\\([\\n])/g, (_, character) => (character === 'n' ? SEPARATOR : '\\')));

/** Adds a last part to a {@link composed} key without escaping it. The key stays unambiguous, because nothing follows
 * this part. It is for a long part, which would be slow to escape. All keys of one kind must end in this way. */
export function composedEnd(key: string, last: string): string {
  return key + last;
}
