import { definitionChanges } from '../../rules/compare/changed-definitions.ts';
import { diff } from '../../rules/compare/diff.ts';
import { populationOf } from '../../rules/compare/population.ts';
import { storedChanges } from '../../rules/table/stored.ts';
import type { Rule } from '../../rules/types.ts';
import { painter } from '../common/colours.ts';
import { argument, command, formatFlag, json, NO, NOT_PROVEN, YES } from '../common/context.ts';
import { loadPair } from '../common/load.ts';
import { pairFlags, pairOf } from '../common/source.ts';
import { storedNamesOf } from '../validate/stored-data.ts';
import { diffJson } from './json.ts';
import { changedTeams } from './teams.ts';
import { diffText } from './text.ts';

/** `meshgate diff`: compares two policies and lists the callers that gain or lose access. */
export const diffCommand = command({
  brief: 'Show which callers gain or lose access from one policy to another',
  text: 'Shows which callers gain or lose access from one policy to another. It compares the requests that the policies allow, not their text. It also lists the roles, providers, services, identities and headers that changed, and what a change of names does to revocations, sessions and other data that gateways store. If the policies have teams, the changes are grouped by team.',
  exits: { 0: 'nothing changed', 1: 'something changed', 3: 'a policy has errors' },
  examples: [
    'meshgate diff old.yaml new.yaml',
    'git show main:meshgate.yaml | meshgate diff - meshgate.yaml',
    'meshgate diff --format json old.yaml new.yaml',
    'meshgate diff --old-overlay test.yaml --new-overlay prod.yaml meshgate.yaml meshgate.yaml',
  ],
  flags: { ...pairFlags, format: formatFlag },
  args: [argument('OLD', 'The old policy (- reads standard input)'), argument('NEW', 'The new policy')],
  run(runtime, { format, ...stages }, before, after) {
    const loaded = loadPair(runtime, pairOf(before, after, stages));
    if (loaded === undefined) return NOT_PROVEN;
    const [old, fresh] = loaded;
    const changes = diff(old.rules, fresh.rules, populationOf(old.policy, fresh.policy));
    const definitions = definitionChanges(old.policy, fresh);
    const stored = storedChanges(storedNamesOf(old), storedNamesOf(fresh));
    const services = new Map(fresh.policy.hosts.flatMap(({ routes }) => routes.map((it) => [it.name, it.service])));
    const routed = ({ route }: Rule) => services.get(route);
    const teams = changedTeams(old.policy, fresh.policy);
    runtime.out(
      format === 'json'
        ? json(diffJson(changes, definitions, stored, routed, teams))
        : diffText(changes, definitions, stored, routed, teams, painter(runtime)),
    );
    return changes.length + definitions.length + stored.length === 0 ? YES : NO;
  },
});
