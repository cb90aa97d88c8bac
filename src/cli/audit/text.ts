import { isoTime } from '../../audit/log/clocks.ts';
import { base64 } from '../../audit/log/malformed.ts';
import { formatVkey } from '../../audit/log/note.ts';
import type { Compared, LineFinding } from '../../audit/verify/compare-files.ts';
import type { LogFinding, VerifiedLog } from '../../audit/verify/verify-log.ts';
import { foreign } from '../../base/hostile-text.ts';
import { count, type Paint } from '../common/print.ts';

/** The result of `audit verify`. */
export interface Verified {
  readonly log: VerifiedLog;
  /** Absent if only the folder was verified. */
  readonly compared?: Compared;
  /** Whether the given key is not the first one of the folder, which may be the cause of the findings. */
  readonly isOtherKey: boolean;
  /** Files that were compared although they were not given, because they were rotated just before. */
  readonly meanwhile: readonly string[];
  /** Files that may have lines which are missing in the given ones. */
  readonly notGiven: readonly string[];
}

export const findingsOf = ({ log, compared }: Verified): readonly (LogFinding | LineFinding)[] => [
  ...log.findings,
  ...(compared?.findings ?? []),
];

/** Maximum number of findings that are printed, and that the JSON has. */
const MOST_PRINTED = 100;
const MOST_IN_JSON = 1000;

const entries = (number: number, kind = ''): string => `${number} ${kind}${number === 1 ? 'entry' : 'entries'}`;

/** Maximum number of keys that are named. */
const MOST_KEYS = 5;

/** Maximum number of changed fields that are printed for a line, and of entries that are missing at one place. */
const MOST_FIELDS = 3;
const MOST_MISSING = 3;

function changedText({ changed = [] }: LineFinding): string {
  const shown = (value: unknown) => (value === undefined ? 'missing' : foreign(JSON.stringify(value), 80));
  const texts = changed.map((it) => `${foreign(it.field, 80)} is ${shown(it.found)} and not ${shown(it.sealed)}`);
  return texts.length === 0 || texts.length > MOST_FIELDS ? '' : `: ${texts.join(', ')}`;
}

function requestText({ id, time }: LineFinding): string {
  const parts = [
    id === undefined ? undefined : `request ${foreign(id)}`,
    time === undefined ? undefined : foreign(time),
  ];
  const text = parts.filter((part) => part !== undefined).join(', ');
  return text === '' ? '' : ` (${text})`;
}

/** What happened to a line, in words. */
function lineText(finding: LineFinding): string {
  const { kind, entry, file, line } = finding;
  const [at, request] = [`${foreign(file)}:${line}`, requestText(finding)];
  switch (kind) {
    case 'removed':
      return `${at}: removed before this line: entry ${entry}${request}`;
    case 'altered':
      return `${at}: altered: it is not entry ${entry} as it was sealed${changedText(finding)}${request}`;
    case 'added':
      return `${at}: added: it was never sealed${request}`;
    case 'moved':
      return `${at}: moved: it was sealed as entry ${entry}${request}`;
    case 'repeated':
      return `${at}: repeated: entry ${entry} is in the files already${request}`;
    case 'cut off':
      return `${at}: cut off: entry ${entry} is missing at the end${request}`;
    case 'not sealed':
      return `${at}: not sealed, although newer lines are there${request}`;
  }
}

function logText({ kind, file, entry, problem }: LogFinding): string {
  const prefix = kind === 'rollback' || kind === 'fork' ? `${kind}: ` : kind === 'entry' ? `entry ${entry}: ` : '';
  return `${foreign(file)}: ${prefix}${foreign(problem)}`;
}

const findingText = (finding: LogFinding | LineFinding): string =>
  'line' in finding ? lineText(finding) : logText(finding);

const isMissing = (finding: LogFinding | LineFinding | undefined): finding is LineFinding =>
  finding?.kind === 'removed' || finding?.kind === 'cut off';

/** Returns the findings in words. Many entries that are missing at one place are one text. */
function findingTexts(findings: readonly (LogFinding | LineFinding)[]): readonly string[] {
  const texts: string[] = [];
  for (let start = 0, end = 0; start < findings.length; start = end) {
    const first = findings[start] as LogFinding | LineFinding;
    const isSame = (other: LogFinding | LineFinding | undefined): boolean =>
      isMissing(first) && isMissing(other) && other.file === first.file && other.line === first.line;
    end = start + 1;
    while (isSame(findings[end])) end++;
    if (!isMissing(first) || end - start <= MOST_MISSING) {
      texts.push(...findings.slice(start, end).map(findingText));
      continue;
    }
    const last = findings[end - 1] as LineFinding;
    const what = first.kind === 'removed' ? 'removed before this line' : 'cut off at the end';
    const entry = (one: LineFinding) => `${one.entry}${requestText(one)}`;
    texts.push(
      `${foreign(first.file)}:${first.line}: ${what}: ${end - start} lines, entry ${entry(first)} to entry ${entry(last)}`,
    );
  }
  return texts;
}

/** Returns the result of `audit verify` for people. */
export function verifiedText(verified: Verified, paint: Paint): string {
  const { log, compared } = verified;
  const findings = findingsOf(verified);
  const { origin, size } = log.checkpoint;
  const asSealed = compared?.lines === 1 ? 'is as it was sealed' : 'are as they were sealed';
  const lines =
    compared === undefined
      ? '; no file was compared with them'
      : `; ${compared.sealed} of ${count(compared.lines, 'line')} ${asSealed}`;
  const texts = findingTexts(findings);
  const out = texts.slice(0, MOST_PRINTED).map((text) => `${paint('bad', 'no')} ${text}`);
  const more = Math.max(0, texts.length - MOST_PRINTED) + (compared?.more ?? 0);
  if (more > 0) out.push(`   and ${more} more (--format json has up to ${MOST_IN_JSON})`);
  out.push(
    `${findings.length === 0 ? paint('good', 'yes') : paint('bad', 'no')}: ${foreign(origin)} has ${entries(size, 'sealed ')}${lines}`,
  );
  const { unsealed } = compared ?? {};
  if (unsealed !== undefined)
    out.push(
      `not sealed yet: ${count(unsealed.count, 'line')} from ${foreign(unsealed.file)}:${unsealed.line}; nothing is proven about them`,
    );
  if (compared !== undefined && compared.late > 0)
    out.push(
      `at rotations: ${count(compared.late, 'line')} sealed in turns with lines of another file; their order among the files is not proven`,
    );
  if (compared !== undefined && compared.beside > 0)
    out.push(
      `at the ends of this part: ${count(compared.beside, 'sealed line')} can be in the file before or after it, or were removed (entry ${compared.besideEntries.join(', ')}${compared.beside > compared.besideEntries.length ? ', …' : ''}); give that file, too`,
    );
  if (verified.isOtherKey)
    out.push(
      'the key that you gave is not the one in keys/first: if it is a later key of the log, give the first one; otherwise this folder is not the log of your key',
    );
  const list = (files: readonly string[]) => files.map((file) => foreign(file)).join(', ');
  if (verified.meanwhile.length > 0)
    out.push(`also compared, because the log was rotated just before: ${list(verified.meanwhile)}`);
  const gone = compared?.findings[0];
  if (verified.notGiven.length > 0)
    out.push(`not given: ${list(verified.notGiven)}; they may have lines that are missing: give them, too`);
  else if (gone?.kind === 'removed' && gone.line === 1)
    out.push('the beginning is missing: if a rotation has removed the earlier files, add --part');
  if (log.foreign > 0)
    out.push(
      `${count(log.foreign, 'sealed line')} that nginx did not write: audit redecide names ${log.foreign === 1 ? 'it' : 'them'}`,
    );
  for (const { number, from, to } of log.longKeys.slice(0, MOST_KEYS))
    out.push(
      `key ${number}: signed lines from ${isoTime(from)} to ${isoTime(to)}, and no cosignature was verified: its thief can rewrite them. Give the key of a witness with --witness if the log has one`,
    );
  if (log.longKeys.length > MOST_KEYS)
    out.push(`and ${count(log.longKeys.length - MOST_KEYS, 'more key')} of this kind (--format json has all)`);
  for (const { file, size } of log.continued)
    out.push(`checkpoint ${foreign(file)}: the log begins with its ${entries(size)}`);
  if (log.keys > 1)
    out.push(`keys: ${log.keys}, each named by the one before; the newest is ${formatVkey(log.newestKey)}`);
  for (const { witness, size, time } of log.cosigned)
    out.push(`witness ${foreign(witness)}: saw ${size} entries at ${isoTime(time)}`);
  for (const { entry, event, time } of log.events.filter(({ event }) => event !== 'started'))
    out.push(`event at entry ${entry}: ${foreign(event)}, ${foreign(time)}`);
  if (log.moreEvents > 0) out.push(`and ${count(log.moreEvents, 'more event')} of the sealer`);
  return `${out.join('\n')}\n`;
}

/** Returns the result of `audit verify` for machines. */
export function verifiedJson(verified: Verified) {
  const { log, compared } = verified;
  const findings = findingsOf(verified);
  return {
    valid: findings.length === 0,
    origin: log.checkpoint.origin,
    size: log.checkpoint.size,
    root: base64(log.checkpoint.root),
    keys: log.keys,
    newestKey: formatVkey(log.newestKey),
    ...(compared && {
      lines: compared.lines,
      sealed: compared.sealed,
      unsealed: compared.unsealed ?? null,
      late: compared.late,
      beside: compared.beside,
      besideEntries: compared.besideEntries,
    }),
    cosigned: log.cosigned,
    continued: log.continued,
    events: log.events,
    moreEvents: log.moreEvents || undefined,
    foreign: log.foreign,
    longKeys: log.longKeys,
    findings: findings.slice(0, MOST_IN_JSON),
    more: Math.max(0, findings.length - MOST_IN_JSON) + (compared?.more ?? 0),
  };
}
