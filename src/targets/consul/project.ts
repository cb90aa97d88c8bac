import type { Policy } from '../../policy/types.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { widened } from '../kit/methods.ts';
import { meshRule } from '../kit/rules.ts';
import { assertionFor, destinationsOf, missing } from './destinations.ts';
import { PROVIDER } from './permissions.ts';

/** The file name for rules that were read from Consul. */
export const FILE = 'consul';

/** A service as the host of its requests. */
export const serviceHost = (name: string): string => `service/${name}`;

/** The assertion that a rule requires, in words. */
export const assertedText = (as: string, audience: string, provider: string): string =>
  `as ${as}, for ${audience}, by the provider ${provider}`;

/** The rules as far as Consul keeps them. Its service represents host and service, and the source represents `as`. All
 * methods that no permission can name are one. If anyone passes, or anyone with an assertion in a policy without
 * agents, Consul does not read whether the caller is an agent. */
export function projection(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  if (missing(policy, rules) !== undefined) return [];
  return destinationsOf(policy, rules).flatMap(({ name, sources }) =>
    sources.flatMap((source) =>
      source.rules.map((rule) => {
        const { as, service, who, agent, alone, tools } = rule;
        const isSigned = assertionFor(policy, rule) !== undefined;
        const looks = who.kind === 'role' || agent !== undefined;
        return meshRule(FILE, widened(rule), serviceHost(name), source.name, {
          who: isSigned ? who : { kind: 'anyone' },
          ...(isSigned && looks && { agent: agent ?? null }),
          ...(isSigned && alone && { alone }),
          ...(tools && { tools }),
          ...(isSigned && { asserted: assertedText(as, service, PROVIDER) }),
        });
      }),
    ),
  );
}
