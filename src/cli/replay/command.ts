import { notEvaluated } from '../../audit/replay/changed-roles.ts';
import { Decider } from '../../audit/replay/decider.ts';
import { Replay } from '../../audit/replay/replay-line.ts';
import type { Ruled } from '../../rules/decide/at-ingress.ts';
import { policyDigest } from '../../rules/digest.ts';
import { argument, command, flag, formatFlag, NO, NOT_PROVEN, toggle, WrongUse, YES } from '../common/context.ts';
import { type Loaded, loadAll, loadValid } from '../common/load.ts';
import { followLines, LOGS, logLines, placeText } from '../common/log-lines.ts';
import type { Format } from '../common/print.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';
import { type Digested, loadAny } from './compiled-policies.ts';
import { Changes, changesJson, changesText, notEvaluatedText, OTHER_OLD, shadowJson, shadowText } from './replayed.ts';

/** Replays log files by a policy.
 * @param old the policy of the lines, if it is known
 * @param since the time of the first requests that count, in milliseconds since the epoch; default: all count */
export async function replayLogs(
  runtime: Runtime,
  fresh: Loaded,
  old: (Ruled & Partial<Digested>) | undefined,
  logs: readonly string[],
  since = Number.NEGATIVE_INFINITY,
): Promise<Changes> {
  const replay = new Replay(new Decider(fresh), old && new Decider(old));
  const changes = new Changes(old?.digest, old && notEvaluated(old, fresh));
  for await (const logged of logLines(runtime, logs)) {
    if ('mistake' in logged) changes.invalid.add(() => ({ at: placeText(logged), mistake: logged.mistake }));
    else if (Date.parse(logged.line.time) >= since) changes.add(logged, logged.line, replay.of(logged.line));
  }
  return changes;
}

/** Prints each new request that a candidate policy would decide differently, as soon as it is logged. */
async function follow(
  runtime: Runtime,
  fresh: Loaded,
  old: Digested | undefined,
  format: Format,
  logs: readonly string[],
): Promise<number> {
  const [file = '', ...others] = logs;
  if (others.length > 0) throw new WrongUse('--follow reads one log');
  const replay = new Replay(new Decider(fresh), old && new Decider(old));
  const digest = policyDigest(fresh.policy, fresh.rules);
  const known = old && new Set([old.digest]);
  for (const change of old === undefined ? [] : notEvaluated(old, fresh)) runtime.err(`${notEvaluatedText(change)}\n`);
  for await (const logged of followLines(runtime, file)) {
    if ('mistake' in logged) {
      runtime.err(`${placeText(logged)}: ${logged.mistake}\n`);
      continue;
    }
    if (known?.has(logged.line.policy) === false) {
      known.add(logged.line.policy);
      runtime.err(`${placeText(logged)}: another policy than --old decided this request: ${OTHER_OLD}\n`);
    }
    const replayed = replay.of(logged.line);
    const text = format === 'json' ? shadowJson(logged.line, replayed, digest) : shadowText(logged.line, replayed);
    if (text !== undefined) runtime.out(`${text}\n`);
  }
  return YES;
}

/** `meshgate replay`: decides logged requests by another policy. */
export const replayCommand = command({
  brief: 'Show which logged requests another policy would decide differently',
  text: 'Decides the requests of log files by another policy, and shows which of them would be newly allowed or newly denied, or would reach another service or identity, grouped by rule. By default it compares with what the gateway did. With --old it compares with another policy, and finds the roles whose definition changed: the roles in a line then do not show whether the caller has them. With --follow, it waits for new lines: a candidate policy runs in shadow, beside the gateway.',
  exits: {
    0: 'nothing changes',
    1: 'something changes',
    3: 'the policy has errors, or it is not known what happens to some requests',
  },
  examples: [
    'meshgate replay --policy new.yaml access.log',
    'meshgate replay --old meshgate.yaml --policy new.yaml access.log.1.gz access.log',
    'meshgate replay --follow --format json --policy candidate.yaml /var/log/nginx/meshgate.log >> shadow.log',
    'kubectl logs deploy/gateway | meshgate replay --policy new.yaml --format json -',
  ],
  flags: {
    ...sourceFlags,
    old: flag('FILE', 'The policy of the lines, or its compiled form in .json (default: what the gateway did)'),
    follow: toggle('Wait for new lines, and print each request that changes as soon as it is logged'),
    format: formatFlag,
  },
  args: [{ ...argument(...LOGS), several: true }],
  async run(runtime, { old, format, follow: follows, ...source }, ...logs) {
    const from = sourceOf(runtime, undefined, source);
    if ([from.file, old, ...logs].filter((it) => it === '-').length > 1)
      throw new WrongUse('only one file can come from standard input');
    const olds = old === undefined ? [] : [sourceOf(runtime, old, { ...source, policy: undefined })];
    const [fresh, before] = loadAll<Loaded & Partial<Digested>>([
      () => loadValid(runtime, from),
      ...olds.map((it) => () => loadAny(runtime, it)),
    ]) as readonly [Loaded, Digested?];
    if (follows) return follow(runtime, fresh, before, format, logs);
    const changes = await replayLogs(runtime, fresh, before, logs);
    const isOpen = changes.lines === 0 || changes.open + changes.invalid.count + changes.notEvaluated.length > 0;
    return {
      code: changes.changed > 0 ? NO : isOpen ? NOT_PROVEN : YES,
      value: changesJson(changes),
      text: (paint) => changesText(changes, fresh, paint),
    };
  },
});
