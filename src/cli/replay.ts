import { Decider } from '../audit/decider.ts';
import { Replay } from '../audit/replay.ts';
import { argument, command, flag, formatFlag, json, NO, NOT_PROVEN, WrongUse, YES } from './context.ts';
import { type Loaded, loadValid } from './load.ts';
import { LOGS, logLines, placeText } from './log-lines.ts';
import { Changes, changesJson, changesText } from './replayed.ts';
import type { Runtime } from './runtime.ts';
import { sourceFlags, sourceOf } from './source.ts';
import { painter } from './style.ts';

/** Replays log files by a policy.
 * @param old the policy of the lines, if it is known
 * @param since the time of the first requests that count, in milliseconds since the epoch; default: all count */
export async function replayLogs(
  runtime: Runtime,
  fresh: Loaded,
  old: Loaded | undefined,
  logs: readonly string[],
  since = Number.NEGATIVE_INFINITY,
): Promise<Changes> {
  const replay = new Replay(new Decider(fresh), old && new Decider(old));
  const changes = new Changes();
  for await (const logged of logLines(runtime, logs)) {
    if ('mistake' in logged) changes.invalid.push({ at: placeText(logged), mistake: logged.mistake });
    else if (Date.parse(logged.line.time) >= since) changes.add(logged, logged.line, replay.of(logged.line));
  }
  return changes;
}

/** `meshgate replay`: decides logged requests by another policy. */
export const replayCommand = command({
  brief: 'Show which logged requests another policy would decide differently',
  text: 'Decides the requests of log files by another policy, and shows which of them would be newly allowed or newly denied, or would reach another service or identity, grouped by rule. By default it compares with what the gateway did. With --old it compares with another policy, and finds the roles whose definition changed: the roles in a line then do not show whether the caller has them. Exit code 0: nothing changes; 1: something changes; 3: the policy has errors, or it is not known what happens to some requests.',
  examples: [
    'meshgate replay --policy new.yaml access.log',
    'meshgate replay --old meshgate.yaml --policy new.yaml access.log.1.gz access.log',
    'kubectl logs deploy/gateway | meshgate replay --policy new.yaml --format json -',
  ],
  flags: {
    ...sourceFlags,
    old: flag('FILE', 'The policy of the lines (default: what the gateway did)'),
    format: formatFlag,
  },
  args: [{ ...argument(...LOGS), several: true }],
  async run(runtime, { old, format, ...source }, ...logs) {
    const from = sourceOf(runtime, undefined, source);
    if ([from.file, old, ...logs].filter((it) => it === '-').length > 1)
      throw new WrongUse('only one file can come from standard input');
    const fresh = loadValid(runtime, from);
    const before =
      old === undefined ? undefined : loadValid(runtime, sourceOf(runtime, old, { ...source, policy: undefined }));
    if (fresh === undefined || (old !== undefined && before === undefined)) return NOT_PROVEN;
    const changes = await replayLogs(runtime, fresh, before, logs);
    runtime.out(format === 'json' ? json(changesJson(changes)) : changesText(changes, fresh, painter(runtime)));
    if (changes.changed > 0) return NO;
    return changes.lines === 0 || changes.open > 0 || changes.invalid.length > 0 ? NOT_PROVEN : YES;
  },
});
