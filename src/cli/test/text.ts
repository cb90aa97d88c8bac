import { place } from '../../policy/index.ts';
import { count, type Paint } from '../common/print.ts';
import { ruleText } from '../common/words.ts';
import { failureText, outcomeJson, testCaseText, testsText } from '../decide/outcome.ts';
import type { TestOutcome } from '../decide/policy-tests.ts';
import type { Enforcer, LiveOutcome } from './at-gateway.ts';

/** The results of `meshgate test`. */
export interface Results {
  readonly file: string;
  readonly outcomes: readonly TestOutcome[];
  readonly enforcers: readonly Enforcer[];
}

const wasSent = ({ got, agrees }: LiveOutcome): boolean => got !== undefined || !agrees;

/** Whether the gateway or the mesh received at least one test, and all results agree with the policy. */
const agrees = ({ outcomes }: Enforcer): boolean => outcomes.some(wasSent) && outcomes.every((it) => it.agrees);

/** Whether every test passes, and the gateway and the mesh agree with the policy. */
export function isGood({ outcomes, enforcers }: Results): boolean {
  return outcomes.every(({ passed }) => passed) && enforcers.every(agrees);
}

/** Describes a difference between the policy and the gateway or the mesh, with the rule. */
function divergenceText({ kind, outcome, as, expect, got, status, note, rule }: LiveOutcome & Pick<Enforcer, 'kind'>) {
  const requested = kind === 'mesh' ? `${testCaseText(outcome)}, at the mesh as ${as}` : testCaseText(outcome);
  if (got === undefined) return `${requested}: ${note}`;
  const answered = status === undefined ? '' : ` (${status})`;
  const where = rule === undefined ? '' : `; they differ at rule ${rule.id} at ${place(rule.at)}: ${ruleText(rule)}`;
  return `${requested}: the policy says ${expect}, the ${kind} ${got}${answered}${where}`;
}

function enforcerText(enforcer: Enforcer, paint: Paint): string {
  const { kind, address, outcomes } = enforcer;
  const requested = outcomes.filter(wasSent);
  const parted = requested.filter(({ agrees }) => !agrees).length;
  const left = outcomes.length - requested.length;
  const verdict =
    requested.length === 0
      ? paint('bad', 'nothing asked')
      : parted === 0
        ? `${paint('good', 'agrees')} on ${count(requested.length, 'request')}`
        : `${paint('bad', 'disagrees')} on ${parted} of ${count(requested.length, 'request')}`;
  return `${kind} ${address}: ${verdict}${left === 0 ? '' : `; ${count(left, 'test')} not asked`}`;
}

/** Returns the report as text: failures and differences, then a line for the policy, the gateway and the mesh. */
export function resultsText(report: Results, paint: Paint): string {
  const { file, outcomes, enforcers } = report;
  const live = enforcers.flatMap(({ kind, outcomes }) => outcomes.map((one) => ({ ...one, kind })));
  const good = outcomes.every(({ passed }) => passed);
  const lines = [
    ...outcomes.filter(({ passed }) => !passed).map(failureText),
    ...live.filter(({ agrees }) => !agrees).map(divergenceText),
    ...live
      .filter((one) => !wasSent(one))
      .map(({ kind, outcome, note }) => `${testCaseText(outcome)}: not asked at the ${kind}: ${note}`),
    `${file}: ${paint(good ? 'good' : 'bad', good ? 'as the policy decides' : 'not as the policy decides')}: ${testsText(outcomes)}`,
    ...enforcers.map((enforcer) => enforcerText(enforcer, paint)),
  ];
  return `${lines.join('\n')}\n`;
}

function liveJson(live: LiveOutcome) {
  const { outcome, as, expect, got, status, agrees, note, rule } = live;
  return {
    ...{ test: outcome.index, at: outcome.test.at, method: outcome.test.method, url: outcome.test.url },
    ...{ as: as || undefined, asked: wasSent(live), expect: expect || undefined, got, status, agrees, note },
    ...{ rule: rule?.id, ruleAt: rule?.at },
  };
}

/** Returns the report as JSON. */
export const resultsJson = (results: Results) => ({
  file: results.file,
  passed: isGood(results),
  tests: results.outcomes.map(outcomeJson),
  ...Object.fromEntries(
    results.enforcers.map(({ kind, address, outcomes }) => [kind, { address, requests: outcomes.map(liveJson) }]),
  ),
});
