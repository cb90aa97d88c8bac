import { readSealerLeaf } from './leaf.ts';
import type { Published } from './published.ts';
import { TILE_WIDTH } from './tiles.ts';
import { bundleOf, sizeOf } from './verify.ts';

/** Returns the entries of a transparency log in their order, as many as its checkpoint has, from the files that `audit
 * verify` reads. Whether the checkpoint is signed and has their root is not checked.
 * @throws Malformed if the checkpoint or a bundle of entries is not valid */
export function* sealedEntries(files: Published): Generator<Uint8Array> {
  if (files.read('checkpoint') === undefined) return;
  const size = sizeOf(files);
  for (let index = 0; index * TILE_WIDTH < size; index++) yield* bundleOf(size, index, files);
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
