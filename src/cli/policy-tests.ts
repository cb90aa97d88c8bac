import type { PolicyTest } from '../policy/types.ts';
import type { Refusal } from '../reasons.ts';
import { type DecidingCaller, decide } from '../rules/decide.ts';
import type { Decision, Rule } from '../rules/types.ts';
import { reach } from './ask.ts';
import type { Loaded } from './load.ts';
import { Offline } from './offline.ts';

/** How one of the policy's own tests came out. */
export interface TestOutcome {
  readonly test: PolicyTest;
  readonly index: number;
  readonly passed: boolean;
  /** `allowed` or a reason code. */
  readonly got: string;
  readonly detail?: string;
  /** The rule that allowed, or the one that failed by least. */
  readonly rule?: Rule;
}

type Asked = Decision<Rule> | (Refusal & { readonly allow: false; readonly nearest?: undefined });

function ask({ rules }: Loaded, offline: Offline, { as, method, url }: PolicyTest): Asked {
  const reached = reach(offline.policy, method, url);
  if ('reason' in reached) return { allow: false, ...reached };
  let caller: DecidingCaller | null = null;
  if (as.kind === 'roles') caller = as;
  if (as.kind === 'claims') {
    const claimed = offline.ofClaims(as.provider, as.claims, reached.host.providers);
    if (!claimed.ok) return { ...claimed, allow: false };
    caller = claimed.value.caller;
  }
  return decide(rules, caller, { route: reached.route.name, method });
}

/**
 * Runs the policy's `tests:` by the decision that the gateway makes.
 *
 * @param now seconds since the epoch, for tests that give times in claims
 */
export function runTests(loaded: Loaded, now: number): TestOutcome[] {
  const offline = new Offline(loaded.policy, now);
  return loaded.policy.tests.map((test, index) => {
    const asked = ask(loaded, offline, test);
    const got = asked.allow ? 'allowed' : asked.reason;
    const rule = asked.allow ? asked.rule : asked.nearest;
    const detail = 'detail' in asked ? asked.detail : undefined;
    return {
      test,
      index,
      passed: got === test.expect,
      got,
      ...(detail !== undefined && { detail }),
      ...(rule !== undefined && { rule }),
    };
  });
}
