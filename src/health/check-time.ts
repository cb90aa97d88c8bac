/** The upper bounds of the histogram of the check's time, in seconds. nginx counts whole milliseconds. */
export const CHECK_TIME_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Returns the index of the bucket of a time; the last index is above all bounds. */
export function bucketOf(seconds: number): number {
  const found = CHECK_TIME_BOUNDS.findIndex((bound) => seconds <= bound);
  return found < 0 ? CHECK_TIME_BOUNDS.length : found;
}

/** The times of the first bucket, as nginx writes them. Only checks that take longer run JavaScript to be counted. */
export const fastTimes: readonly string[] = Array.from({ length: 1000 * CHECK_TIME_BOUNDS[0] + 1 }, (_, ms) =>
  (ms / 1000).toFixed(3),
);
