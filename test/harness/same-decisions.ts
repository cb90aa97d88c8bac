import { Decider } from '../../src/audit/decider.ts';
import { readLine } from '../../src/audit/line.ts';
import { redecide } from '../../src/audit/redecide.ts';
import type { Policy } from '../../src/policy/index.ts';
import { compile } from '../../src/rules/compile.ts';
import { policyDigest } from '../../src/rules/digest.ts';

/** Throws if a policy decides a logged request differently from the gateway that wrote the line. Lines of other policies
 * are left out.
 * @param lines the output of the gateway's container */
export function expectSameDecisions(policy: Policy, lines: readonly string[]): void {
  const rules = compile(policy);
  const decider = new Decider({ policy, rules });
  const digest = policyDigest(policy, rules);
  const differences = lines.flatMap((text) => {
    if (!text.startsWith('{"time":"')) return [];
    const line = readLine(text);
    if ('mistake' in line) return [`${line.mistake}: ${text}`];
    if (line.policy !== digest) return [];
    const verdict = redecide(line, decider);
    return verdict.kind === 'other' ? [`gateway: ${verdict.gateway}; policy: ${verdict.policy}; ${text}`] : [];
  });
  if (differences.length > 0)
    throw new Error(
      `the policy decides ${differences.length} lines of the log differently:\n${differences.join('\n')}`,
    );
}
