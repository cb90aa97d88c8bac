import type { FactExplanation } from '../../caller/roles/explain.ts';
import {
  hasSeveralIngresses,
  hasSeveralMeshes,
  identityOf,
  ingressesFor,
  meshOf,
} from '../../policy/checked/ingresses.ts';
import type { Policy, Route } from '../../policy/checked/types.ts';
import { isReachedItself } from '../../policy/checked/workload.ts';
import type { Rule } from '../../rules/types.ts';
import type { Asker } from '../decide/asker.ts';
import { type Explanation, refusalOf, serviceAsked } from '../decide/explanation.ts';

/** Returns a fact as JSON. `held` is absent if the result is not known; `unsaid` may say why. */
export function factJson({ text, truth, at, help, unsaid, above, parts }: FactExplanation): unknown {
  return {
    text,
    ...(truth !== undefined && { held: truth }),
    ...(help !== undefined && { help }),
    ...(unsaid !== undefined && { unsaid }),
    ...(at && { at }),
    ...(above && { above }),
    ...(parts.length > 0 && { parts: parts.map(factJson) }),
  };
}

function ruleJson({ id, at, who, methods, service, as }: Rule) {
  return { id, at, who, ...(methods && { methods }), service, ...(as !== '' && { as }) };
}

function callerJson({ kind, caller, claimed }: Asker) {
  const { agent: name, alone } = caller ?? {};
  const agent = name === undefined ? {} : { agent: name, ...(alone && { alone }) };
  if (claimed === undefined) return { kind, roles: caller?.roles ?? [], ...agent };
  const { subject, provider, roles, binding } = claimed.caller;
  return { kind, provider, subject, roles, ...agent, ...(binding !== undefined && { bound: binding }) };
}

const routeJson = ({ name, at, accept, serviceCredential }: Route) => ({
  ...{ name, at, accept },
  ...(serviceCredential && { serviceCredential }),
});

/** Returns an explanation as JSON. */
export function explanationJson(explanation: Explanation, policy: Policy, unverified: boolean): unknown {
  const { method, url, message, host, route, asker, rules, roles, limits, assumes, decision, wouldPass } = explanation;
  const { passage } = explanation;
  const refusal = refusalOf(explanation, policy);
  const service = serviceAsked(explanation, policy);
  const mesh = meshOf(policy, service);
  return {
    method,
    url,
    ...(message && { message }),
    allowed: decision.allow,
    ...(decision.allow && {
      rule: ruleJson(decision.rule),
      identity: identityOf(policy, decision.rule)?.spiffe,
    }),
    ...(refusal && { reason: refusal.reason, status: refusal.status, help: refusal.help }),
    ...('detail' in decision && { detail: decision.detail }),
    ...(!decision.allow && 'nearest' in decision && decision.nearest && { nearest: ruleJson(decision.nearest) }),
    ...(!decision.allow && 'stepUp' in decision && { stepUp: decision.stepUp }),
    ...(wouldPass && { wouldPass: { who: wouldPass.who, rule: wouldPass.rule.id } }),
    ...(host && { host: host.name }),
    ...(host?.team !== undefined && { team: host.team }),
    ...(route && { route: routeJson(route) }),
    ...(passage && { serviceCredential: passage }),
    ...(service && {
      service: {
        name: service.name,
        authority: service.authority,
        direct: service.direct !== undefined,
        ...(mesh && hasSeveralMeshes(policy) && { mesh: mesh.name }),
        ...(mesh &&
          hasSeveralIngresses(mesh) &&
          !isReachedItself(mesh, service) &&
          (service.ingresses === undefined
            ? { ingress: ingressesFor(mesh, service)[0].name }
            : { ingresses: service.ingresses.map(({ name, backup }) => ({ name, ...(backup && { backup }) })) })),
      },
    }),
    ...(asker && { caller: callerJson(asker) }),
    ...(unverified && { signature: 'not checked' }),
    ...(limits.length > 0 && { limits }),
    ...(assumes.length > 0 && { assumes }),
    rules: rules.map(({ rule, passed, conditions }) => ({
      ...ruleJson(rule),
      passed,
      conditions: conditions.map(factJson),
    })),
    ...(roles.length > 0 && { roles: roles.map(factJson) }),
  };
}
