import type { Policy } from '../../policy/types.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { widened } from '../kit/methods.ts';
import { meshRule } from '../kit/rules.ts';
import { assertionFor, destinationsOf, missing } from './destinations.ts';
import { PROVIDER } from './permissions.ts';

/** Consul's files are generated: their lines mean nothing. */
export const FILE = 'consul';

/** A service stands for the host of the requests that it is asked. */
export const serviceHost = (name: string): string => `service/${name}`;

/** The assertion that a rule wants, in words. */
export const assertedText = (as: string, audience: string, provider: string): string =>
  `as ${as}, for ${audience}, by the provider ${provider}`;

/**
 * The rules as far as Consul keeps them: its service stands for host and service, the source for `as`, and all methods
 * that no permission can name are one. Where anyone passes, or anyone with an assertion in a policy without agents,
 * nobody looks whether it is an agent.
 */
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
