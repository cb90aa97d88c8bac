/*
 * Compares the work for a small and a large input, by the CPU time of this thread alone: other processes of the machine
 * do not count, and of several tries the cheapest one does.
 */

/** One try takes at least this many microseconds: the kernel counts a running thread's time every four milliseconds. */
const LEAST = 16_000;

const TRIES = 3;

function spent(work: () => unknown, times: number): number {
  const before = process.threadCpuUsage();
  for (let i = 0; i < times; i++) work();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** Microseconds of CPU for a piece of work. */
function cost(work: () => unknown): number {
  let times = 1;
  let least = spent(work, times);
  while (least < LEAST) {
    times *= least < LEAST / 4 ? 4 : 2;
    least = spent(work, times);
  }
  // Slow code is slow in every try.
  for (let i = 1; i < TRIES && least < 10 * LEAST; i++) least = Math.min(least, spent(work, times));
  return least / times;
}

/** The cost of a large input relative to a small one. */
export function growth(work: (size: number) => unknown, small: number, large: number): number {
  const less = cost(() => work(small));
  return cost(() => work(large)) / less;
}

/** Milliseconds of CPU for a piece of work that is done once. */
export const spentOnce = (work: () => unknown): number => spent(work, 1) / 1000;
