import type { At, Policy } from '../../policy/types.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { widened } from '../named-methods.ts';
import { PROVIDER } from './permissions.ts';
import { assertionFor, destinationsOf, missing } from './scene.ts';

/** Consul's files are generated: their lines mean nothing. */
export const NOWHERE: At = { file: 'consul', line: 0, column: 0 };

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
      source.rules.map((rule): MeshRule => {
        const { id, route, path, methods, as, service, who, agent, alone, tools } = widened(rule);
        const signed = assertionFor(policy, rule) !== undefined;
        const looks = who.kind === 'role' || agent !== undefined;
        const host = serviceHost(name);
        const plain = { id, at: NOWHERE, route, host, path, service: host, as: source.name };
        return {
          ...plain,
          ...(methods !== undefined && { methods }),
          who: signed ? who : { kind: 'anyone' },
          ...(signed && looks && { agent: agent ?? null }),
          ...(signed && alone && { alone }),
          ...(tools && { tools }),
          ...(signed && { asserted: assertedText(as, service, PROVIDER) }),
        };
      }),
    ),
  );
}
