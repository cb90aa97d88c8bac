/** Maximum number of missing entries in one place, among which altered lines are looked for by their id; and maximum
 * number of them that one line is compared with. */
const MAX_MISSING = 10_000;
const MAX_COMPARED = 16;

/** What names the request of a line. */
interface RequestNames {
  readonly id?: string;
  readonly time?: string;
}

/** Returns the texts of a line that name its request. */
export function requestOf(line: Uint8Array | undefined): RequestNames {
  const text = line === undefined ? '' : Buffer.from(line).toString();
  const [, id] = /"request_id":"([^"]{1,200})"/.exec(text) ?? [];
  const [, time] = /"time":"([^"]{1,40})"/.exec(text) ?? [];
  return { ...(id !== undefined && { id }), ...(time !== undefined && { time }) };
}

/** Whether one line can be the other with a change: at least half of it is equal at the beginning and the end. */
function isLike(one: Uint8Array, other: Uint8Array): boolean {
  const [shorter, longer] = [Math.min(one.length, other.length), Math.max(one.length, other.length)];
  let start = 0;
  while (start < shorter && one[start] === other[start]) start++;
  let end = 0;
  while (end < shorter - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
  return start === shorter || 2 * (start + end) >= longer;
}

interface Unmatched {
  /** Sealed entries that are not in the files. */
  readonly missing: readonly number[];
  /** Lines that were never sealed, by their number in all files. */
  readonly unknown: readonly number[];
  readonly lineAt: (at: number) => Uint8Array | undefined;
  readonly entryAt: (index: number) => Uint8Array | undefined;
  /** Does not compare the texts of lines with different ids. */
  readonly byIdOnly: boolean;
}

/** Finds the lines that are an altered entry: they have its id, or most of its text. */
export function findAltered({ missing, unknown, lineAt, entryAt, byIdOnly }: Unmatched) {
  const open = new Map(
    missing.slice(0, unknown.length === 0 ? 0 : MAX_MISSING).map((index) => [index, entryAt(index)]),
  );
  const byId = new Map([...open].map(([index, entry]) => [requestOf(entry).id, index]));
  byId.delete(undefined);
  const altered = new Map<number, number>();
  const found = new Set<number>();
  const pair = (at: number, index: number): void => {
    open.delete(index);
    altered.set(at, index);
    found.add(index);
  };
  for (const at of unknown) {
    const index = byId.get(requestOf(lineAt(at)).id);
    if (index !== undefined && open.has(index)) pair(at, index);
  }
  for (const at of byIdOnly ? [] : unknown) {
    const line = lineAt(at);
    if (open.size === 0 || altered.has(at) || line === undefined) continue;
    const next = open.entries();
    for (let tried = 0; tried < MAX_COMPARED; tried++) {
      const { value, done } = next.next();
      if (done === true) break;
      const [index, entry] = value;
      if (entry === undefined || !isLike(entry, line)) continue;
      pair(at, index);
      break;
    }
  }
  return {
    altered: [...altered].map(([at, entry]) => ({ at, entry })),
    removed: missing.filter((index) => !found.has(index)),
    added: unknown.filter((at) => !altered.has(at)),
  };
}
