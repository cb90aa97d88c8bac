const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** What an object itself has: every object has a `constructor` and a `__proto__` from JavaScript. */
const memberOf = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

type Steps = readonly string[];

/** A member of a live object that changes no answer, or that something else proves. */
export interface Neutral {
  /** Names from the top; `*` is any name, or any position of a list. */
  readonly path: Steps;
  /** Why it makes no difference. */
  readonly why: string;
  /** The values that make none; absent: every value. */
  readonly values?: readonly unknown[];
  /** A reader proves it, whatever its words. */
  readonly proved?: true;
}

/** How two values are compared. */
export interface Comparison {
  /** Of both values, as the lines name it. */
  readonly path?: string;
  readonly neutral?: readonly Neutral[];
  /** Whether a value means the same as none. */
  readonly isNothing?: (value: unknown) => boolean;
}

const leadsTo = (path: Steps, steps: Steps): boolean =>
  steps.every((step, index) => path[index] === '*' || path[index] === step);

const isAt = (path: Steps, steps: Steps): boolean => path.length === steps.length && leadsTo(path, steps);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

class Walk {
  readonly #neutral: readonly Neutral[];
  readonly #isNothing: (value: unknown) => boolean;

  constructor({ neutral = [], isNothing = (value) => value === undefined }: Comparison) {
    this.#neutral = neutral;
    this.#isNothing = isNothing;
  }

  *at(own: unknown, live: unknown, path: string, steps: Steps): Generator<string> {
    if (this.#isNothing(own) && this.#isNothing(live)) return;
    const known = this.#neutral.filter((it) => leadsTo(it.path, steps));
    if (known.some((it) => isAt(it.path, steps) && (it.values?.some((value) => same(value, live)) ?? true))) return;
    // Below something that is not rendered there may be members that are known to change nothing.
    const below = known.some((it) => it.path.length > steps.length);
    const ours = own === undefined && below && isRecord(live) ? (Array.isArray(live) ? [] : {}) : own;
    if (!isRecord(ours) || !isRecord(live) || Array.isArray(ours) !== Array.isArray(live)) {
      if (ours === live) return;
      yield ours === undefined
        ? `${path} is ${shown(live)}, which meshgate does not render`
        : `${path} is ${shown(live)}, and not ${shown(ours)}`;
      return;
    }
    const step = (key: string) => (Array.isArray(ours) ? `[${key}]` : path === '' ? key : `.${key}`);
    for (const key of new Set([...Object.keys(ours), ...Object.keys(live)])) {
      yield* this.at(memberOf(ours, key), memberOf(live, key), path + step(key), [...steps, key]);
    }
  }
}

/**
 * Where a live value parts from our own, the first place of each branch. It works by an allowlist: a member that is
 * neither rendered nor known to be neutral is one of them.
 */
export function partings(own: unknown, live: unknown, comparison: Comparison = {}): readonly string[] {
  return [...new Walk(comparison).at(own, live, comparison.path ?? '', [])];
}
