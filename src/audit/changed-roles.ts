import type { Policy } from '../policy/types.ts';
import { roleChanges } from '../rules/definitions.ts';

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
