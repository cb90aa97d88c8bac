const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The object's own member of this name; undefined for an inherited member, such as `constructor`. */
const memberOf = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/** A member of a live object that is not compared, because it changes no decision, or because a reader turns it into
 * rules and these are compared. */
export interface Neutral {
  /** The names of members from the top. `*` matches any name, or any position in a list. */
  readonly path: readonly string[];
  /** Why the member changes no decision. */
  readonly why: string;
  /** The values that change no decision; absent: every value. */
  readonly values?: readonly unknown[];
  /** Set if a reader proves the member, so that its value is not compared. */
  readonly proved?: true;
}

/** The settings for comparing two values. */
export interface CompareOptions {
  /** The path of both values, for messages. */
  readonly path?: string;
  readonly neutral?: readonly Neutral[];
  /** Whether a value means the same as an absent value. */
  readonly isNothing?: (value: unknown) => boolean;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

interface At {
  readonly path: string;
  readonly depth: number;
  /** The neutral members at this path or below it. */
  readonly known: readonly Neutral[];
}

/** In each branch, the first difference between the rendered and the live value. Unknown members are differences. */
export function differences(own: unknown, live: unknown, comparison: CompareOptions = {}): readonly string[] {
  const { neutral = [], isNothing = (value: unknown) => value === undefined } = comparison;
  const found: string[] = [];
  const walk = (own: unknown, live: unknown, { path, depth, known }: At): void => {
    if (isNothing(own) && isNothing(live)) return;
    const here = known.filter((it) => it.path.length === depth);
    if (here.some(({ values }) => values?.some((value) => same(value, live)) ?? true)) return;
    // A member that meshgate does not render may contain members that are known to change nothing.
    const below = known.length > here.length;
    const ours = own === undefined && below && isRecord(live) ? (Array.isArray(live) ? [] : {}) : own;
    if (!isRecord(ours) || !isRecord(live) || Array.isArray(ours) !== Array.isArray(live)) {
      if (ours === live) return;
      found.push(
        ours === undefined
          ? `${path} is ${shown(live)}, which meshgate does not render`
          : `${path} is ${shown(live)}, and not ${shown(ours)}`,
      );
      return;
    }
    const step = (key: string) => (Array.isArray(ours) ? `[${key}]` : path === '' ? key : `.${key}`);
    for (const key of new Set([...Object.keys(ours), ...Object.keys(live)])) {
      const inside = known.filter((it) => it.path[depth] === '*' || it.path[depth] === key);
      walk(memberOf(ours, key), memberOf(live, key), { path: path + step(key), depth: depth + 1, known: inside });
    }
  };
  walk(own, live, { path: comparison.path ?? '', depth: 0, known: neutral });
  return found;
}

/** A value as a file contains it, without members that are undefined. */
export const asFile = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What a comparison of all objects of a mesh needs. */
export interface Comparing<Own, Live> {
  /** The kind and the name of an object, which together are unique. */
  readonly title: (object: Own | Live) => string;
  /** Members that change no decision, or that a reader proves. */
  readonly neutral: (object: Own) => readonly Neutral[];
  /** Whether an object is marked as rendered by meshgate. */
  readonly isManaged: (object: Live) => boolean;
  /** How an object that is not rendered changes decisions; undefined if it is known to change none. */
  readonly bearing: (object: Live) => string | undefined;
  readonly isNothing?: (value: unknown) => boolean;
  /** Whether a reader proves the whole object, so that it is not compared here. */
  readonly isRead?: (object: Live) => boolean;
  /** What the mesh does if an object is missing; undefined if the mesh then denies. */
  readonly without?: (object: Own) => string | undefined;
}

/** The title in lower case. No mesh has two objects whose names differ only in case. */
const folded = (title: string): string => title.toLowerCase();

function twice(titles: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const again = titles.filter((title) => seen.size === seen.add(folded(title)).size);
  return [...new Set(again)];
}

/** Returns the differences between live and rendered objects, one line each: objects that are missing or exist twice,
 * members that differ or are unknown, objects that are left over, and foreign objects that may change a decision. */
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
    ...twice(live.map(title)).map((it) => `${it}: it exists twice`),
    ...own.flatMap((object) => {
      const there = found.get(key(object));
      if (there === undefined) {
        const instead = without?.(object);
        return [`${title(object)}: it is missing${instead === undefined ? '' : `: without it ${instead}`}`];
      }
      const comparison = { neutral: neutral(object), ...(isNothing && { isNothing }) };
      return differences(asFile(object), asFile(there), comparison).map((text) => `${title(object)}: ${text}`);
    }),
    ...compared.flatMap((object) => {
      if (titles.has(key(object))) return [];
      if (isManaged(object)) return [`${title(object)}: meshgate does not render it; delete what is left over`];
      const why = bearing(object);
      return why === undefined ? [] : [`${title(object)}: ${why}`];
    }),
  ];
}
