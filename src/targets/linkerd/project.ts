import type { Policy } from '../../policy/checked/types.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { widened } from '../kit/methods.ts';
import { meshRule } from '../kit/rules.ts';
import { clientsOf } from './mesh-identity.ts';
import { FILE } from './objects.ts';
import { workloadsOf } from './workloads.ts';

/** The rules, reduced to what Linkerd can express. The host of the authority stands for host and service. Each name of
 * the client stands for `as`, and any caller may have it. All methods that a route cannot name count as one. */
export function projection(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  const all = workloadsOf(policy, rules).flatMap(({ authorities }) => authorities);
  return all.flatMap(({ host, rules }) =>
    rules.flatMap((rule) =>
      clientsOf(policy, rule).flatMap(({ ids }) => ids.map((id) => meshRule(FILE, widened(rule), host, id))),
    ),
  );
}
