import { child, choose, type Schema, unwrap } from '../forms/descend.ts';
import { cardsOf, limitOf, type TeamLimit } from '../forms/mapping.ts';
import { type Path, quote } from '../forms/path.ts';
import { addressesOf, addressesOverlap, coversHost, coversName, overlap, rolePrefix } from '../forms/team-names.ts';
import {
  type DraftPolicy,
  entriesOf,
  headersOf,
  ingressesOf,
  isDirect,
  meshesOf,
  routesOf,
  serviceOf,
  writes,
} from '../read/draft.ts';
import type { Report } from '../read/report.ts';
import { namesIn, namesOf, type Reference, references } from '../read/sections.ts';
import { childrenOf, find, type Scalar, type Tree } from '../read/tree.ts';
import { DEFAULT_HEADERS } from '../schema/headers.ts';
import { policySchema } from '../schema/policy.ts';
import { PERMISSIONS, type Permission } from '../schema/team.ts';
import { beyond, forbidden, type Granted, hostName, serviceName } from '../schema/team-limits.ts';
import { TRUSTED } from '../trusted/index.ts';

/** Checks that the file of each team stays inside its grant: its names, what it refers to, and each key. */
export function checkTeamFiles(report: Report, draft: DraftPolicy): void {
  const { granted = [] } = report.scope;
  if (granted.length === 0) return;
  const all = references(report).filter(({ path }) => path[0] !== 'teams');
  checkVisible(report, all);
  for (const given of granted) checkTeam(report, draft, given, all);
}

const SECTION: Partial<Record<Reference['kind'], string>> = { role: 'roles', service: 'services' };

/** Checks that nothing refers to a name of another team. */
function checkVisible(report: Report, all: readonly Reference[]): void {
  for (const { kind, name, path, isKey } of all) {
    const section = SECTION[kind];
    if (section === undefined || find(report.tree, [section, name]) === undefined) continue;
    const owner = report.teamOf([section, name]);
    if (owner === undefined || owner === report.teamOf(path)) continue;
    report.add(
      path,
      `the ${kind} ${quote(name)} is for the file of team ${owner} only; write another`,
      isKey ? 'key' : 'value',
    );
  }
}

function checkTeam(report: Report, draft: DraftPolicy, given: Granted, all: readonly Reference[]): void {
  checkNames(report, given);
  checkReferred(report, given, all);
  checkDefaults(report, draft, given);
  checkTeamHeaders(report, draft, given);
  for (const [section, { card, schema }] of Object.entries(cardsOf(policySchema) ?? {})) {
    const node = find(report.tree, [section]);
    if (limitOf(card) !== 'inside' || node === undefined || node.kind === 'scalar') continue;
    for (const [step, below] of childrenOf(node)) {
      const own = child(unwrap(schema), step)?.schema;
      if (own !== undefined && isOwn(report, given, [section, step]))
        walk(report, given, 'inside', own, below, [section, step]);
    }
  }
}

const isOwn = (report: Report, { name }: Granted, path: Path): boolean => report.teamOf(path) === name;

/** The names of a section that the team's file defines. */
const ownNames = (report: Report, given: Granted, section: string): readonly string[] =>
  (namesIn(report, [section]) ?? []).filter((name) => isOwn(report, given, [section, name]));

function checkNames(report: Report, given: Granted): void {
  const prefix = rolePrefix(given.name);
  for (const role of ownNames(report, given, 'roles')) {
    if (role.startsWith(prefix) || given.grant.roles.some((it) => coversName(it, role))) continue;
    const plain = role.replace(/^.*[.]/, '');
    report.key(['roles', role], `roles of team ${given.name} begin with ${prefix}; write ${quote(prefix + plain)}`);
  }
  for (const [section, mistake] of [
    ['services', serviceName],
    ['hosts', hostName],
  ] as const) {
    for (const name of ownNames(report, given, section)) {
      const message = mistake(name, given);
      if (message !== undefined) report.key([section, name], message);
    }
  }
}

/** Checks the names that the file refers to. It cannot refer to names of other teams, which are not in this tree. */
function checkReferred(report: Report, given: Granted, all: readonly Reference[]): void {
  const { grant } = given;
  const providers = namesOf(report, 'provider') ?? [];
  for (const { kind, name, path, isKey } of all) {
    if (!isOwn(report, given, path)) continue;
    const add = (message: string | undefined) => {
      if (message !== undefined) report.add(path, message, isKey ? 'key' : 'value');
    };
    const named = `the ${kind} ${quote(name)}`;
    if (kind === 'service') add(serviceName(name, given));
    if (kind === 'identity' && !grant.identities.includes(name)) {
      add(beyond(given, named, 'identities', grant.identities, name));
    }
    if (kind === 'mesh' && !grant.meshes.includes(name)) add(beyond(given, named, 'meshes', grant.meshes, name));
    if (kind === 'provider' && providers.length > 1 && !grant.providers.includes(name)) {
      add(beyond(given, named, 'providers', grant.providers, name));
    }
  }
}

/** Checks what the file leaves out, so that a default applies: the default mesh, and the default identity. */
function checkDefaults(report: Report, draft: DraftPolicy, given: Granted): void {
  const { meshes, identities } = given.grant;
  for (const name of meshes.includes('default') ? [] : ownNames(report, given, 'services')) {
    const service = draft.services?.[name];
    if (service === undefined || isDirect(service) || writes(service, 'mesh')) continue;
    report.missing(['services', name], 'mesh', `mesh: ${meshes[0]}, because the default mesh is not granted`);
  }
  if (identities.includes('default')) return;
  for (const { route, path } of routesOf(draft).filter((it) => isOwn(report, given, it.path))) {
    for (const [index, rule] of (route.allow ?? []).entries()) {
      const service = draft.services?.[(rule && serviceOf(route, rule)) ?? ''];
      if (service === undefined || isDirect(service) || (typeof rule === 'object' && writes(rule, 'as'))) continue;
      const message = `the identity "default" is not granted to team ${given.name}; write as: ${identities[0]} in this rule`;
      report.key([...path, 'allow', index], message);
    }
  }
}

/** A schema decides by the kind of a value which of its forms is meant. */
const KINDS = { scalar: '', list: [], map: {} } as const;

const NOT_FOR_TEAMS = 'a team’s file cannot have this key; remove it';

/** Checks a value of the team's file, and all values below it. A key without a limit is refused. */
function walk(report: Report, given: Granted, limit: TeamLimit, schema: Schema, node: Tree, path: Path): void {
  if (limit === 'free') return;
  if (limit !== 'inside' && 'never' in limit) {
    report.key(path, limit.never);
    return;
  }
  if (limit !== 'inside' && 'may' in limit) {
    const may = limit.may as Permission;
    if (!given.grant.may.includes(may)) report.key(path, forbidden(given, may, PERMISSIONS[may]));
    return;
  }
  if (node.kind === 'scalar') {
    checkText(report, given, limit, node, path);
    return;
  }
  const form = choose(unwrap(schema), KINDS[node.kind]);
  const keys = form && cardsOf(form.schema);
  for (const [step, below] of childrenOf(node)) {
    const here = [...path, step];
    const own = keys && (Object.hasOwn(keys, step) ? keys[step] : undefined);
    const inner = own?.schema ?? child(form, step)?.schema;
    const rule = keys ? own && limitOf(own.card) : limit;
    if (inner === undefined || rule === undefined) report.key(here, NOT_FOR_TEAMS);
    else walk(report, given, rule, inner, below, here);
  }
}

function checkText(report: Report, given: Granted, limit: TeamLimit, { value }: Scalar, path: Path): void {
  if (typeof limit === 'string' || !('text' in limit) || typeof value !== 'string') return;
  const mistake = limit.text as (text: string, given: Granted) => string | undefined;
  const message = mistake(value, given);
  if (message !== undefined) report.add(path, message);
}

const ERASED = [...TRUSTED.identity, ...TRUSTED.certificates].flatMap(({ names }) => names);

/** Checks the identity headers in a team's file. nginx erases the identity headers of one host from requests to every
 * host, so a new name concerns all. A session keeps the claims that headers send, so a claim concerns all, too. */
export function checkTeamHeaders(report: Report, draft: DraftPolicy, given: Granted): void {
  const isOwn = (path: Path) => report.teamOf(path) === given.name;
  const all = headersOf(draft);
  const ofPolicy = all
    .filter(({ path }) => report.teamOf(path) === undefined)
    .flatMap(({ headers }) => Object.keys(headers));
  const names = [...Object.keys(DEFAULT_HEADERS), ...ERASED, ...ofPolicy, ...given.grant.headers];
  const allowed = new Set(names.map((name) => name.toLowerCase()));
  for (const { path, headers } of all.filter((it) => isOwn(it.path))) {
    for (const [name, source] of Object.entries(headers)) {
      const here = [...path, name];
      if (!allowed.has(name.toLowerCase())) {
        report.key(here, beyond(given, `the header ${quote(name)}`, 'headers', given.grant.headers, name));
      }
      const isClaim = source === 'groups' || (typeof source === 'object' && source !== null && 'claim' in source);
      if (isClaim && !given.grant.may.includes('claims')) {
        report.key(here, forbidden(given, 'claims', PERMISSIONS.claims));
      }
    }
  }
}

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
