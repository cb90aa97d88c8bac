import type { DeniedBy } from '../../health/types.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { covers } from '../../rules/compare/cover.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';

/** A place at which a mesh denies requests to a service, and how nginx can tell that it did. */
export interface Guard {
  readonly layer: 'ingress' | 'workload';
  /** The object that denies there, by kind and name. */
  readonly object: string;
  readonly by: DeniedBy;
  /** Whether the object reads the assertion. Otherwise it knows only the identity of the connection. */
  readonly seesAssertion: boolean;
  /** Set if the request has {@link PROBE_PATH}, which the ingress lets pass to this place. */
  readonly through?: true;
}

/** The path of probes for a workload. No route of a policy has it, because the gateway's own paths begin like this. */
export const PROBE_PATH = '/.meshgate/probe';

/** The last segment of a probe's path below a prefix. It is unlikely that a service has a resource with this name. */
const SEGMENT = 'meshgate-probe';

const isQueried = ({ methods }: Enforced): boolean => methods?.includes('HEAD') ?? true;

/** Whether a rule allows HEAD on a path without an assertion. An object that does not read the assertion allows whatever
 * the identity may request. */
const allows = (rule: Enforced, path: string, seesAssertion: boolean): boolean =>
  isQueried(rule) && covers(rule.path, path) && (!seesAssertion || rule.who.kind === 'anyone');

/** Whether a workload must deny {@link PROBE_PATH}: no rule allows it to callers that the workload cannot tell apart. */
export const deniesProbe = (rules: readonly Enforced[], seesAssertion: boolean): boolean =>
  rules.length > 0 && !rules.some((rule) => allows(rule, PROBE_PATH, seesAssertion));

/** A request, and the rule that guards its path. */
interface GuardRequest {
  /** The identity and the roles of an assertion that is for another connection; absent: the request has none. */
  readonly assertion?: { readonly as: string; readonly roles: readonly string[] };
  readonly identity: string;
  readonly path: string;
  readonly rule: string;
}

/** Whether a caller without an agent can match a rule by an assertion. */
const isForPeople = ({ who, agent, tools }: Enforced): boolean =>
  who.kind !== 'anyone' && agent == null && tools === undefined;

const pathOf = ({ path }: Enforced): string => ('exact' in path ? path.exact : `${path.prefix}/${SEGMENT}`);

/** Prefixes come first: below them, the request names a resource that a service hardly has. */
const byPrefix = (a: Enforced, b: Enforced): number => Number('exact' in a.path) - Number('exact' in b.path);

/** Chooses requests that a guard must deny: one without an assertion for each identity for which there is one, and
 * some whose assertion is for another connection.
 * @param rules the enforced rules of the service
 * @param all these, and the rules of other services that the guard may apply to the same request
 * @param identities those that nginx can connect with: the service's own, and others of the same ingress */
export function guardRequests(
  guard: Guard,
  rules: readonly Enforced[],
  all: readonly Enforced[],
  identities: readonly string[],
): readonly GuardRequest[] {
  const { seesAssertion, through, by } = guard;
  const [first] = rules;
  if (first === undefined) return [];
  if (through) {
    if (!deniesProbe(all, seesAssertion)) return [];
    return [{ identity: first.as, path: PROBE_PATH, rule: writtenId(first.id) }];
  }
  const passes = (identity: string, path: string, sees: boolean) =>
    all.some((rule) => rule.as === identity && allows(rule, path, sees));
  const bare = identities.flatMap((identity): readonly GuardRequest[] => {
    const own = rules.filter(({ as }) => as === identity);
    const others = rules.filter(({ as }) => as !== identity);
    const found = [...own.sort(byPrefix), ...others.sort(byPrefix)].find((rule) => {
      const path = pathOf(rule);
      // The first proxy must let the request pass, if the one behind it is the guard.
      const arrives = by !== 'behind' || passes(identity, path, false);
      return arrives && covers(rule.path, path) && !passes(identity, path, seesAssertion);
    });
    return found === undefined ? [] : [{ identity, path: pathOf(found), rule: writtenId(found.id) }];
  });
  return by === 'behind' || !seesAssertion ? bare : [...bare, ...coupledRequests(rules, identities, passes)];
}

/** Chooses requests with an assertion for one identity over the connection of another: one for each identity of the
 * service. Only the comparison of the two denies such a request. */
function coupledRequests(
  rules: readonly Enforced[],
  identities: readonly string[],
  passes: (identity: string, path: string, seesAssertion: boolean) => boolean,
): readonly GuardRequest[] {
  return [...new Set(rules.map(({ as }) => as))].flatMap((as): readonly GuardRequest[] => {
    const own = rules.filter((rule) => rule.as === as && isQueried(rule) && isForPeople(rule)).sort(byPrefix);
    for (const rule of own) {
      const path = pathOf(rule);
      const identity = identities.find((it) => it !== as && !passes(it, path, true));
      if (identity === undefined || !covers(rule.path, path)) continue;
      const roles = rule.who.kind === 'role' ? [rule.who.role] : [];
      return [{ identity, path, rule: writtenId(rule.id), assertion: { as, roles } }];
    }
    return [];
  });
}

/** The filter with the rules in an Envoy that meshgate renders. */
export const RULES_FILTER = 'meshgate.rules';

/** The ingress that `render --target envoy` renders, which can stand before any mesh. Of another ingress nothing is
 * known. */
export const envoyGuards = ({ gateway, mesh }: Policy): readonly Guard[] =>
  mesh?.ingress.own === undefined
    ? []
    : [
        {
          layer: 'ingress',
          object: `filter ${RULES_FILTER} of envoy.yaml`,
          by: 'first',
          seesAssertion: gateway.assertion !== undefined && mesh.ingress.own.assertionJwksFile !== undefined,
        },
      ];
