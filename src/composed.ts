/**
 * Stands behind each part of a composed key. No header can carry it: nginx answers a request with one in a header with
 * 400. A claim can, so it is escaped within a part.
 */
export const SEPARATOR = '\n';

const ESCAPED = /[\\\n]/g;

/** A part of a key, in which no {@link SEPARATOR} is left; most have nothing to escape. */
function escaped(part: string): string {
  if (!part.includes(SEPARATOR) && !part.includes('\\')) return part;
  return part.replace(ESCAPED, (character) => (character === SEPARATOR ? '\\n' : '\\\\'));
}

/**
 * One key of several parts, for a Map, a shared dictionary, a hash or etcd. Every key that is made of more than one part
 * is made here, so that two lists of parts never give the same key, whatever the parts hold.
 */
export function composed(...parts: readonly string[]): string {
  let key = '';
  for (let i = 0; i < parts.length; i++) key += escaped(parts[i] as string) + SEPARATOR;
  return key;
}

/**
 * A {@link composed} key with one more part at its end, as it is: nothing follows that it could be confused with. For a
 * long part whose characters an interpreter would have to read twice to escape it; of one kind of key, all end so.
 */
export function composedEnd(key: string, last: string): string {
  return key + last;
}
