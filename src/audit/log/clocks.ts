/** How far the clocks of two machines may differ, in seconds. A later time is one of the future. */
const MAX_SKEW_S = 60;

/** The last time that a date can have, in seconds since the epoch. */
const LAST = 8_640_000_000_000;

/** Returns what is wrong with the time of a cosignature; undefined if it can be right. A cosignature needs a time (C2SP
 * tlog-witness), and one of the future would look new for ever.
 * @param time seconds since the epoch
 * @param now the same of this machine */
export function timeProblem(time: number, now: number): string | undefined {
  if (!(time > 0)) return 'it has no time';
  return time > now + MAX_SKEW_S ? `its time, ${isoTime(time)}, is in the future` : undefined;
}

/** Returns a time as text, without fractions of a second. */
export const isoTime = (seconds: number): string =>
  Math.abs(seconds) <= LAST
    ? `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, -5)}Z`
    : 'beyond all dates';
