import type { Compared, LineFinding } from '../audit/compare.ts';
import { base64 } from '../audit/malformed.ts';
import type { LogFinding, VerifiedLog } from '../audit/verify.ts';
import { foreign } from './foreign.ts';
import { count } from './load.ts';
import type { Runtime } from './runtime.ts';
import { painter } from './style.ts';

/** The result of `audit verify`. */
export interface Verified {
  readonly log: VerifiedLog;
  /** Absent if only the folder was verified. */
  readonly compared?: Compared;
}

export const findingsOf = ({ log, compared }: Verified): readonly (LogFinding | LineFinding)[] => [
  ...log.findings,
  ...(compared?.findings ?? []),
];

/** Maximum number of findings that are printed, and that the JSON has. */
const MOST_PRINTED = 100;
const MOST_IN_JSON = 1000;

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

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
      return `${at}: altered: it is not entry ${entry} as it was sealed${request}`;
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

/** Returns the result of `audit verify` for people. */
export function verifiedText(runtime: Runtime, verified: Verified): string {
  const { log, compared } = verified;
  const paint = painter(runtime);
  const findings = findingsOf(verified);
  const { origin, size } = log.checkpoint;
  const lines =
    compared === undefined ? '' : `; ${compared.sealed} of ${count(compared.lines, 'line')} are as they were sealed`;
  const out = findings.slice(0, MOST_PRINTED).map((finding) => `${paint('bad', 'no')} ${findingText(finding)}`);
  const more = Math.max(0, findings.length - MOST_PRINTED) + (compared?.more ?? 0);
  if (more > 0) out.push(`   and ${more} more (--format json has up to ${MOST_IN_JSON})`);
  out.push(
    `${findings.length === 0 ? paint('good', 'yes') : paint('bad', 'no')}: ${foreign(origin)} has ${size} sealed ${size === 1 ? 'entry' : 'entries'}${lines}`,
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
      `at the ends of this part: ${count(compared.beside, 'sealed line')} can be in the file before or after it; give that file, too`,
    );
  if (log.keys > 1) out.push(`keys: ${log.keys}, each named by the one before`);
  for (const { witness, size, time } of log.cosigned)
    out.push(`witness ${foreign(witness)}: saw ${size} entries at ${isoTime(time)}`);
  for (const { entry, event, time } of log.events.filter(({ event }) => event !== 'started'))
    out.push(`event at entry ${entry}: ${foreign(event)}, ${foreign(time)}`);
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
    ...(compared && {
      lines: compared.lines,
      sealed: compared.sealed,
      unsealed: compared.unsealed ?? null,
      late: compared.late,
      beside: compared.beside,
    }),
    cosigned: log.cosigned,
    events: log.events,
    findings: findings.slice(0, MOST_IN_JSON),
    more: Math.max(0, findings.length - MOST_IN_JSON) + (compared?.more ?? 0),
  };
}
