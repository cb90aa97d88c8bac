import type { At, Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { widened } from '../named-methods.ts';
import { clientOf } from './identity.ts';
import { workloadsOf } from './workloads.ts';

/** Linkerd's file is generated: its lines mean nothing. */
export const NOWHERE: At = { file: 'linkerd.yaml', line: 0, column: 0 };

/**
 * The rules as far as Linkerd keeps them: the host of the authority stands for host and service, the client's identity
 * for `as`, whoever has it may be any caller, and all methods that no route can name are one.
 */
export function projection(policy: Policy, rules: readonly Rule[]): readonly Rule[] {
  const all = workloadsOf(policy, rules).flatMap(({ authorities }) => authorities);
  return all.flatMap(({ host, rules }) =>
    rules.map((rule): Rule => {
      const { id, route, path, methods } = widened(rule);
      return {
        id,
        at: NOWHERE,
        route,
        host,
        path,
        ...(methods !== undefined && { methods }),
        who: { kind: 'anyone' },
        service: host,
        as: clientOf(policy, rule).id,
      };
    }),
  );
}
