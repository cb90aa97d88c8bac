import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { asFile, differences } from '../kit/compare.ts';
import type { Files, MeshOptions } from '../types.ts';
import { bootstrap } from './bootstrap.ts';
import { authoritiesOf } from './domains.ts';
import { ALLOW_FILTER } from './rbac.ts';
import { authoritiesIn, documentsOf, policiesIn } from './read.ts';

/** The configuration without its rules, because the rules are compared by a proof. */
function withoutRules(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutRules);
  const { name, typed_config } = value as { readonly name?: unknown; readonly typed_config?: object };
  if (name === ALLOW_FILTER && typed_config !== undefined && 'rules' in typed_config) {
    const { policies: _, ...rules } = typed_config.rules as Readonly<Record<string, unknown>>;
    return { ...value, typed_config: { ...typed_config, rules } };
  }
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, withoutRules(own)]));
}

/** Rules for authorities that belong to no service. */
function strangers(policy: Policy, rules: readonly Rule[], live: unknown): readonly string[] {
  const known = new Set(authoritiesOf(policy, rules).map(({ domains }) => domains.join()));
  return Object.entries(policiesIn(live)).flatMap(([id, rule]) => {
    const own = authoritiesIn(rule) ?? [];
    return own.length === 0 || known.has(own.join())
      ? []
      : [`rule ${id} is for ${own.join(', ')}, which is not the authority of a service`];
  });
}

/** How a file differs from what meshgate renders from the policy, apart from the rules. */
export function envoyDrift(policy: Policy, rules: readonly Rule[], _: MeshOptions, files: Files): readonly string[] {
  const [live, ...more] = documentsOf(files);
  return [
    ...(more.length > 0 ? ['there is more than one document, and Envoy reads only the first'] : []),
    ...differences(asFile(withoutRules(bootstrap(policy, rules))), withoutRules(live)),
    ...strangers(policy, rules, live),
  ];
}
