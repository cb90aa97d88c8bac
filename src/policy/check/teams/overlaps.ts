import { type Path, quote } from '../../forms/path.ts';
import { addressesOf, addressesOverlap, coversHost, coversName, overlap, rolePrefix } from '../../forms/team-names.ts';
import { type DraftPolicy, entriesOf, ingressesOf, meshesOf } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';

type DraftTeam = NonNullable<NonNullable<DraftPolicy['teams']>[string]>;

const known = (list: readonly (string | undefined)[] | undefined): readonly string[] =>
  (list ?? []).filter((it) => it !== undefined);

const coverOne = overlap(coversName);

const same = (one: string, other: string): boolean => one === other;

/** What no two teams may share, so that a file is right or wrong whatever the files of the others contain. */
const APART: readonly (readonly [
  key: 'file' | 'hosts' | 'roles' | 'services' | 'namespaces' | 'addresses',
  of: (team: DraftTeam) => readonly string[],
  overlaps: (one: string, other: string) => boolean,
])[] = [
  ['file', ({ file }) => known([file]), same],
  ['hosts', ({ hosts }) => known(hosts), overlap(coversHost)],
  ['roles', ({ roles }) => known(roles), coverOne],
  ['services', ({ services }) => known(services), coverOne],
  ['namespaces', ({ namespaces }) => known(namespaces), same],
  ['addresses', ({ addresses }) => known(addresses), addressesOverlap],
];

/** Checks that the grants of teams do not overlap, and that the policy defines nothing that belongs to a team. */
export function checkTeams(report: Report, draft: DraftPolicy): void {
  const teams = entriesOf(draft.teams);
  for (const [index, [name, team]] of teams.entries()) {
    for (const [key, of, overlaps] of APART) {
      const others = teams.slice(0, index).flatMap(([other, it]) => of(it).map((value) => ({ other, value })));
      for (const [i, value] of of(team).entries()) {
        const taken = others.find((it) => overlaps(it.value, value));
        if (taken === undefined) continue;
        const path = ['teams', name, key, ...(key === 'file' ? [] : [i])];
        report.add(path, `${quote(value)} overlaps ${quote(taken.value)} of team ${taken.other}; grant it to one team`);
      }
    }
    checkOwn(report, draft, name, team);
  }
  checkNamespaces(report, teams);
}

/** Checks addresses against the addresses that follow from the namespaces of other teams. */
function checkNamespaces(report: Report, teams: readonly [string, DraftTeam][]): void {
  for (const [name, { addresses }] of teams) {
    for (const [index, address] of known(addresses).entries()) {
      for (const [other, { namespaces }] of teams) {
        const names = addressesOf({ addresses: [], namespaces: known(namespaces) });
        if (other === name || !names.some((it) => addressesOverlap(it, address))) continue;
        const message = `${quote(address)} overlaps a namespace of team ${other}; grant less`;
        report.add(['teams', name, 'addresses', index], message);
      }
    }
  }
}

/** Checks the hosts and roles of the policy itself: those of a team are in its file. */
function checkOwn(report: Report, draft: DraftPolicy, team: string, { hosts, roles, namespaces }: DraftTeam): void {
  for (const role of Object.keys(draft.roles ?? {}).filter((it) => isOfPolicy(report, ['roles', it]))) {
    if (!role.startsWith(rolePrefix(team))) continue;
    report.key(
      ['roles', role],
      `roles that begin with ${rolePrefix(team)} are those of team ${team}; write another name`,
    );
  }
  for (const [index, role] of known(roles).entries()) {
    const other = Object.keys(draft.teams ?? {}).find((it) => it !== team && coverOne(role, `${rolePrefix(it)}*`));
    if (other !== undefined) {
      report.add(
        ['teams', team, 'roles', index],
        `roles that begin with ${rolePrefix(other)} are those of team ${other}; grant another name`,
      );
    }
    if (!Object.hasOwn(draft.roles ?? {}, role) || !isOfPolicy(report, ['roles', role])) continue;
    const message = `this policy itself defines the role ${quote(role)}, which each team may use; remove it here`;
    report.add(['teams', team, 'roles', index], message);
  }
  for (const [index, host] of known(hosts).entries()) {
    if (!Object.hasOwn(draft.hosts ?? {}, host) || !isOfPolicy(report, ['hosts', host])) continue;
    const message = `this policy itself defines the host ${quote(host)}; remove it here, or move the host to the team’s file`;
    report.add(['teams', team, 'hosts', index], message);
  }
  checkIngresses(report, draft, team, known(namespaces));
  const signin = draft.gateway?.signin?.host;
  const index = signin === undefined ? -1 : known(hosts).findIndex((it) => coversHost(it, signin));
  if (index >= 0) {
    const message = `it covers ${quote(String(signin))}, where people sign in (gateway.signin.host); grant less`;
    report.add(['teams', team, 'hosts', index], message);
  }
}

/** Rejects the namespace of an ingress: the rules of a service there could select the ingress of all services. */
function checkIngresses(report: Report, draft: DraftPolicy, team: string, namespaces: readonly string[]): void {
  const taken = new Set(meshesOf(draft).flatMap((mesh) => ingressesOf(mesh).map(({ ingress }) => ingress.namespace)));
  for (const [index, namespace] of namespaces.entries()) {
    if (!taken.has(namespace)) continue;
    const message = `an ingress of the mesh runs in namespace ${quote(namespace)}; grant another`;
    report.add(['teams', team, 'namespaces', index], message);
  }
}

const isOfPolicy = (report: Report, path: Path): boolean => report.teamOf(path) === undefined;
