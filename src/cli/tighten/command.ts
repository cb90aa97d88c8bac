import { Decider } from '../../audit/replay/decider.ts';
import { Usage } from '../../audit/replay/usage.ts';
import { printable } from '../../base/hostile-text.ts';
import { place } from '../../policy/index.ts';
import { policyDigest } from '../../rules/digest.ts';
import type { Rule } from '../../rules/types.ts';
import { argument, command, flag, formatFlag, NO, NOT_PROVEN, several, WrongUse, YES } from '../common/context.ts';
import { decoded, type LoadedFile, loadValid } from '../common/load.ts';
import { LOGS, logLines, placeText } from '../common/log-lines.ts';
import { count } from '../common/print.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import { runTests } from '../decide/policy-tests.ts';
import type { Runtime } from '../machine/runtime.ts';
import { replayLogs } from '../replay/command.ts';
import type { Changes } from '../replay/replayed.ts';
import { type Grant, Unused } from './grants.ts';
import { type Patch, patchOfAll } from './patch.ts';
import { type Proposal, propose } from './propose.ts';

const DAY_MS = 86_400_000;

/** A comment with this text, on the line of a rule or route or above it, keeps the rule or the route. */
const KEEP = 'meshgate:keep';

function parseDays(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error('write a number of days, such as 90');
  return Number(text);
}

/** Returns whether the owner keeps a rule: by a flag, or by a comment in the file. */
function keeperOf(
  runtime: Runtime,
  { policy }: LoadedFile,
  names: readonly string[],
): (rule: Pick<Rule, 'at' | 'route' | 'who'>) => boolean {
  const files = new Map<string, readonly string[]>();
  const routes = new Map(policy.hosts.flatMap((host) => host.routes.map((route) => [route.name, route])));
  const isMarked = ({ file, line }: Rule['at']): boolean => {
    const lines = files.get(file) ?? decoded(file, runtime.read(file)).split('\n');
    files.set(file, lines);
    const above = lines[line - 2] ?? '';
    return lines[line - 1]?.includes(KEEP) === true || (above.trim().startsWith('#') && above.includes(KEEP));
  };
  return ({ at, route, who }) => {
    const own = who.kind === 'role' ? who.role : who.kind === 'agent' ? who.agent : who.kind;
    if (names.includes(own) || names.includes(route)) return true;
    return [at, routes.get(route)?.at].some((it) => it !== undefined && it.profile === undefined && isMarked(it));
  };
}

interface Result {
  readonly usage: Usage;
  readonly days: number | undefined;
  readonly proposal: Proposal;
  readonly patch: Patch;
  /** The tests of the policy that fail after the change, and passed before. */
  readonly failing: readonly string[];
}

const dateText = (time: number): string => new Date(time).toISOString().slice(0, 10);

const lastText = ({ last }: Grant): string => (last === undefined ? 'never used' : `last used ${dateText(last)}`);

function resultText({ usage, days, proposal, patch, failing }: Result): string {
  const { removed, staying, definitions } = proposal;
  const since = days === undefined ? '' : `, of which the last ${count(days, 'day')} count`;
  const out = [`${count(usage.requests, 'request')} from ${dateText(usage.first)} to ${dateText(usage.last)}${since}`];
  for (const grant of removed) out.push(`remove ${place(grant.at)} ${grant.text}: ${lastText(grant)}`);
  for (const path of definitions) out.push(`remove ${path}: nothing uses it then`);
  for (const grant of staying)
    out.push(`leave ${place(grant.at)} ${grant.text}: ${lastText(grant)}, but ${grant.stays}`);
  for (const test of failing) out.push(`this test of the policy then fails: ${test}`);
  if (usage.denied > 0) out.push(`${count(usage.denied, 'request')} of another policy that this policy denies`);
  out.push(
    removed.length === 0
      ? 'nothing to remove'
      : `${count(removed.length, 'grant')} to remove; a replay of the log with the patch changes nothing`,
  );
  if (patch.fromRoot) out.push('to apply the patch, pass this output to: patch -p1 -d /');
  return `${out.join('\n')}\n${patch.text === '' ? '' : `\n${patch.text}`}`;
}

const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());

const grantJson = ({ kind, at, text, methods, last }: Grant) => ({ kind, at, text, methods, last: iso(last) });

const resultJson = ({ usage, days, proposal, patch, failing }: Result) => ({
  ...{ requests: usage.requests, first: iso(usage.first), last: iso(usage.last), days },
  remove: proposal.removed.map(grantJson),
  definitions: proposal.definitions,
  leave: proposal.staying.map((it) => ({ ...grantJson(it), why: it.stays })),
  ...{ failingTests: failing, deniedNow: usage.denied, patch: patch.text },
});

function failingTests(before: LoadedFile, after: LoadedFile, now: number): readonly string[] {
  const passed = new Set(runTests(before, now).flatMap((it) => (it.passed ? [it.index] : [])));
  return runTests(after, now).flatMap(({ test, index, passed: is }) =>
    !is && passed.has(index) ? [`${place(test.at)} tests[${index}]: ${test.method} ${test.url}`] : [],
  );
}

/** Throws if the replay does not show that nothing changes: the log has new lines, or the command makes a mistake. */
function requireSame({ groups, changed, invalid }: Changes): void {
  if (changed === 0 && invalid.count === 0) return;
  const [first] = groups.values();
  const example = first?.examples[0];
  throw new WrongUse(
    `the patch would change ${count(changed, 'logged request')}${example ? `, first ${placeText(example.place)}` : ''}: if the log grew meanwhile, run the command again; if not, please report this`,
  );
}

/** `meshgate tighten`: proposes a policy without the grants that no logged request used. */
export const tightenCommand = command({
  brief: 'Propose a policy without the grants that no logged request used',
  text: `Reads log files, and finds the rules, methods, routes and hosts of the policy that no request used. Prints when each was last used, and a patch of the policy file that removes them, with the definitions that nothing uses then. The patch keeps comments. The command replays the log with the patch, so that nothing logged changes. Rules that are rare by nature, such as break-glass access, stay with --keep, or with a comment # ${KEEP} on their line or the line above. A route stays if its paths would then belong to another route.`,
  exits: { 0: 'nothing to remove', 1: 'something to remove', 3: 'the policy has errors, or a line cannot be read' },
  examples: [
    'meshgate tighten --policy meshgate.yaml access.log.*.gz access.log',
    'meshgate tighten --days 90 --keep break-glass access.log > tighter.patch',
    'meshgate tighten --policy meshgate.yaml access.log | git apply',
  ],
  flags: {
    ...sourceFlags,
    days: flag('N', 'Only requests of the last N days of the log are uses (default: all)', parseDays),
    keep: several(flag('NAME', 'Keep the rules of this role, agent or route; repeat the flag to name several')),
    format: formatFlag,
  },
  args: [{ ...argument(...LOGS), several: true }],
  async run(runtime, { days, keep = [], format, ...flags }, ...logs) {
    if (logs.includes('-'))
      throw new WrongUse('tighten reads the log twice: write standard input to a file, and give its name');
    const source = sourceOf(runtime, undefined, flags);
    const loaded = loadValid(runtime, source);
    checkNames(loaded, keep);
    const usage = new Usage(new Decider(loaded), policyDigest(loaded.policy, loaded.rules));
    for await (const logged of logLines(runtime, logs)) {
      if ('line' in logged) usage.add(logged.line);
      else {
        runtime.err(`${placeText(logged)}: ${logged.mistake}\n`);
        return NOT_PROVEN;
      }
    }
    if (usage.requests === 0) {
      runtime.err('the log has no requests\n');
      return NOT_PROVEN;
    }
    const since = days === undefined ? Number.NEGATIVE_INFINITY : usage.last - days * DAY_MS;
    const unused = new Unused(loaded, usage, { since, keeps: keeperOf(runtime, loaded, keep) });
    const proposal = propose(runtime, source, unused.all());
    if (proposal.removed.length > 0) requireSame(await replayLogs(runtime, proposal.loaded, loaded, logs, since));
    const patch = patchOfAll(runtime, proposal.files);
    const failing = failingTests(loaded, proposal.loaded, runtime.now());
    const result = { usage, days, proposal, patch, failing };
    const isEscaped = format === 'text' && printable(patch.text, false) !== patch.text;
    return {
      code: proposal.removed.length === 0 ? YES : NO,
      value: resultJson(result),
      text: () => resultText(result),
      notes: isEscaped
        ? ['the patch has escapes in place of control characters: to apply it, take "patch" of --format json']
        : [],
    };
  },
});

/** Rejects a name of `--keep` that no rule has, because the rule that was meant could be removed. */
function checkNames({ policy, rules }: LoadedFile, keep: readonly string[]): void {
  const routes = policy.hosts.flatMap((host) => host.routes.map(({ name }) => name));
  const names = rules.map(({ who }) => (who.kind === 'role' ? who.role : who.kind === 'agent' ? who.agent : who.kind));
  const unknown = keep.find((name) => !routes.includes(name) && !names.includes(name));
  if (unknown !== undefined)
    throw new WrongUse(`--keep ${unknown}: no rule has this role or agent, and no route this name`);
}
