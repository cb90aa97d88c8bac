import { requestOf } from './altered.ts';

/** A key that signed for longer than keys do, without a cosignature. Its thief can rewrite all of this time. */
export interface LongKey {
  /** The first key has the number 0. */
  readonly number: number;
  /** The times of the first and the last line that it has sealed, in seconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** A key changes each hour. A sealer that did not run for a while seals older lines with the key that it has. */
const LONG_S = 2 * 3600;

/** Measures for how long each key has signed, by the times of the lines that it has sealed. */
export class LongKeys {
  readonly #ends: readonly number[];
  readonly #times: { from: number; to: number }[] = [];
  #number = 0;

  /** @param ends the sizes at which the keys changed */
  constructor(ends: readonly number[]) {
    this.#ends = ends;
  }

  add(index: number, line: Uint8Array): void {
    while (index >= (this.#ends[this.#number] ?? Number.POSITIVE_INFINITY)) this.#number++;
    const at = Date.parse(requestOf(line).time ?? '') / 1000;
    if (Number.isNaN(at)) return;
    const times = this.#times[this.#number];
    if (times === undefined) this.#times[this.#number] = { from: at, to: at };
    else [times.from, times.to] = [Math.min(times.from, at), Math.max(times.to, at)];
  }

  /** @param cosigned the largest size that a witness has cosigned; 0 if none has */
  list(cosigned: number): readonly LongKey[] {
    return this.#times.flatMap((times, number) => {
      const isLong = times !== undefined && times.to - times.from > LONG_S;
      // A cosignature of the end of its time fixes all that the key has signed; of the newest key, one of its time.
      const isFixed = cosigned >= (this.#ends[number] ?? (this.#ends[number - 1] ?? 0) + 1);
      return isLong && !isFixed ? [{ number, ...times }] : [];
    });
  }
}
