import type { Policy } from '../../policy/checked/types.ts';
import { definitionChanges } from '../../rules/compare/changed-definitions.ts';
import { type Change, diff } from '../../rules/compare/diff.ts';
import type { DefinitionChange } from '../../rules/compare/parts.ts';
import { populationOf } from '../../rules/compare/population.ts';
import { type StoredChange, storedChanges, storedText } from '../../rules/table/stored.ts';
import type { Rule } from '../../rules/types.ts';
import { argument, command, formatFlag, NO, YES } from '../common/context.ts';
import { loadPair } from '../common/load.ts';
import type { Paint } from '../common/print.ts';
import { pairFlags, pairOf } from '../common/source.ts';
import { storedNamesOf } from '../validate/stored-data.ts';
import { changeText, definitionText, type Routed } from './text.ts';

/** Finds the team that a change concerns; undefined if it concerns the policy itself, or no single team. */
interface ChangedTeams {
  /** Whether one of the policies has teams. */
  readonly hasTeams: boolean;
  ofChange(change: Change): string | undefined;
  ofDefinition(change: DefinitionChange): string | undefined;
}

/** Returns the teams of changes between two policies. If something moves to another team, the new team counts. */
function changedTeams(before: Policy, after: Policy): ChangedTeams {
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

/** Returns a rule and its place in the file as JSON. */
export const ruleJson = ({ id, at, service, as }: Rule) => ({ rule: id, at, service, as: as || undefined });

function changeOf(change: Change, routed: Routed, teams: ChangedTeams) {
  const { kind, who, host, paths, methods, before, after, still } = change;
  return {
    kind,
    team: teams.ofChange(change),
    who: who.kind,
    roles: 'roles' in who ? who.roles : undefined,
    given: 'given' in who ? who.given : undefined,
    ...{ agent: who.agent, message: who.message },
    ...{ host, paths, methods },
    before: before && ruleJson(before),
    after: after && ruleJson(after),
    still: still.length > 0 ? still : undefined,
    text: changeText(change, routed),
  };
}

function definitionOf({ affects, ...rest }: DefinitionChange, teams: ChangedTeams) {
  return {
    ...rest,
    team: teams.ofDefinition({ affects, ...rest }),
    affects: affects.length > 0 ? affects : undefined,
    text: definitionText({ affects, ...rest }),
  };
}

const storedOf = (change: StoredChange) => ({ kind: change.kind, effects: change.effects, text: storedText(change) });

/** How two policies differ. */
interface Difference {
  readonly changed: boolean;
  readonly changes: readonly ReturnType<typeof changeOf>[];
  readonly definitions: readonly ReturnType<typeof definitionOf>[];
  readonly stored: readonly ReturnType<typeof storedOf>[];
}

const SIGNS: Readonly<Record<Change['kind'], readonly [string, 'good' | 'bad' | 'strong']>> = {
  gained: ['+', 'good'],
  changed: ['~', 'strong'],
  lost: ['-', 'bad'],
};

interface Line {
  readonly team?: string | undefined;
  readonly text: string;
}

/** Describes a difference for people, one change per line, and with teams below the name of each team. `+` marks access
 * that is gained, `-` access that is lost, `~` another identity or service, and `!` what happens to data that gateways
 * store. */
function textOf({ changed, changes, definitions, stored }: Difference, hasTeams: boolean, paint: Paint): string {
  if (!changed) return 'nothing changed\n';
  const lines: readonly Line[] = [
    ...changes.map(({ kind, team, text }) => {
      const [sign, style] = SIGNS[kind];
      return { team, text: `${paint(style, sign)} ${text}` };
    }),
    ...definitions.map(({ team, text }) => ({ team, text: `${paint('strong', '*')} ${text}` })),
    ...stored.map(({ text }) => ({ text: `${paint('bad', '!')} stored: ${text}` })),
  ];
  const shown = hasTeams ? grouped(lines, paint) : lines.map(({ text }) => text);
  return `${shown.join('\n')}\n`;
}

/** The lines of the policy itself, and then those of each team, below a heading. */
function grouped(lines: readonly Line[], paint: Paint): readonly string[] {
  const teams = [...new Set(lines.flatMap(({ team }) => team ?? []))].sort();
  const first = lines.some(({ team }) => team === undefined) ? [undefined] : [];
  return [...first, ...teams].flatMap((name) => [
    paint('strong', name === undefined ? 'the policy' : `team ${name}`),
    ...lines.flatMap(({ team, text }) => (team === name ? [`  ${text}`] : [])),
  ]);
}

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
  run(runtime, stages, before, after) {
    const [old, fresh] = loadPair(runtime, pairOf(before, after, stages));
    const changes = diff(old.rules, fresh.rules, populationOf(old.policy, fresh.policy));
    const definitions = definitionChanges(old.policy, fresh);
    const stored = storedChanges(storedNamesOf(old), storedNamesOf(fresh));
    const services = new Map(fresh.policy.hosts.flatMap(({ routes }) => routes.map((it) => [it.name, it.service])));
    const routed = ({ route }: Rule) => services.get(route);
    const teams = changedTeams(old.policy, fresh.policy);
    const value = {
      changed: changes.length + definitions.length + stored.length > 0,
      changes: changes.map((it) => changeOf(it, routed, teams)),
      definitions: definitions.map((it) => definitionOf(it, teams)),
      stored: stored.map(storedOf),
    };
    return { code: value.changed ? NO : YES, value, text: (paint) => textOf(value, teams.hasTeams, paint) };
  },
});
