import type { LogLine } from '../../audit/lines/line.ts';
import type { Outcome, Replayed, Unknown } from '../../audit/replay/replay-line.ts';
import { First } from '../../audit/verify/first.ts';
import { foreign } from '../../base/hostile-text.ts';
import type { DefinitionChange } from '../../rules/compare/parts.ts';
import type { Loaded } from '../common/load.ts';
import { type Place, placeText, requestJson, requestText } from '../common/log-lines.ts';
import { count, type Paint } from '../common/print.ts';
import { ruleText } from '../common/words.ts';

/** Maximum number of examples of one change. */
const MOST_EXAMPLES = 3;

/** Maximum number of invalid lines that are named. */
const MOST_INVALID = 20;

type Kind = Exclude<Replayed['kind'], 'same' | 'unknown'>;

/** The requests that change in the same way, by the same rules. */
export interface Group {
  readonly kind: Kind;
  readonly before: Outcome;
  readonly after: Outcome;
  count: number;
  readonly examples: { readonly place: Place; readonly line: LogLine }[];
}

/** The requests of which it is not known what happens to them, for the same reason. */
interface Unclear {
  readonly why: Unknown;
  readonly roles: readonly string[];
  count: number;
  readonly example: Place;
}

/** Lines with these reasons stay refused, unless the new policy accepts their credentials. */
const REFUSED_BEFORE: readonly Unknown[] = ['credential', 'nginx'];

/** A line that cannot be read. */
export interface Invalid {
  readonly at: string;
  readonly mistake: string;
}

/** What changes for the requests of a log. */
export class Changes {
  lines = 0;
  changed = 0;
  /** The number of requests that a rule decided, and of which it is not known what happens to them. */
  open = 0;
  first = '';
  last = '';
  readonly groups = new Map<string, Group>();
  readonly unclear = new Map<string, Unclear>();
  readonly invalid = new First<Invalid>();
  /** The number of requests that another policy than that of the replay decided, and the first of them. */
  readonly others = { count: 0, first: '' };
  /** The digest of the policy of the lines; absent: it is not known. */
  readonly old: string | undefined;
  /** The changed definitions that a replay does not evaluate. */
  readonly notEvaluated: readonly DefinitionChange[];

  constructor(old?: string, changed: readonly DefinitionChange[] = []) {
    this.old = old;
    this.notEvaluated = changed;
  }

  add({ file, number }: Place, line: LogLine, replayed: Replayed): void {
    const place = { file, number };
    this.lines += 1;
    if (this.first === '' || line.time < this.first) this.first = line.time;
    if (line.time > this.last) this.last = line.time;
    if (this.old !== undefined && line.policy !== this.old) {
      this.others.first ||= placeText(place);
      this.others.count += 1;
    }
    if (replayed.kind === 'same') return;
    if (replayed.kind === 'unknown') {
      this.#unknown(place, replayed.why, replayed.roles ?? []);
      return;
    }
    this.changed += 1;
    const { kind, before, after } = replayed;
    const key = JSON.stringify([kind, before, after]);
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { kind, before, after, count: 0, examples: [] };
      this.groups.set(key, group);
    }
    group.count += 1;
    if (group.examples.length < MOST_EXAMPLES) group.examples.push({ place, line });
  }

  #unknown(place: Place, why: Unknown, roles: readonly string[]): void {
    if (!REFUSED_BEFORE.includes(why)) this.open += 1;
    const key = `${why} ${roles.join()}`;
    const known = this.unclear.get(key);
    if (known === undefined) this.unclear.set(key, { why, roles, count: 1, example: place });
    else known.count += 1;
  }

  /** The groups of a kind, the largest first. */
  of(kind: Kind): readonly Group[] {
    return [...this.groups.values()].filter((it) => it.kind === kind).sort((a, b) => b.count - a.count);
  }
}

const KINDS = {
  denied: 'newly denied',
  allowed: 'newly allowed',
  moved: 'to another service or identity',
  headers: 'with other identity headers',
} as const satisfies Record<Kind, string>;

const WHY: Readonly<Record<Unknown, string>> = {
  credential: 'their credential was refused before any rule; they stay refused unless the new policy accepts it',
  nginx: 'nginx refused or answered them without the check; no line shows their caller',
  cut: 'a value was too long for the log',
  caller_long: 'the caller was too long for the log',
  roles: 'the lines do not show whether the caller has a role whose definition changed',
  alone: 'the lines do not say whether the agent was alone',
};

/** What lines of another policy than `--old` mean for a replay. */
export const OTHER_OLD = 'the roles in these lines can have another meaning';

/** Names a changed definition that a replay does not evaluate. */
export const notEvaluatedText = ({ section, name, key, before, after }: DefinitionChange): string =>
  `not evaluated: ${section === name ? '' : `${section} `}${name}${key === undefined ? '' : ` ${key}`}: ${foreign(before ?? 'none')} -> ${foreign(after ?? 'none')}`;

function outcomeText(outcome: Outcome): string {
  if (!outcome.allow) return `${outcome.reason}${outcome.rule === '' ? '' : `, nearest rule ${outcome.rule}`}`;
  const { rule, service, as } = outcome;
  return `${rule}${service === undefined ? '' : ` to ${service}`}${as === undefined || as === '' ? '' : ` as ${as}`}`;
}

/** Describes the rule of the new policy that decides a group. */
function byRule({ after }: Group, { rules }: Loaded): string {
  const rule = after.rule === '' ? undefined : rules.find(({ id }) => id === after.rule);
  return rule === undefined ? '' : ` (${ruleText(rule)})`;
}

/** Describes what changes for the requests of a log. */
export function changesText(changes: Changes, fresh: Loaded, paint: Paint): string {
  const out: string[] = [];
  for (const [kind, title] of Object.entries(KINDS) as [Kind, string][]) {
    const groups = changes.of(kind);
    const total = groups.reduce((sum, it) => sum + it.count, 0);
    if (total > 0) out.push(paint('strong', `${title}: ${count(total, 'request')}`));
    for (const group of groups) {
      out.push(`  ${count(group.count, 'request')}: ${foreign(outcomeText(group.before))}`);
      out.push(`    -> ${foreign(outcomeText(group.after))}${foreign(byRule(group, fresh))}`);
      for (const { place, line } of group.examples) out.push(`    ${placeText(place)}: ${foreign(requestText(line))}`);
    }
  }
  for (const { why, roles, count: number, example } of changes.unclear.values()) {
    const names = roles.length === 0 ? '' : `: ${roles.join(', ')}`;
    out.push(`not known for ${count(number, 'request')}, first ${placeText(example)}: ${WHY[why]}${names}`);
  }
  for (const change of changes.notEvaluated) out.push(notEvaluatedText(change));
  const { count: others, first } = changes.others;
  if (others > 0)
    out.push(`another policy than --old decided ${count(others, 'request')}, first ${first}: ${OTHER_OLD}`);
  for (const { at, mistake } of changes.invalid.kept.slice(0, MOST_INVALID)) out.push(`${at}: ${mistake}`);
  const more = changes.invalid.count - MOST_INVALID;
  if (more > 0) out.push(`and ${count(more, 'more line')} that cannot be read`);
  const when = changes.lines === 0 ? '' : ` from ${changes.first} to ${changes.last}`;
  out.push(
    `${count(changes.lines, 'request')}${when}: ${changes.changed === 0 ? 'nothing changes' : `${changes.changed} ${changes.changed === 1 ? 'changes' : 'change'}`}`,
  );
  return `${out.join('\n')}\n`;
}

/** Returns what the policy would do with one request, as a line of text; undefined if nothing changes. */
export function shadowText(line: LogLine, replayed: Replayed): string | undefined {
  if (replayed.kind === 'same') return undefined;
  const request = `${line.time} ${requestText(line)}`;
  if (replayed.kind === 'unknown')
    return REFUSED_BEFORE.includes(replayed.why) ? undefined : foreign(`not known: ${request}: ${WHY[replayed.why]}`);
  const { kind, before, after } = replayed;
  return foreign(
    `${KINDS[kind]}: ${request}: ${outcomeText(before)} -> ${outcomeText(after)}`,
    Number.POSITIVE_INFINITY,
  );
}

/** Returns the same as one line of JSON.
 * @param digest the digest of the policy that would decide */
export function shadowJson(line: LogLine, replayed: Replayed, digest: string): string | undefined {
  if (shadowText(line, replayed) === undefined) return undefined;
  const { time, id, method, host, path, roles, agent } = line;
  const request = { time, request_id: id, method, host, path, roles, ...(agent !== '' && { agent }) };
  return JSON.stringify({ ...request, 'meshgate.policy': line.policy, 'meshgate.shadow': digest, ...replayed });
}

/** Returns what changes as JSON. */
export const changesJson = (changes: Changes) => ({
  ...{ requests: changes.lines, first: changes.first, last: changes.last, changed: changes.changed },
  changes: [...changes.groups.values()].map(({ kind, before, after, count: number, examples }) => ({
    ...{ kind, requests: number, before, after },
    examples: examples.map(({ place, line }) => requestJson(place, line)),
  })),
  notKnown: [...changes.unclear.values()].map(({ why, roles, count: number, example }) => ({
    ...{ why, requests: number, first: placeText(example), roles: roles.length > 0 ? roles : undefined },
  })),
  notEvaluated: changes.notEvaluated.map(({ section, name, key, before, after }) => ({
    ...{ section, name, key, before, after },
  })),
  ofOtherPolicies: changes.others.count || undefined,
  invalid: changes.invalid.kept,
  moreInvalid: changes.invalid.more || undefined,
});
