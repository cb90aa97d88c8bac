import type { At, Policy } from '../../policy/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { namedTools } from '../tool-messages.ts';
import { ingressView } from './ingress.ts';
import { objectName } from './objects.ts';
import { grouped, type View } from './rule.ts';
import { missing, toScene } from './scene.ts';
import { ingressPrincipal, workloadView } from './workload.ts';

/** What is read back from a mesh has no place in a file. */
export const NOWHERE: At = { file: 'istio', line: 0, column: 0 };

/** The assertion that a rule wants, in words. */
export const assertedText = (as: string, audience: string, issuer: string): string =>
  `as ${as}, for ${audience}, by ${issuer}`;

/** A workload stands for the host of the requests that it is asked. */
export const workloadHost = (namespace: string, name: string): string => `${namespace}/${name}`;

/** What hosts of a rule stand for: a name with any port, or else exactly this authority. */
export const hostOf = ([name = '', any]: readonly string[]): string => (any === undefined ? `=${name}` : name);

function projected(rule: Enforced, host: string, { assertion, principal }: View): MeshRule {
  const { id, route, path, methods, tools } = rule;
  const open = assertion === undefined || rule.who.kind === 'anyone';
  return {
    id,
    at: NOWHERE,
    route,
    host,
    path,
    ...(methods !== undefined && { methods }),
    who: open ? { kind: 'anyone' } : rule.who,
    service: host,
    as: `spiffe://${principal(rule)}`,
    ...(assertion !== undefined && rule.agent !== undefined && { agent: rule.agent }),
    ...(assertion !== undefined && rule.alone && { alone: rule.alone }),
    ...(tools && { tools: namedTools(tools) }),
    ...(!open && { asserted: assertedText(rule.as, rule.service, assertion.issuer) }),
  };
}

const seen = (rules: readonly Enforced[], host: string, view: View): readonly MeshRule[] =>
  grouped(rules, view).flatMap((group) => group.map((rule) => projected(rule, host, view)));

/** The rules as Istio keeps them, first those of the ingress, then those of the workloads. */
export function project(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  if (missing(policy, rules) !== undefined) return [];
  const scene = toScene(policy, rules);
  const { services } = scene;
  const atIngress = services.flatMap((it) => seen(it.rules, hostOf(it.hosts), ingressView(scene, it)));
  const principal = ingressPrincipal(scene);
  const atWorkloads = services.flatMap(({ rules, place, service }) => {
    if (place === undefined || principal === undefined) return [];
    const host = workloadHost(place.namespace, objectName('workload', service.name));
    return seen(rules, host, workloadView(scene, principal));
  });
  return [...atIngress, ...atWorkloads];
}
