import { type Neutral, partings } from './partings.ts';

/** Objects of a mesh as they are rendered, and as they are live. */
export interface Objects<Own, Live> {
  readonly own: readonly Own[];
  readonly live: readonly Live[];
}

/** What is to know of the objects of a mesh, so that all of them can be compared. */
export interface Knowledge<Own, Live> {
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

/** As a file has it: nothing that is undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

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
export function comparedWhole<Own extends object, Live extends object>(
  { own, live }: Objects<Own, Live>,
  {
    title,
    neutral,
    isManaged,
    bearing,
    isNothing,
    isRead = () => false,
    without = () => undefined,
  }: Knowledge<Own, Live>,
): readonly string[] {
  const key = (it: Own | Live): string => folded(title(it));
  const compared = live.filter((it) => !isRead(it));
  const found = new Map(compared.map((it) => [key(it), it]));
  const titles = new Set(own.map(key));
  return [
    ...twice(live.map(title)).map((it) => `${it}: it is there twice`),
    ...own.flatMap((object) => {
      const there = found.get(key(object));
      if (there === undefined) {
        const instead = without(object);
        return [`${title(object)}: it is not there${instead === undefined ? '' : `: without it ${instead}`}`];
      }
      const comparison = { neutral: neutral(object), ...(isNothing && { isNothing }) };
      return partings(plain(object), plain(there), comparison).map((text) => `${title(object)}: ${text}`);
    }),
    ...compared.flatMap((object) => {
      if (titles.has(key(object))) return [];
      if (isManaged(object)) return [`${title(object)}: the policy does not render it; it is left over`];
      const why = bearing(object);
      return why === undefined ? [] : [`${title(object)}: ${why}`];
    }),
  ];
}
