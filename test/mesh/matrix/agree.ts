import type { Answer, Cell, Side } from './types.ts';

/** A difference between a side and the decision. */
export interface Disagreement {
  readonly side: string;
  readonly cell: Cell;
  readonly expected: Answer;
  readonly got: Answer;
}

/** Concurrent requests. */
const AT_ONCE = 8;

/** Runs over items, some at once, in order of start. */
export async function each<T>(items: readonly T[], run: (item: T) => Promise<void>, atOnce = AT_ONCE): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < items.length) await run(items[next++] as T);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** Sends all cells to a side. */
export async function agree(
  side: Side,
  cells: readonly Cell[],
): Promise<{ readonly requested: number; readonly disagreements: readonly Disagreement[] }> {
  const disagreements: Disagreement[] = [];
  let requested = 0;
  await each(cells, async (cell) => {
    const expected = side.expected(cell);
    if (expected === undefined) return;
    const got = await side.ask(cell);
    if (got === 'not askable') return;
    requested += 1;
    if (expected !== got) disagreements.push({ side: side.name, cell, expected, got });
  });
  return { requested, disagreements };
}
