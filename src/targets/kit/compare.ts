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
export function differences(own: unknown, live: unknown, comparison: Comparison = {}): readonly string[] {
  return [...new Walk(comparison).at(own, live, comparison.path ?? '', [])];
}

/** A value as a file has it: without members that are undefined. */
export const asFile = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What is to know of the objects of a mesh, so that all of them can be compared. */
export interface Comparing<Own, Live> {
  /** Kind and name; no two objects share it. */
  readonly title: (object: Own | Live) => string;
  /** Members that change no answer, or that a reader proves. */
  readonly neutral: (object: Own) => readonly Neutral[];
  /** Whether an object says of itself that meshgate rendered it. */
  readonly isManaged: (object: Live) => boolean;
  /** How an object that is not rendered changes the answers of those that are; undefined: it is known not to. */
  readonly bearing: (object: Live) => string | undefined;
  readonly isNothing?: (value: unknown) => boolean;
  /** A reader proves the whole of it, so that it is not compared. */
  readonly isRead?: (object: Live) => boolean;
  /** What the mesh does where an object is not there; undefined: it refuses. */
  readonly without?: (object: Own) => string | undefined;
}

/** No mesh has two objects whose names differ in their case alone. */
const folded = (title: string): string => title.toLowerCase();

function twice(titles: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const again = titles.filter((title) => seen.size === seen.add(folded(title)).size);
  return [...new Set(again)];
}

/**
 * How live objects differ from what the policy renders to, a line each: those that are not there or there twice, each
 * member that differs or that nobody knows, those that are left over, and those of others that may change an answer.
 */
export function objectDifferences<Own extends object, Live extends object>(
  own: readonly Own[],
  live: readonly Live[],
  comparing: Comparing<Own, Live>,
): readonly string[] {
  const { title, neutral, isManaged, bearing, isNothing, isRead, without } = comparing;
  const key = (it: Own | Live): string => folded(title(it));
  const compared = live.filter((it) => !isRead?.(it));
  const found = new Map(compared.map((it) => [key(it), it]));
  const titles = new Set(own.map(key));
  return [
    ...twice(live.map(title)).map((it) => `${it}: it is there twice`),
    ...own.flatMap((object) => {
      const there = found.get(key(object));
      if (there === undefined) {
        const instead = without?.(object);
        return [`${title(object)}: it is not there${instead === undefined ? '' : `: without it ${instead}`}`];
      }
      const comparison = { neutral: neutral(object), ...(isNothing && { isNothing }) };
      return differences(asFile(object), asFile(there), comparison).map((text) => `${title(object)}: ${text}`);
    }),
    ...compared.flatMap((object) => {
      if (titles.has(key(object))) return [];
      if (isManaged(object)) return [`${title(object)}: the policy does not render it; it is left over`];
      const why = bearing(object);
      return why === undefined ? [] : [`${title(object)}: ${why}`];
    }),
  ];
}
