/** How often a problem that lasts is printed, in ms. */
const REPEAT = 60_000;

/** Number of different problems whose time is kept. */
const MOST = 16;

/** The problems that were printed, with the time. */
export class SaidProblems {
  readonly #times = new Map<string, number>();

  /** Whether to print a problem: at once if it is another one, and then once a minute.
   * @param now in ms since the epoch; it may be set back */
  isDue(problem: string, now: number): boolean {
    const before = this.#times.get(problem);
    if (before !== undefined && now >= before && now - before < REPEAT) return false;
    if (this.#times.size > MOST) this.#times.clear();
    this.#times.set(problem, now);
    return true;
  }
}
