import type { FactExplanation } from '../../caller/roles/explain.ts';
import {
  hasSeveralIngresses,
  hasSeveralMeshes,
  identityOf,
  ingressesFor,
  meshOf,
} from '../../policy/checked/ingresses.ts';
import type { Policy, Route, Service } from '../../policy/checked/types.ts';
import { isReachedItself } from '../../policy/checked/workload.ts';
import type { Rule } from '../../rules/types.ts';
import type { Asker } from '../decide/asker.ts';
import { type Explanation, refusalOf, serviceAsked } from '../decide/explanation.ts';

/** Returns a fact as JSON. `held` is absent if the result is not known; `unsaid` may say why. */
export const factJson = ({ text, truth: held, at, help, unsaid, above, parts }: FactExplanation): unknown => ({
  ...{ text, held, help, unsaid, at, above },
  parts: parts.length > 0 ? parts.map(factJson) : undefined,
});

const ruleJson = ({ id, at, who, methods, service, as }: Rule) => ({
  ...{ id, at, who, methods, service, as: as || undefined },
});

function callerJson({ kind, caller, claimed }: Asker) {
  const agent = { agent: caller?.agent, alone: (caller?.agent && caller.alone) || undefined };
  if (claimed === undefined) return { kind, roles: caller?.roles ?? [], ...agent };
  const { subject, provider, roles, binding: bound } = claimed.caller;
  return { ...{ kind, provider, subject, roles }, ...agent, bound };
}

const routeJson = ({ name, at, accept, serviceCredential }: Route) => ({ name, at, accept, serviceCredential });

function serviceJson(service: Service, policy: Policy) {
  const mesh = meshOf(policy, service);
  const named = mesh && hasSeveralIngresses(mesh) && !isReachedItself(mesh, service) ? mesh : undefined;
  const { name, authority, direct, ingresses } = service;
  return {
    ...{ name, authority, direct: direct !== undefined },
    mesh: hasSeveralMeshes(policy) ? mesh?.name : undefined,
    ingress: named && ingresses === undefined ? ingressesFor(named, service)[0].name : undefined,
    ingresses: named && ingresses?.map((it) => ({ name: it.name, backup: it.backup || undefined })),
  };
}

/** Returns an explanation as JSON. */
export function explanationJson(explanation: Explanation, policy: Policy, unverified: boolean): object {
  const { method, url, message, host, route, asker, rules, roles, limits, assumes, decision, wouldPass } = explanation;
  const { reason, status, help } = refusalOf(explanation, policy) ?? {};
  const service = serviceAsked(explanation, policy);
  const nearest = !decision.allow && 'nearest' in decision ? decision.nearest : undefined;
  return {
    ...{ method, url, message },
    allowed: decision.allow,
    rule: decision.allow ? ruleJson(decision.rule) : undefined,
    identity: decision.allow ? identityOf(policy, decision.rule)?.spiffe : undefined,
    ...{ reason, status, help },
    detail: 'detail' in decision ? decision.detail : undefined,
    nearest: nearest && ruleJson(nearest),
    stepUp: !decision.allow && 'stepUp' in decision ? decision.stepUp : undefined,
    wouldPass: wouldPass && { who: wouldPass.who, rule: wouldPass.rule.id },
    ...{ host: host?.name, team: host?.team },
    route: route && routeJson(route),
    serviceCredential: explanation.passage,
    service: service && serviceJson(service, policy),
    caller: asker && callerJson(asker),
    signature: unverified ? 'not checked' : undefined,
    limits: limits.length > 0 ? limits : undefined,
    assumes: assumes.length > 0 ? assumes : undefined,
    rules: rules.map(({ rule, passed, conditions }) => ({
      ...{ ...ruleJson(rule), passed, conditions: conditions.map(factJson) },
    })),
    roles: roles.length > 0 ? roles.map(factJson) : undefined,
  };
}
