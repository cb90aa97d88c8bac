import type { Change } from '../../rules/compare/diff.ts';
import type { DefinitionChange } from '../../rules/compare/parts.ts';
import { type StoredChange, storedText } from '../../rules/table/stored.ts';
import type { Rule } from '../../rules/types.ts';
import type { ChangedTeams } from './teams.ts';
import { changeText, definitionText, type Routed } from './text.ts';

/** Returns a rule and its place in the file as JSON. */
export function ruleJson({ id, at, service, as }: Rule) {
  return { rule: id, at, service, ...(as !== '' && { as }) };
}

const ofTeam = (team: string | undefined) => (team === undefined ? {} : { team });

function changeJson(change: Change, routed: Routed, teams: ChangedTeams) {
  const { kind, who, host, paths, methods, before, after, still } = change;
  return {
    kind,
    ...ofTeam(teams.ofChange(change)),
    who: who.kind,
    ...('roles' in who && { roles: who.roles }),
    ...('given' in who && { given: who.given }),
    ...(who.agent !== undefined && { agent: who.agent }),
    ...(who.message !== undefined && { message: who.message }),
    host,
    paths,
    methods,
    ...(before && { before: ruleJson(before) }),
    ...(after && { after: ruleJson(after) }),
    ...(still.length > 0 && { still }),
    text: changeText(change, routed),
  };
}

/** Returns a difference as JSON. */
export function diffJson(
  changes: readonly Change[],
  definitions: readonly DefinitionChange[],
  stored: readonly StoredChange[],
  routed: Routed,
  teams: ChangedTeams,
): unknown {
  return {
    changed: changes.length + definitions.length + stored.length > 0,
    changes: changes.map((change) => changeJson(change, routed, teams)),
    definitions: definitions.map(({ affects, ...rest }) => ({
      ...rest,
      ...ofTeam(teams.ofDefinition({ affects, ...rest })),
      ...(affects.length > 0 && { affects }),
      text: definitionText({ affects, ...rest }),
    })),
    stored: stored.map((change) => ({ kind: change.kind, effects: change.effects, text: storedText(change) })),
  };
}
