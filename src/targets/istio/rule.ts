import { ALONE, IS_ALONE } from '../../assertion/claims.ts';
import type { Assertion } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Path, Rule } from '../../rules/types.ts';
import type { KubeObject, ObjectMetadata } from '../kit/kubernetes-objects.ts';
import { grouped } from '../kit/rules.ts';
import { type Condition, type IstioRule, istioObject, RULE_IDS, selector } from './objects.ts';
import { withTools } from './tools.ts';

/** A SPIFFE id without its scheme, which is how Istio writes it. */
export const principalOf = (spiffe: string): string => spiffe.replace(/^spiffe:\/\//, '');

/** Istio's patterns for a path. A `*` at the end matches any text, so a prefix of whole segments needs two. */
export function patterns(path: Path): readonly string[] {
  if ('exact' in path) return [path.exact];
  return path.prefix === '' ? ['/*'] : [path.prefix, `${path.prefix}/*`];
}

/** A claim of the verified assertion, as Istio's conditions name it. */
export const claim = (name: string): string => `request.auth.claims[${name}]`;

/** What a layer sees of a request besides the method and the path. */
export interface View {
  /** The settings with which it verifies assertions. Absent: it does not verify them. */
  readonly assertion?: Assertion | undefined;
  /** The principal of the connection for requests of a rule. */
  readonly principal: (rule: Rule) => string;
  /** The hosts of the requests. Absent at a workload, which does not distinguish hosts. */
  readonly hosts?: readonly string[] | undefined;
  /** The port of the workload. Absent: all ports of its pods. */
  readonly port?: number | undefined;
}

/** Rules that are rendered as one rule of Istio. */
type Group = readonly [Enforced, ...Enforced[]];

function keyOf(rule: Enforced, { assertion, principal }: View): string {
  const { path, methods, who, as, agent, alone, tools } = rule;
  const asserted = assertion === undefined ? [] : [as, who.kind, agent, alone];
  return JSON.stringify([path, methods, principal(rule), tools, ...asserted]);
}

const roleOf = ({ who }: Rule): string => (who.kind === 'role' ? who.role : '');

/** Groups rules that differ only in the role. So fifty roles on one path become one rule of Istio, and objects stay
 * small. If Istio sees no difference between two rules, the first stands for both. */
export function groupRules(rules: readonly Enforced[], view: View): readonly Group[] {
  return [...grouped(rules, (rule) => keyOf(rule, view)).values()].map(([first, ...more]) => {
    if (view.assertion === undefined) return [first];
    const roles = new Set([roleOf(first)]);
    return [first, ...more.filter((it) => roles.size < roles.add(roleOf(it)).size)];
  });
}

/** The conditions for the agent. They ensure that an agent's assertion matches only rules for this agent. */
function agentConditions({ agent, alone }: Enforced): readonly Condition[] {
  if (agent === undefined) return [];
  if (agent === null) return [{ key: claim('agent'), notValues: ['*'] }];
  const named = { key: claim('agent'), values: [agent] };
  return alone ? [named, { key: claim(ALONE), values: [IS_ALONE] }] : [named];
}

/** The conditions for the assertion. A rule for `anyone` has none if the policy has no agents. */
function conditions(group: Group, { assertion }: View): readonly Condition[] {
  const [rule] = group;
  if (assertion === undefined) return [];
  if (rule.who.kind === 'anyone') return agentConditions(rule);
  const roles = group.flatMap(({ who }) => (who.kind === 'role' ? [who.role] : []));
  return [
    // The ingress may also verify tokens of other issuers, and a rule could not distinguish their claims.
    { key: claim('iss'), values: [assertion.issuer] },
    { key: claim('aud'), values: [rule.service] },
    { key: claim('as'), values: [rule.as] },
    ...(roles.length > 0 ? [{ key: claim('roles'), values: roles }] : []),
    ...agentConditions(rule),
  ];
}

/** Renders a group of rules as one rule of Istio. If the rules are for tools, it renders two. */
function istioRules(group: Group, view: View): readonly IstioRule[] {
  const [rule] = group;
  const { path, methods } = rule;
  const except = 'except' in path ? path.except.flatMap(patterns) : [];
  const when = conditions(group, view);
  const own: IstioRule = {
    from: [{ source: { principals: [view.principal(rule)] } }],
    to: [
      {
        operation: {
          ...(view.hosts && { hosts: view.hosts }),
          ...(view.port !== undefined && { ports: [String(view.port)] }),
          ...(methods && { methods }),
          paths: patterns(path),
          ...(except.length > 0 && { notPaths: except }),
        },
      },
    ],
    ...(when.length > 0 && { when }),
  };
  return withTools(own, rule.tools);
}

/** The policy that allows some requests to pods. Istio then denies all other requests to these pods. */
export function authorizationPolicy(
  meta: ObjectMetadata,
  labels: Readonly<Record<string, string>>,
  rules: readonly Enforced[],
  views: readonly View[],
): KubeObject {
  const groups = views.flatMap((view) => groupRules(rules, view).map((group) => ({ group, view })));
  const ids = groups.flatMap(({ group }) => group.map(({ id }) => id));
  return istioObject(
    'AuthorizationPolicy',
    { ...meta, annotations: { [RULE_IDS]: JSON.stringify(ids) } },
    { ...selector(labels), action: 'ALLOW', rules: groups.flatMap(({ group, view }) => istioRules(group, view)) },
  );
}
