import { readSealerLeaf } from './leaf.ts';
import type { Published } from './published.ts';
import { entriesOf, TILE_WIDTH, tilePath } from './tiles.ts';

/** Returns the entries of a transparency log in their order. Whether a checkpoint covers them is not checked.
 * @throws Malformed if a bundle of entries is not valid */
export function* sealedEntries({ read, names }: Published): Generator<Uint8Array> {
  for (let index = 0; ; index++) {
    const full = read(tilePath({ level: 'entries', index, width: TILE_WIDTH }));
    if (full !== undefined) {
      yield* entriesOf(full, TILE_WIDTH);
      continue;
    }
    const one = tilePath({ level: 'entries', index, width: 1 });
    const widths = names(one.slice(0, one.lastIndexOf('/'))).filter((it) => /^[1-9]\d*$/.test(it));
    const width = Math.max(0, ...widths.map(Number));
    const part = width === 0 ? undefined : read(tilePath({ level: 'entries', index, width }));
    if (part !== undefined) yield* entriesOf(part, width);
    return;
  }
}

/** Returns the compiled policies in a transparency log, by the digests that they claim. */
export function sealedPolicies(files: Published): ReadonlyMap<string, string> {
  const parts = new Map<string, string[]>();
  for (const entry of sealedEntries(files)) {
    const leaf = readSealerLeaf(entry);
    if (leaf?.kind !== 'policy') continue;
    const { digest, part, text } = leaf;
    // A policy can be in the log several times. Its parts follow each other.
    const own = part === 1 ? [] : (parts.get(digest) ?? []);
    own.push(text);
    parts.set(digest, own);
  }
  return new Map([...parts].map(([digest, texts]) => [digest, texts.join('')]));
}
