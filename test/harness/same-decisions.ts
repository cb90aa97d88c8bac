import { stageOf } from '../../src/audit/lines/decided-by.ts';
import { isCut, type LogLine, readLine } from '../../src/audit/lines/line.ts';
import { ClaimedRoles } from '../../src/audit/replay/claimed-roles.ts';
import { redecide } from '../../src/audit/replay/decide-again.ts';
import { Decider } from '../../src/audit/replay/decider.ts';
import { Replay } from '../../src/audit/replay/replay-line.ts';
import { Usage } from '../../src/audit/replay/usage.ts';
import type { Policy } from '../../src/policy/index.ts';
import { compile } from '../../src/rules/compile.ts';
import { policyDigest } from '../../src/rules/digest.ts';

/** Returns the roles that a line names and its claims do not give, or the reverse. A line without claims says nothing. */
function otherRoles(policy: Policy, line: LogLine, claimed: ClaimedRoles): readonly string[] {
  // The line of an agent, and that of a team's host, name fewer roles than the person has.
  const isComplete = stageOf(line) === 'rules' && line.agent === '' && policy.teams === undefined;
  if (!isComplete || line.roles.some(isCut)) return [];
  return Object.keys(policy.roles).filter((role) => {
    const has = claimed.has(role, line);
    return has !== undefined && has !== line.roles.includes(role);
  });
}

/** Throws if a policy decides a logged request differently from the gateway that wrote the line. Lines of other policies
 * are left out.
 * @param lines the output of the gateway's container */
export function expectSameDecisions(policy: Policy, lines: readonly string[]): void {
  const rules = compile(policy);
  const decider = new Decider({ policy, rules });
  const claimed = new ClaimedRoles(policy, policy);
  const digest = policyDigest(policy, rules);
  const replays = [new Replay(decider), new Replay(decider, decider)];
  // Lines of another policy show whether the rules alone find a use of each allowed request.
  const usage = new Usage(decider, '');
  const differences = lines.flatMap((text) => {
    if (!text.startsWith('{"time":"')) return [];
    const line = readLine(text);
    if ('mistake' in line) return [`${line.mistake}: ${text}`];
    if (line.policy !== digest) return [];
    const verdict = redecide(line, decider);
    const roles = otherRoles(policy, line, claimed);
    if (roles.length > 0) return [`by the claims, the caller has other roles, ${roles.join(', ')}: ${text}`];
    const replayed = replays.map((it) => it.of(line)).find(({ kind }) => kind !== 'same' && kind !== 'unknown');
    if (replayed !== undefined) return [`its own policy would change it: ${JSON.stringify(replayed)}: ${text}`];
    usage.add(line);
    return verdict.kind === 'other' ? [`gateway: ${verdict.gateway}; policy: ${verdict.policy}; ${text}`] : [];
  });
  if (usage.denied > 0) differences.push(`${usage.denied} allowed requests use no rule`);
  if (differences.length > 0)
    throw new Error(
      `the policy decides ${differences.length} lines of the log differently:\n${differences.join('\n')}`,
    );
}
