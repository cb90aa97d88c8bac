import { type Checkpoint, openCheckpoint } from '../log/checkpoint.ts';
import { base64, sameBytes } from '../log/malformed.ts';
import { rootOf } from '../log/merkle.ts';
import { nodesOf } from '../log/tiles.ts';
import { Refused } from './fatal.ts';
import { GrowingTree } from './growing-tree.ts';
import type { LogFolder, State } from './log-folder.ts';
import { lastOf, type OwnKey } from './log-key.ts';

/** What a sealer goes on from. */
export interface Restored {
  readonly tree: GrowingTree;
  /** Absent if the log is new, or the state does not fit the log. */
  readonly state?: State;
  /** Leaves that the checkpoint covers. */
  readonly sealed: number;
  /** Whether the log has leaves, but the state is lost. */
  readonly isLost: boolean;
}

function rootAt(folder: LogFolder, size: number): Uint8Array | undefined {
  try {
    return rootOf(size, nodesOf(size, folder.readTile));
  } catch {
    return undefined;
  }
}

/** Returns the tree of this size, if the tiles have this root. */
function treeOf(folder: LogFolder, size: number, root: string): GrowingTree | undefined {
  try {
    const tree = GrowingTree.restore(size, folder.readTile);
    return base64(tree.root()) === root ? tree : undefined;
  } catch {
    return undefined;
  }
}

async function signedTree(folder: LogFolder, { signer, previous, number }: OwnKey): Promise<Checkpoint | undefined> {
  const text = folder.load('checkpoint');
  if (text === undefined) return undefined;
  const refuse = (problem: string) =>
    new Refused(`${folder.path}/checkpoint is not one of this log: ${problem}. Restore the folder`);
  const keys = [signer.key, ...(previous === undefined ? [] : [previous])];
  const opened = await openCheckpoint(text, keys).catch((error: Error) => {
    throw refuse(error.message);
  });
  // Of the key before, only the last checkpoint counts: an older one would be continued in another way.
  const isOwn = opened.signed.some(({ key }) => key === signer.key);
  if (!isOwn && !sameBytes(text, folder.load(lastOf(number - 1)) ?? new Uint8Array(0)))
    throw refuse('an earlier key has signed it');
  return opened;
}

/** Restores the tree of a log. A sealer was killed at any time: the tiles and the state may be ahead of the checkpoint, and
 * then they have all its leaves.
 * @throws Refused if the tiles do not have the root of the checkpoint or of the state: to go on would sign another log with
 * the same key. The state may be in a volume of its own, where no one can replace it together with the log */
export async function restore(folder: LogFolder, key: OwnKey): Promise<Restored> {
  const signed = await signedTree(folder, key);
  if (signed !== undefined) {
    const root = rootAt(folder, signed.size);
    if (root === undefined || !sameBytes(root, signed.root))
      throw new Refused(
        `the tiles in ${folder.path} are not those of its checkpoint of ${signed.size} leaves, so nothing is signed: restore the folder, or begin a new log in another one`,
      );
  }
  const sealed = signed?.size ?? 0;
  const state = folder.state();
  if (state !== undefined && state.size >= sealed) {
    const tree = treeOf(folder, state.size, state.root);
    if (tree !== undefined) return { tree, sealed, state, isLost: false };
    if (state.size > 0)
      throw new Refused(
        `${folder.privatePath} belongs to a log of ${state.size} leaves, and ${folder.path} does not have them: to go on would sign another log with the same key. Restore the folder, or begin a new log with another host or instance in gateway.audit, in another folder and with another key`,
      );
  }
  return { tree: GrowingTree.restore(sealed, folder.readTile), sealed, isLost: sealed > 0 };
}
