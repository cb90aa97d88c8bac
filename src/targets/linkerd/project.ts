import type { Policy } from '../../policy/types.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { widened } from '../kit/methods.ts';
import { meshRule } from '../kit/rules.ts';
import { clientOf } from './identity.ts';
import { FILE } from './objects.ts';
import { workloadsOf } from './workloads.ts';

/** The rules as far as Linkerd keeps them. The authority's host represents host and service, and the client's identity
 * represents `as`; any caller may have it. All methods that no route can name are one. */
export function projection(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  const all = workloadsOf(policy, rules).flatMap(({ authorities }) => authorities);
  return all.flatMap(({ host, rules }) =>
    rules.map((rule) => meshRule(FILE, widened(rule), host, clientOf(policy, rule).id)),
  );
}
