import type { Policy } from '../../policy/checked/types.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { widened } from '../kit/methods.ts';
import { ownerOf } from '../kit/owner.ts';
import { meshRule } from '../kit/rules.ts';
import { assertionFor, consulLacks, destinationsOf } from './destinations.ts';

/** The file name in rules that were read from Consul. */
export const CONSUL_FILE = 'consul';

/** The host name that stands for a service in rules. */
export const serviceHost = (name: string): string => `service/${name}`;

/** The assertion that a rule requires, in words. */
export const consulAssertedText = (as: string, audience: string, provider: string): string =>
  `as ${as}, for ${audience}, by the provider ${provider}`;

/** The rules, reduced to what Consul can express. The service's name in Consul stands for host and service, and the
 * name of the source stands for `as`. All methods that a permission cannot name count as one. If a rule allows anyone,
 * Consul does not read whether the caller is an agent. In a policy without agents, the same is true for a rule that
 * allows anyone with an assertion. */
export function consulProjection(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  if (consulLacks(policy, rules) !== undefined) return [];
  const provider = ownerOf(policy);
  return destinationsOf(policy, rules).flatMap(({ name, sources }) =>
    sources.flatMap((source) =>
      source.rules.map((rule) => {
        const { as, service, who, agent, alone, tools } = rule;
        const isSigned = assertionFor(policy, rule) !== undefined;
        const looks = who.kind === 'role' || agent !== undefined;
        return meshRule(
          CONSUL_FILE,
          widened(rule),
          { host: serviceHost(name), as: source.name },
          {
            who: isSigned ? who : { kind: 'anyone' },
            ...(isSigned && looks && { agent: agent ?? null }),
            ...(isSigned && alone && { alone }),
            ...(tools && { tools }),
            ...(isSigned && { asserted: consulAssertedText(as, service, provider) }),
          },
        );
      }),
    ),
  );
}
