import type { Policy } from '../../policy/checked/types.ts';
import type { Change } from '../../rules/compare/diff.ts';
import type { DefinitionChange } from '../../rules/compare/parts.ts';

/** Finds the team that a change concerns; undefined if it concerns the policy itself, or no single team. */
export interface ChangedTeams {
  /** Whether one of the policies has teams. */
  readonly hasTeams: boolean;
  ofChange(change: Change): string | undefined;
  ofDefinition(change: DefinitionChange): string | undefined;
}

/** Returns the teams of changes between two policies. If something moves to another team, the new team counts. */
export function changedTeams(before: Policy, after: Policy): ChangedTeams {
  const both = [after, before];
  const teamIn = (named: (policy: Policy) => { readonly team?: string } | undefined) =>
    both.map((policy) => named(policy)).find((it) => it !== undefined)?.team;
  const ofHost = (name: string) => teamIn(({ hosts }) => hosts.find((host) => host.name === name));
  const hostIn = (place: string) => place.replace(/\/.*$/s, '');
  return {
    hasTeams: both.some(({ teams }) => teams !== undefined),
    ofChange: ({ host }) => ofHost(host),
    ofDefinition({ section, name, affects }) {
      if (section === 'role') return teamIn(({ roles }) => roles[name]);
      if (section === 'service') return teamIn(({ services }) => services[name]);
      if (section === 'host' || section === 'route') return ofHost(hostIn(name));
      if (section !== 'header') return undefined;
      const [team, ...others] = new Set(affects.map((place) => ofHost(hostIn(place))));
      return others.length === 0 ? team : undefined;
    },
  };
}
