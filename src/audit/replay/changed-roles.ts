import type { Policy } from '../../policy/checked/types.ts';
import { definitionChanges, roleChanges } from '../../rules/compare/changed-definitions.ts';
import { classify } from '../../rules/compare/classify.ts';
import type { DefinitionChange } from '../../rules/compare/parts.ts';
import type { Ruled } from '../../rules/decide/at-ingress.ts';

/** Returns the roles of a new policy whose definition differs from that in the old one, by themselves or through other
 * roles. The roles in a line do not say who has such a role. */
export function changedRoles(before: Policy, after: Policy): ReadonlySet<string> {
  const changes = roleChanges(before, after).filter(({ key }) => key === undefined);
  const names = changes.flatMap(({ name, affects }) => [name, ...affects]);
  return new Set(names.filter((name) => Object.hasOwn(after.roles, name)));
}

/** Returns the roles that an agent now acts for, and did not act for before. Its lines do not show them. */
export function addedActsFor(before: Policy, after: Policy, agent: string): readonly string[] {
  const [was, is] = [before.agents[agent]?.actsFor ?? [], after.agents[agent]?.actsFor ?? []];
  return is.filter((role) => !was.includes(role));
}

/** Returns the changed definitions that can decide logged requests in another way, and that a replay does not evaluate:
 * which credentials a provider or a route accepts, how agents are recognised, budgets. */
export function notEvaluated({ policy: before }: Ruled, after: Ruled): readonly DefinitionChange[] {
  const all = definitionChanges(before, after);
  const agents = all.filter(({ section, key }) => section === 'agent' && key === undefined);
  // Roles and the providers of hosts are evaluated for each line.
  const isOpen = ({ section, key }: DefinitionChange) =>
    section !== 'role' && !(section === 'host' && key === 'providers');
  return [...classify(all).counted.filter(isOpen), ...agents];
}
