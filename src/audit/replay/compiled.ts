import type { Policy } from '../../policy/checked/types.ts';
import type { Ruled } from '../../rules/decide/at-ingress.ts';
import type { Rule } from '../../rules/types.ts';

type Named = readonly (readonly [name: string, value: unknown])[];

const isNamed = (value: unknown): value is Named => Array.isArray(value) && value.every((it) => Array.isArray(it));

const areObjects = (value: unknown): value is readonly object[] =>
  Array.isArray(value) && value.every((it) => typeof it === 'object' && it !== null);

/** Reads a compiled policy from the text of which its digest is made. It has no places in a file and no tests.
 * @returns undefined if the text is not that of a compiled policy */
export function readCompiled(text: string): Ruled | undefined {
  let content: Record<string, unknown>;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { rules, providers, roles, agents, hosts, ...others } = content ?? {};
  if (!areObjects(rules) || !areObjects(hosts)) return undefined;
  if (!isNamed(providers) || !isNamed(roles) || !isNamed(agents)) return undefined;
  const policy = {
    ...others,
    hosts,
    tests: [],
    providers: Object.fromEntries(providers),
    roles: Object.fromEntries(roles),
    agents: Object.fromEntries(agents),
  } as unknown as Policy;
  return { policy, rules: rules as Rule[] };
}
