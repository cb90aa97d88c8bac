/** Maximum number of findings of one kind that are kept. */
export const MOST = 10_000;

/** Findings, of which only the first ones are kept, because a log can have any number of them. */
export class First<T> {
  readonly kept: T[] = [];
  count = 0;

  add(make: () => T): void {
    if (++this.count <= MOST) this.kept.push(make());
  }

  /** The number of findings that are not kept. */
  get more(): number {
    return this.count - this.kept.length;
  }
}
