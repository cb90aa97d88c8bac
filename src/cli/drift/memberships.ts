import type { Loaded } from '../common/load.ts';

/** Ends of the names of roles that the profile `confluence` makes for itself. They are no groups of Confluence. */
const OWN = /-(?:console|break-glass|links)$/;

/** The names of groups that rules of a host name as roles. */
export function groupNames({ policy, rules }: Loaded, host: string): readonly string[] {
  const named = rules.flatMap(({ host: at, who }) => (at === host && who.kind === 'role' ? [who.role] : []));
  const groups = named.map((role) => {
    const group = role.replace(OWN, '');
    return Object.hasOwn(policy.roles, group) ? group : role;
  });
  return [...new Set(groups)].sort();
}

export interface Drift {
  /** Groups that policy and Confluence have. */
  readonly both: readonly string[];
  /** Roles of the policy that are no group of Confluence. */
  readonly missing: readonly string[];
  /** Groups of Confluence that no role of the policy gives. */
  readonly notGiven: readonly string[];
}

/** Compares names. Confluence's groups have no upper case. */
export function compareGroups(roles: readonly string[], groups: readonly string[]): Drift {
  const known = new Set(groups.map((it) => it.toLowerCase()));
  const given = new Set(roles.map((it) => it.toLowerCase()));
  return {
    both: roles.filter((it) => known.has(it.toLowerCase())),
    missing: roles.filter((it) => !known.has(it.toLowerCase())),
    notGiven: [...groups.filter((it) => !given.has(it.toLowerCase()))].sort(),
  };
}
