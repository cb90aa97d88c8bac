import {
  checkpointOf,
  type Folder,
  randomFrom,
  requestLines,
  type SealedLog,
  seal,
  sealedLog,
  tilesOf,
} from './sealed-log.ts';

/* Tamperings with a sealed log. Each says what must be found: it knows what it did, and asks no code under test. */

/** A finding that must be there. Fields that are absent may have any value. */
export interface Wanted {
  readonly kind: string | readonly string[];
  readonly line?: number;
  readonly entry?: number;
  readonly file?: string;
}

export interface Tampering {
  readonly name: string;
  readonly lines: readonly string[];
  readonly folder: Folder;
  readonly kept?: string;
  /** One of these must be found; empty: only lines that are not sealed yet were changed, and the result is yes. */
  readonly wanted: readonly Wanted[];
  /** The number of lines that must be reported as not sealed yet. */
  readonly unsealed?: number;
}

/** Entries of the log, the first of which is an event. */
const BEFORE = 1;

export const SEALED = 298;
export const UNSEALED = 2;

export const log: SealedLog = sealedLog('tampered', SEALED + UNSEALED, { unsealed: UNSEALED });
/** The same with two changes of the key. Its key leaves are among the entries. */
export const evolved: SealedLog = sealedLog('evolved', SEALED + UNSEALED, { unsealed: UNSEALED, changes: [100, 200] });
const other = sealedLog('other', SEALED + UNSEALED, { unsealed: UNSEALED });

interface Draw {
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
}

type Tamper = (draw: Draw) => Tampering;

const entryOf = (line: number): number => line + BEFORE;
const text = (lines: readonly string[]): string => lines.join('\n');

/** The lines with another list in place of some. */
const spliced = (at: number, removed: number, ...added: readonly string[]): string[] => {
  const lines = [...log.lines];
  lines.splice(at, removed, ...added);
  return lines;
};

const of = (
  name: string,
  lines: readonly string[],
  wanted: readonly Wanted[],
  more: Partial<Tampering> = {},
): Tampering => ({
  name,
  lines,
  folder: log.folder,
  wanted,
  ...more,
});

const remove: Tamper = ({ below }) => {
  const at = below(log.lines.length);
  const lines = spliced(at, 1);
  if (at >= SEALED) return of('remove', lines, [], { unsealed: UNSEALED - 1 });
  return of(
    'remove',
    lines,
    [
      { kind: 'removed', line: at + 1, entry: entryOf(at) },
      { kind: 'cut off', entry: entryOf(at) },
    ],
    {
      unsealed: UNSEALED,
    },
  );
};

/** Changes one character of a line, not in its time. */
const alter: Tamper = ({ below }) => {
  const at = below(log.lines.length);
  const line = log.lines[at]!;
  const place = 40 + below(line.length - 40);
  const changed = `${line.slice(0, place)}${line[place] === 'q' ? 'z' : 'q'}${line.slice(place + 1)}`;
  const lines = spliced(at, 1, changed);
  if (at >= SEALED) return of('alter', lines, [], { unsealed: UNSEALED });
  return of('alter', lines, [{ kind: 'altered', line: at + 1, entry: entryOf(at) }], { unsealed: UNSEALED });
};

const swap: Tamper = ({ below }) => {
  const one = below(SEALED - 1);
  const second = one + 1 + below(SEALED - one - 1);
  const lines = [...log.lines];
  [lines[one], lines[second]] = [lines[second]!, lines[one]!];
  const wanted = [
    { kind: 'moved', line: one + 1, entry: entryOf(second) },
    { kind: 'moved', line: second + 1, entry: entryOf(one) },
  ];
  return of('swap', lines, wanted, { unsealed: UNSEALED });
};

/** Swaps a sealed line with one that is not sealed. */
const swapUnsealed: Tamper = ({ below }) => {
  const one = below(SEALED);
  const second = SEALED + below(UNSEALED);
  const lines = [...log.lines];
  [lines[one], lines[second]] = [lines[second]!, lines[one]!];
  return of('swap with a line that is not sealed', lines, [{ kind: 'added', line: one + 1 }]);
};

/** Cuts the file off, in the middle of a line or after it. */
const truncate: Tamper = ({ below }) => {
  const entire = text(log.lines);
  const kept = entire.slice(0, 1 + below(entire.length - 1));
  const lines = kept.replace(/\n$/, '').split('\n');
  const last = lines.length - 1;
  const isComplete = lines[last] === log.lines[last];
  if (last >= SEALED) return of('truncate', lines, [], { unsealed: lines.length - SEALED });
  const wanted = isComplete
    ? { kind: 'cut off', entry: entryOf(last + 1) }
    : { kind: 'altered', line: last + 1, entry: entryOf(last) };
  return isComplete && lines.length === SEALED ? of('truncate', lines, []) : of('truncate', lines, [wanted]);
};

const duplicate: Tamper = ({ below }) => {
  const [from, to] = [below(SEALED), below(SEALED)];
  const lines = spliced(to, 0, log.lines[from]!);
  const copy = to + 1;
  // Next to each other, the two are equal, and either can be the copy.
  const wanted = [copy, from === to || from + 1 === to ? copy - 1 : copy, from === to ? copy + 1 : copy];
  return of(
    'duplicate',
    lines,
    wanted.map((line) => ({ kind: 'repeated', line, entry: entryOf(from) })),
    { unsealed: UNSEALED },
  );
};

/** Puts lines of another log between the lines. */
const splice: Tamper = ({ below }) => {
  const [at, from, count] = [below(SEALED), below(SEALED - 20), 1 + below(20)];
  const lines = spliced(at, 0, ...other.lines.slice(from, from + count));
  return of('splice in', lines, [{ kind: 'added', line: at + 1 + below(count) }], { unsealed: UNSEALED });
};

/** Replaces lines by those of another log. */
const replace: Tamper = ({ below }) => {
  const [at, from, count] = [below(SEALED - 20), below(SEALED - 20), 1 + below(20)];
  const lines = spliced(at, count, ...other.lines.slice(from, from + count));
  return of('splice over', lines, [{ kind: ['altered', 'removed'], entry: entryOf(at + below(count)) }], {
    unsealed: UNSEALED,
  });
};

/** Goes on with the lines of another log. */
const join: Tamper = ({ below }) => {
  const at = 1 + below(SEALED - 1);
  const lines = [...log.lines.slice(0, at), ...other.lines.slice(at)];
  return of('splice two logs', lines, [{ kind: ['altered', 'removed', 'cut off'], entry: entryOf(at) }]);
};

/** Takes a file of the folder from another log, which has the same names. */
const foreignFile: Tamper = ({ below }) => {
  const names = Object.keys(log.folder).filter((name) => name.startsWith('tile/'));
  const name = names[below(names.length)]!;
  const folder = { ...log.folder, [name]: other.folder[name]! };
  return of('splice two folders', log.lines, [{ kind: ['tile', 'entry'], file: name }], { folder, unsealed: UNSEALED });
};

/** Changes one byte of a file of the folder. */
const flip: Tamper = ({ below }) => {
  const source = below(2) === 0 ? log : evolved;
  const names = Object.keys(source.folder).filter((name) => name !== 'keys/first');
  const name = names[below(names.length)]!;
  const bytes = Buffer.from(source.folder[name]!);
  const at = below(bytes.length);
  bytes[at] = bytes[at]! ^ (1 << below(8));
  const kind = name.startsWith('tile/entries/')
    ? ['tile', 'entry']
    : name.startsWith('tile/')
      ? 'tile'
      : name.startsWith('keys/')
        ? 'key'
        : 'checkpoint';
  return {
    name: `change a byte of ${name}`,
    lines: source.lines,
    folder: { ...source.folder, [name]: bytes },
    wanted: [{ kind, file: name }],
  };
};

/** Removes a file of the folder. */
const removeFile: Tamper = ({ below }) => {
  const names = Object.keys(evolved.folder).filter((name) => name.startsWith('tile/') || /^keys\/\d/.test(name));
  const name = names[below(names.length)]!;
  const { [name]: _, ...folder } = evolved.folder;
  const kind = name.startsWith('tile/') ? 'tile' : 'checkpoint';
  const file = name.startsWith('tile/') ? name : 'checkpoint';
  return { name: `remove ${name}`, lines: evolved.lines, folder, wanted: [{ kind, file }] };
};

/** Puts back an older state of the folder, and keeps the lines. */
const rollBack: Tamper = ({ below }) => {
  const sealed = below(SEALED);
  const { folder } = seal(log.lines.slice(0, sealed), log.keys);
  const kept = checkpointOf(log.entries, log.keys);
  if (below(2) === 0) return of('roll back', log.lines, [{ kind: 'rollback', file: '/kept' }], { folder, kept });
  // Lines of the last two seconds may not be sealed: the two that never were, and two before them.
  const isLate = sealed < SEALED - 2;
  const wanted = isLate ? [{ kind: 'not sealed', line: sealed + 1 }] : [];
  return of(
    'roll back without a kept checkpoint',
    log.lines,
    wanted,
    isLate ? { folder } : { folder, unsealed: SEALED + UNSEALED - sealed },
  );
};

/** Signs another history with the log's own key, and changes the lines in the same way. */
const fork: Tamper = ({ below }) => {
  const at = below(SEALED);
  const changed = log.lines[at]!.replace('okta-ben', 'okta-ada');
  const lines = spliced(at, 1, changed);
  const { folder } = seal(lines.slice(0, SEALED), log.keys);
  const size = entryOf(at) + 1 + below(SEALED - at);
  const kept = checkpointOf(log.entries.slice(0, size), log.keys);
  return of('fork', lines, [{ kind: 'fork', file: '/kept' }], { folder, kept });
};

/** The owner of the newest key rewrites what an earlier key has signed. */
const rewrite: Tamper = ({ below }) => {
  const at = 1 + below(200);
  const entries = [...evolved.entries];
  if (entries[at]!.startsWith('{"meshgate.leaf"')) entries[at] = requestLines('planted', 1)[0]!;
  else entries[at] = entries[at]!.replace('okta-ben', 'okta-ada');
  const checkpoint = Buffer.from(checkpointOf(entries, [evolved.keys[2]!]));
  const folder = { ...evolved.folder, ...tilesOf(entries), checkpoint };
  const lines = [...entries.filter((entry) => entry.startsWith('{"time"')), ...evolved.lines.slice(SEALED)];
  return { name: 'rewrite before the key', lines, folder, wanted: [{ kind: 'key' }, { kind: 'fork' }] };
};

const TAMPERS = [
  remove,
  alter,
  swap,
  swapUnsealed,
  truncate,
  duplicate,
  splice,
  replace,
  join,
  foreignFile,
  flip,
  removeFile,
  rollBack,
  fork,
  rewrite,
];

/** Returns the tampering of a seed. The kinds take turns. */
export function tampering(seed: string, number: number): Tampering {
  const random = randomFrom(`${seed} ${number}`);
  return TAMPERS[number % TAMPERS.length]!({ below: (end) => Math.floor(random() * end) });
}
