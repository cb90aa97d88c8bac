import { child, choose, type Schema, unwrap } from '../../forms/descend.ts';
import { cardsOf, limitOf, type TeamLimit } from '../../forms/mapping.ts';
import { type Path, quote } from '../../forms/path.ts';
import { coversName, rolePrefix } from '../../forms/team-names.ts';
import { type DraftPolicy, isDirect, routesOf, serviceOf, writes } from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { namesIn, namesOf, type Reference, references } from '../../read/sections.ts';
import { childrenOf, find, type Scalar, type Tree } from '../../read/tree.ts';
import { policySchema } from '../../schema/policy.ts';
import { PERMISSIONS, type Permission } from '../../schema/team.ts';
import { beyond, forbidden, type Granted, hostName, serviceName } from '../../schema/team-limits.ts';
import { checkTeamHeaders } from './shared-headers.ts';

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
