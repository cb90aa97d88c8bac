/** Separates the parts of a composed key. Headers cannot contain it: nginx answers 400. A claim can, so it is escaped
 * within a part. */
export const SEPARATOR = '\n';

const ESCAPED = /[\\\n]/g;

/** A part of a key without {@link SEPARATOR}; most have nothing to escape. */
function escaped(part: string): string {
  if (!part.includes(SEPARATOR) && !part.includes('\\')) return part;
  return part.replace(ESCAPED, (character) => (character === SEPARATOR ? '\\n' : '\\\\'));
}

/** One key of several parts, for a Map, a shared dictionary, a hash or etcd. Every key of several parts is made here,
 * so that two lists of parts never give the same key, whatever the parts contain. */
export function composed(...parts: readonly string[]): string {
  let key = '';
  for (let i = 0; i < parts.length; i++) key += escaped(parts[i] as string) + SEPARATOR;
  return key;
}

/** A {@link composed} key with one more part at its end, unescaped: nothing follows it, so it is unambiguous. It is for
 * a long part that would be slow to escape. All keys of one kind must end in this way. */
export function composedEnd(key: string, last: string): string {
  return key + last;
}
