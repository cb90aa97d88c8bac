import { longestAscending, type Positions, UNKNOWN } from './match-lines.ts';

/* After a rotation, workers of nginx write to two files for a while: a worker that is late still has the renamed one. So
 * the sealer gets lines of both in turns, and the order in which they were sealed is not that of the files. The order
 * holds within each file. */

/** Workers may write to a renamed file for so long after others have the new one, in seconds. The sealer reads it until
 * ten minutes after its last line. */
const LATE_S = 600;

/** How a line is in order. */
export const [IN_ORDER, LATE] = [1, 2];

/** Finds the lines that are in the order of their file, and not in that of all files, because another file got lines at
 * the same time. Marks them in `order` as {@link LATE}, and their entries in `accounted`.
 * @param starts the first line of each file
 * @param order for each line, whether it is in the order of all files
 * @param timeOf returns the time of an entry in seconds; NaN if it has none */
export function markLate(
  starts: readonly number[],
  positions: Positions,
  order: Uint8Array,
  accounted: Uint8Array,
  timeOf: (entry: number) => number,
): void {
  const endOf = (file: number): number => starts[file + 1] ?? positions.length;
  /** For each file, the entries of its lines that are in order: the first and the last one. */
  const edges = starts.flatMap((start, file) => {
    const own = order.subarray(start, endOf(file));
    const [first, last] = [own.indexOf(IN_ORDER), own.lastIndexOf(IN_ORDER)];
    return first < 0 ? [] : [{ file, first: positions.at(start + first), last: positions.at(start + last) }];
  });
  for (const [file, start] of starts.entries()) {
    // The files with lines in order are in the order of these lines.
    const before = edges.filter((edge) => edge.file < file).pop()?.last ?? UNKNOWN;
    const after = edges.find((edge) => edge.file > file)?.first ?? accounted.length;
    const [timeBefore, timeAfter] = [before, after].map(timeOf) as [number, number];
    const isLate = (entry: number): boolean =>
      entry < before ? timeBefore - timeOf(entry) <= LATE_S : entry > after && timeOf(entry) - timeAfter <= LATE_S;
    /** Marks lines between two lines of the file that are in order: the most that are in the order of their entries. */
    const mark = (lines: readonly number[], below: number): void => {
      const between = lines.filter((at) => positions.at(at) < below);
      const chosen = longestAscending(between.length, (at) => positions.at(between[at] as number));
      for (const [index, at] of between.entries()) {
        if (chosen[index] !== 1 || accounted[positions.at(at)] === 1) continue;
        order[at] = LATE;
        accounted[positions.at(at)] = 1;
      }
    };
    let [above, open] = [UNKNOWN, [] as number[]];
    for (let at = start; at < endOf(file); at++) {
      const entry = positions.at(at);
      if (entry === UNKNOWN) continue;
      if (order[at] !== IN_ORDER) {
        if (entry > above && accounted[entry] !== 1 && isLate(entry)) open.push(at);
        continue;
      }
      if (open.length > 0) mark(open, entry);
      [above, open] = [entry, []];
    }
    mark(open, accounted.length);
  }
}
