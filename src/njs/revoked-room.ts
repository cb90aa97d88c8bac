import { revokedDict } from './dicts.ts';

/** Part of the revocations' zone that is taken, 0 to 1; what has run out is thrown away before. */
export function revokedTaken(): number {
  const dict = revokedDict();
  dict.size();
  return 1 - dict.freeSpace() / dict.capacity;
}
