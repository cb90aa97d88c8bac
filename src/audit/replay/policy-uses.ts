import { decidedAt, type LogLine } from '../lines/line.ts';

/** What the lines say about when a policy was in force. */
export interface PolicyUse {
  readonly digest: string;
  lines: number;
  /** The places of the first and the last line. */
  readonly first: string;
  last: string;
  /** When the first and the last of its requests were decided, in seconds since the epoch. */
  from: number;
  to: number;
}

/** Workers with the earlier policy end after a reload. Two policies decide at the same time for at most so many seconds. */
const RELOAD_S = 10;

/** When which policies decided the lines of a log. */
export class PolicyUses {
  readonly #all = new Map<string, PolicyUse>();

  add(line: LogLine, place: string): void {
    const at = decidedAt(line);
    const use = this.#all.get(line.policy);
    if (use === undefined) {
      this.#all.set(line.policy, { digest: line.policy, lines: 1, first: place, last: place, from: at, to: at });
      return;
    }
    use.lines += 1;
    use.last = place;
    use.from = Math.min(use.from, at);
    use.to = Math.max(use.to, at);
  }

  /** Returns the policies in the order of their first lines. */
  list(): readonly PolicyUse[] {
    return [...this.#all.values()];
  }

  /** Returns another policy with which a policy alternates: both decided lines, for longer than a reload takes. */
  alternating({ digest, from, to }: PolicyUse): PolicyUse | undefined {
    return this.list().find(
      (other) => other.digest !== digest && Math.min(to, other.to) - Math.max(from, other.from) > RELOAD_S,
    );
  }
}
