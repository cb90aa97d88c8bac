import { type NoteKey, noteKey, randomFrom, requestLines, seal } from './sealed-log.ts';

/* Files that workers of nginx wrote over rotations, and the log that a sealer made of them meanwhile. */

export interface Rotated {
  /** The lines of each file, the oldest first. */
  readonly files: readonly (readonly string[])[];
  /** The sealed lines in their order. */
  readonly sealed: readonly string[];
  readonly folder: ReturnType<typeof seal>['folder'];
  readonly key: NoteKey;
}

/** Returns what workers write and the sealer seals. After a rotation, each worker writes to the renamed file until it
 * reopens the log, and the sealer reads both files in turns, the older one first.
 * @param step seconds from one line to the next
 * @param isLive whether the last lines are not sealed yet */
export function rotated(
  seed: string,
  { files: count = 4, perFile = 40, workers = 3, step = 1, isLive = false } = {},
): Rotated {
  const random = randomFrom(`rotated ${seed}`);
  const below = (end: number): number => Math.floor(random() * end);
  const files: string[][] = [[]];
  const opened = Array.from({ length: workers }, () => ({ file: 0, reopens: 0 }));
  const read: number[] = [];
  const sealed: string[] = [];
  let waiting = 0;
  const turn = (): void => {
    for (const [file, lines] of files.entries()) {
      sealed.push(...lines.slice(read[file] ?? 0));
      read[file] = lines.length;
    }
  };
  for (let at = 0; at < count * perFile; at++) {
    if (at > 0 && at % perFile === 0) {
      files.push([]);
      for (const worker of opened) worker.reopens = at + below(7);
    }
    const worker = opened[below(workers)]!;
    if (worker.reopens <= at) worker.file = files.length - 1;
    files[worker.file]!.push(requestLines(`${seed} ${at}`, 1, at * step)[0]!);
    // At most two lines wait, and each is a second older than the next one.
    if (++waiting === 2 || below(2) === 0) {
      turn();
      waiting = 0;
    }
  }
  if (!isLive) turn();
  const key = noteKey();
  return { files, sealed, key, folder: seal(sealed, [key]).folder };
}
