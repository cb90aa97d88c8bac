import { ok, type Refusal, type Result, refuse } from '../../base/reasons.ts';
import type { PolicyTest } from '../../policy/checked/types.ts';
import { ELSEWHERE } from '../../rules/compare/anonymous-callers.ts';
import { type DecidingCaller, decide } from '../../rules/decide/decide.ts';
import type { Decision, Rule } from '../../rules/types.ts';
import type { Loaded } from '../common/load.ts';
import { mcpHeaders } from '../common/message-flags.ts';
import { headerOf } from '../common/service-credential.ts';
import { ADDRESS_UNSAID } from '../common/words.ts';
import { reach } from './ask.ts';
import { Offline, type Reported } from './offline.ts';

/** The result of one policy test. */
export interface TestOutcome {
  readonly test: PolicyTest;
  readonly index: number;
  readonly passed: boolean;
  /** The actual result: `allowed` or a reason code. */
  readonly got: string;
  readonly detail?: string;
  /** The rule that allowed the request or, if no rule allowed it, the rule that came closest. */
  readonly rule?: Rule;
}

type Requested = Decision<Rule> | (Refusal & { readonly allow: false; readonly nearest?: undefined });

type Reached = Exclude<ReturnType<typeof reach>, Refusal>;

/** Whether a caller of the provider sends a token to a route. Otherwise the caller has a session. */
function takesTokens(offline: Offline, provider: string, { route }: Reached): boolean {
  const { audiences = [], anyAudience } = offline.policy.providers[provider] ?? {};
  const taken = route.audiences !== undefined || audiences.length > 0 || anyAudience === true;
  return route.accept.includes('bearer') && taken;
}

/** Returns the credential for a test with claims: a token, or else a session.
 * @param hasRoom whether the request has a header for a token */
function declaredBy(
  offline: Offline,
  as: Extract<PolicyTest['as'], { kind: 'claims' }>,
  reached: Reached,
  hasRoom: boolean,
): Reported {
  const { provider, claims, signedIn } = as;
  const { host, route } = reached;
  const given = signedIn === undefined ? claims : { ...claims, auth_time: Math.floor(offline.now) - signedIn };
  const { client } = offline.policy.providers[provider] ?? {};
  if (
    !(hasRoom && takesTokens(offline, provider, reached)) &&
    client !== undefined &&
    route.accept.includes('session')
  ) {
    return { ...as, session: () => offline.ofSession(provider, given, host.providers, as) };
  }
  return { ...as, token: () => offline.ofClaims(provider, given, host.providers, route.audiences, as) };
}

/** The refusal if both the token of the gateway and the service's credential would have to be in `Authorization`. */
export const noRoom = refuse(
  'credential_missing',
  'Authorization belongs to the service, so the token needs a header of its own: write gateway.credential_header',
);

/** Returns why a request with this `Authorization` cannot have a credential of the gateway, too. */
export function refusedBeside(
  offline: Offline,
  reported: Reported,
  reached: Reached,
): ReturnType<typeof refuse> | undefined {
  const claimed = offline.callerAt(reached, reported);
  if (!claimed.ok) return claimed;
  return offline.takesBeside(reached.route) ? undefined : noRoom;
}

/** Returns the caller of a test on a route. */
function callerOf(offline: Offline, { as, serviceCredential }: PolicyTest, reached: Reached): Result<DecidingCaller> {
  const beside = serviceCredential === undefined ? {} : { authorization: headerOf(serviceCredential) };
  if (as.kind === 'roles' || as.kind === 'alone') {
    const refused = serviceCredential === undefined ? undefined : refusedBeside(offline, beside, reached);
    if (refused !== undefined) return refused;
    return ok(as.kind === 'roles' ? as : { roles: [], agent: as.agent, alone: true });
  }
  const hasRoom = serviceCredential === undefined || offline.hasTokenHeader;
  const reported: Reported = as.kind === 'nobody' ? as : declaredBy(offline, as, reached, hasRoom);
  const claimed = offline.callerAt(reached, { ...reported, ...beside });
  if (claimed.ok && !hasRoom && reported.token !== undefined) return noRoom;
  return claimed.ok ? ok(claimed.value.caller) : claimed;
}

function ask({ rules }: Loaded, offline: Offline, test: PolicyTest): Requested {
  const { method, url, message } = test;
  const reached = reach(offline.policy, method, url);
  if ('reason' in reached) return { allow: false, ...reached };
  const caller = callerOf(offline, test, reached);
  if (!caller.ok) return { ...caller, allow: false };
  const mcp = message && mcpHeaders(message);
  return decide(rules, caller.value, { route: reached.route.name, method, ...(mcp && { mcp }) });
}

const gotBy = (requested: Requested): string => (requested.allow ? 'allowed' : requested.reason);

/** Whether a test without an address would have another result at an address outside the policy's networks. */
function needsAddress(loaded: Loaded, offline: Offline, test: PolicyTest, got: string): boolean {
  const { as } = test;
  if ((as.kind !== 'nobody' && as.kind !== 'claims') || as.network !== undefined) return false;
  return ELSEWHERE.some((network) => gotBy(ask(loaded, offline, { ...test, as: { ...as, network } })) !== got);
}

/** Describes a service's credential that is erased although the request passes. */
function erased(
  offline: Offline,
  { serviceCredential, method, url }: PolicyTest,
  requested: Requested,
): string | undefined {
  const reached = reach(offline.policy, method, url);
  if (serviceCredential === undefined || !requested.allow || 'reason' in reached) return undefined;
  const { service, id } = requested.rule;
  if (offline.passingAt(reached.route)?.schemeFor(service, headerOf(serviceCredential)) !== undefined) return undefined;
  return `the credential of the service is erased: rule ${id} leads to ${service}, which service_credential.services does not list`;
}

/** Runs the policy's `tests:` with the code that decides in the gateway.
 * @param now seconds since the epoch, for claims that contain times */
export function runTests(loaded: Loaded, now: number): TestOutcome[] {
  const offline = new Offline(loaded.policy, now);
  return loaded.policy.tests.map((test, index) => {
    const requested = ask(loaded, offline, test);
    const got = gotBy(requested);
    const rule = requested.allow ? requested.rule : requested.nearest;
    const unsaid = needsAddress(loaded, offline, test, got);
    const reported = 'detail' in requested ? requested.detail : undefined;
    const lost = erased(offline, test, requested);
    const detail = lost !== undefined ? lost : unsaid ? `${ADDRESS_UNSAID}: write network` : reported;
    return {
      test,
      index,
      passed: got === test.expect && !unsaid && lost === undefined,
      got,
      ...(detail !== undefined && { detail }),
      ...(rule !== undefined && { rule }),
    };
  });
}
