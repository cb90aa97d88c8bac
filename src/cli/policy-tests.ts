import type { AskedFrom, PolicyTest } from '../policy/types.ts';
import { ok, type Refusal, type Result } from '../reasons.ts';
import { ELSEWHERE } from '../rules/anonymous.ts';
import { type DecidingCaller, decide } from '../rules/decide.ts';
import type { Decision, Rule } from '../rules/types.ts';
import { noTokens, reach } from './ask.ts';
import { ADDRESS_UNSAID } from './asked-from.ts';
import type { Loaded } from './load.ts';
import { mcpHeaders } from './message.ts';
import { type ClaimedCaller, Offline } from './offline.ts';

/** The result of one policy test. */
export interface TestOutcome {
  readonly test: PolicyTest;
  readonly index: number;
  readonly passed: boolean;
  /** `allowed` or a reason code. */
  readonly got: string;
  readonly detail?: string;
  /** The rule that allowed the request, or the one that nearly did. */
  readonly rule?: Rule;
}

type Asked = Decision<Rule> | (Refusal & { readonly allow: false; readonly nearest?: undefined });

type Reached = Exclude<ReturnType<typeof reach>, Refusal>;

/** Whether a caller of the provider shows a token on a route; if not, a session. */
function takesTokens(offline: Offline, provider: string, { route }: Reached): boolean {
  const { audiences = [], anyAudience } = offline.policy.providers[provider] ?? {};
  const taken = route.audiences !== undefined || audiences.length > 0 || anyAudience === true;
  return route.accept.includes('bearer') && taken;
}

/** A caller with these claims in a token, or in a session if the provider or the route accepts no tokens. */
function claimedBy(
  offline: Offline,
  as: Extract<PolicyTest['as'], { kind: 'claims' }>,
  reached: Reached,
): Result<ClaimedCaller> | undefined {
  const { provider, claims, signedIn, certificate } = as;
  const { host, route } = reached;
  const given = signedIn === undefined ? claims : { ...claims, auth_time: Math.floor(offline.now) - signedIn };
  const { client } = offline.policy.providers[provider] ?? {};
  if (!takesTokens(offline, provider, reached) && client !== undefined && route.accept.includes('session')) {
    // A certificate takes precedence over a session.
    if (certificate !== undefined && route.accept.includes('certificate'))
      return offline.ofCertificate(certificate, as);
    return offline.ofSession(provider, given, host.providers, as);
  }
  return route.accept.includes('bearer')
    ? offline.ofClaims(provider, given, host.providers, route.audiences, as)
    : noTokens;
}

/** The caller of a test on a route. */
function callerOf(offline: Offline, as: PolicyTest['as'], reached: Reached): Result<DecidingCaller> | undefined {
  if (as.kind === 'roles') return ok(as);
  if (as.kind === 'alone') return ok({ roles: [], agent: as.agent, alone: true });
  if (as.kind === 'nobody') return heldBy(claimedByNobody(offline, as, reached));
  // A session of a provider that the host does not accept is ignored.
  return heldBy(claimedBy(offline, as, reached)) ?? ok(offline.ofNobody(as).caller);
}

const heldBy = (claimed: Result<ClaimedCaller> | undefined): Result<DecidingCaller> | undefined =>
  claimed?.ok ? ok(claimed.value.caller) : claimed;

/** A caller without a token: identified by a certificate if the route accepts it, else anonymous. */
export function claimedByNobody(offline: Offline, from: AskedFrom, { route }: Reached): Result<ClaimedCaller> {
  const { certificate } = from;
  const isCredential = certificate !== undefined && route.accept.includes('certificate');
  return isCredential ? offline.ofCertificate(certificate, from) : ok(offline.ofNobody(from));
}

function ask({ rules }: Loaded, offline: Offline, { as, method, url, message }: PolicyTest): Asked {
  const reached = reach(offline.policy, method, url);
  if ('reason' in reached) return { allow: false, ...reached };
  const caller = callerOf(offline, as, reached);
  if (caller !== undefined && !caller.ok) return { ...caller, allow: false };
  const mcp = message && mcpHeaders(message);
  return decide(rules, caller?.value ?? null, { route: reached.route.name, method, ...(mcp && { mcp }) });
}

const gotBy = (asked: Asked): string => (asked.allow ? 'allowed' : asked.reason);

/** Whether a test without an address would have another result from an address that no fact names. */
function needsAddress(loaded: Loaded, offline: Offline, test: PolicyTest, got: string): boolean {
  const { as } = test;
  if ((as.kind !== 'nobody' && as.kind !== 'claims') || as.network !== undefined) return false;
  return ELSEWHERE.some((network) => gotBy(ask(loaded, offline, { ...test, as: { ...as, network } })) !== got);
}

/** Runs the policy's `tests:` with the gateway's own decision.
 *
 * @param now seconds since the epoch, for tests with times in claims
 */
export function runTests(loaded: Loaded, now: number): TestOutcome[] {
  const offline = new Offline(loaded.policy, now);
  return loaded.policy.tests.map((test, index) => {
    const asked = ask(loaded, offline, test);
    const got = gotBy(asked);
    const rule = asked.allow ? asked.rule : asked.nearest;
    const unsaid = needsAddress(loaded, offline, test, got);
    const said = 'detail' in asked ? asked.detail : undefined;
    const detail = unsaid ? `${ADDRESS_UNSAID}: write network` : said;
    return {
      test,
      index,
      passed: got === test.expect && !unsaid,
      got,
      ...(detail !== undefined && { detail }),
      ...(rule !== undefined && { rule }),
    };
  });
}
