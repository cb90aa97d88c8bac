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
}

/** As a file has it: nothing that is undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function twice(titles: readonly string[]): readonly string[] {
  return [...new Set(titles.filter((title, index) => titles.indexOf(title) !== index))];
}

/**
 * How live objects differ from what the policy renders to, a line each: those that are not there or there twice, each
 * member that differs or that nobody knows, those that are left over, and those of others that may change an answer.
 */
export function comparedWhole<Own extends object, Live extends object>(
  { own, live }: Objects<Own, Live>,
  { title, neutral, isManaged, bearing, isNothing }: Knowledge<Own, Live>,
): readonly string[] {
  const found = new Map(live.map((it) => [title(it), it]));
  const titles = new Set(own.map(title));
  return [
    ...twice(live.map(title)).map((it) => `${it}: it is there twice`),
    ...own.flatMap((object) => {
      const there = found.get(title(object));
      if (there === undefined) return [`${title(object)}: it is not there`];
      const comparison = { neutral: neutral(object), ...(isNothing && { isNothing }) };
      return partings(plain(object), plain(there), comparison).map((text) => `${title(object)}: ${text}`);
    }),
    ...live.flatMap((object) => {
      if (titles.has(title(object))) return [];
      if (isManaged(object)) return [`${title(object)}: the policy does not render it; it is left over`];
      const why = bearing(object);
      return why === undefined ? [] : [`${title(object)}: ${why}`];
    }),
  ];
}
