import type { PolicyTest } from '../policy/types.ts';
import type { Refusal, Result } from '../reasons.ts';
import { type DecidingCaller, decide } from '../rules/decide.ts';
import type { Decision, Rule } from '../rules/types.ts';
import { noTokens, reach } from './ask.ts';
import type { Loaded } from './load.ts';
import { type ClaimedCaller, Offline } from './offline.ts';

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

type Reached = Exclude<ReturnType<typeof reach>, Refusal>;

/** Somebody with these claims in a token, or in a session where the provider or the route takes no tokens. */
function claimedBy(
  offline: Offline,
  { provider, claims, signedIn }: Extract<PolicyTest['as'], { kind: 'claims' }>,
  { host, route }: Reached,
): Result<ClaimedCaller> | undefined {
  const given = signedIn === undefined ? claims : { ...claims, auth_time: Math.floor(offline.now) - signedIn };
  const { audiences = [], anyAudience, client } = offline.policy.providers[provider] ?? {};
  const taken = route.audiences !== undefined || audiences.length > 0 || anyAudience === true;
  const tokens = route.accept.includes('bearer') && taken;
  if (!tokens && client !== undefined && route.accept.includes('session')) {
    return offline.ofSession(provider, given, host.providers);
  }
  return route.accept.includes('bearer')
    ? offline.ofClaims(provider, given, host.providers, route.audiences)
    : noTokens;
}

function ask({ rules }: Loaded, offline: Offline, { as, method, url }: PolicyTest): Asked {
  const reached = reach(offline.policy, method, url);
  if ('reason' in reached) return { allow: false, ...reached };
  let caller: DecidingCaller | null = null;
  if (as.kind === 'roles') caller = as;
  if (as.kind === 'alone') caller = { roles: [], agent: as.agent, alone: true };
  if (as.kind === 'claims') {
    const claimed = claimedBy(offline, as, reached);
    if (claimed !== undefined && !claimed.ok) return { ...claimed, allow: false };
    caller = claimed?.value.caller ?? null;
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
