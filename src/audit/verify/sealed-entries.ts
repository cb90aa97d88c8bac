import type { Published } from '../log/log-reader.ts';
import { TILE_WIDTH } from '../log/tiles.ts';
import { bundleOf, sizeOf } from './verify-log.ts';

/** Returns the entries of a transparency log in their order, as many as its checkpoint has, from the files that `audit
 * verify` reads. Whether the checkpoint is signed and has their root is not checked.
 * @throws Malformed if the checkpoint or a bundle of entries is not valid */
export function* sealedEntries(files: Published): Generator<Uint8Array> {
  if (files.read('checkpoint') === undefined) return;
  const size = sizeOf(files);
  for (let index = 0; index * TILE_WIDTH < size; index++) yield* bundleOf(size, index, files);
}
