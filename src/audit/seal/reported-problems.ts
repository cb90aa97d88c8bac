import { isRepeated } from '../../base/limits.ts';

/** Number of different problems whose time is kept. */
const MOST = 16;

/** The problems that were printed, with the time. */
export class ReportedProblems {
  readonly #times = new Map<string, number>();

  /** Whether to print a problem: at once if it is another one, and then once a minute.
   * @param now in seconds */
  isDue(problem: string, now: number): boolean {
    if (isRepeated(this.#times.get(problem), now)) return false;
    if (this.#times.size > MOST) this.#times.clear();
    this.#times.set(problem, now);
    return true;
  }
}
