import { type DraftPolicy, isDirect, routesOf, serviceOf, writes } from './draft.ts';
import { namesIn, namesOf, type Reference, references } from './names.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { PERMISSIONS } from './team.ts';
import { checkTeamHeaders } from './team-headers.ts';
import { beyond, forbidden, type Granted, hostName, type Limit, serviceName, TEAM_SECTIONS } from './team-keys.ts';
import { coversName, rolePrefix } from './team-names.ts';
import { childrenOf, find, type Tree } from './tree.ts';

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
  for (const [section, limit] of Object.entries(TEAM_SECTIONS)) {
    const node = find(report.tree, [section]);
    if (node === undefined || node.kind === 'scalar') continue;
    for (const [step, below] of childrenOf(node)) {
      if (!isOwn(report, given, [section, step])) continue;
      walk(report, given, (limit as { each: Limit }).each, below, [section, step]);
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

/** Checks a value of the team's file, and all values below it. */
function walk(report: Report, given: Granted, limit: Limit, node: Tree, path: Path): void {
  if (limit === 'free') return;
  if ('never' in limit) report.key(path, limit.never);
  else if ('may' in limit) {
    const { may } = limit;
    if (!given.grant.may.includes(may)) report.key(path, forbidden(given, may, PERMISSIONS[may]));
  } else if ('each' in limit) {
    if (node.kind === 'scalar') return;
    for (const [step, below] of childrenOf(node)) walk(report, given, limit.each, below, [...path, step]);
  } else if (node.kind === 'scalar' || node.kind === 'list') {
    checkTexts(report, given, limit.text, node, path);
  } else if ('keys' in limit) {
    const keys = limit.keys();
    for (const [key, { node: below }] of node.entries) {
      const own = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (own !== undefined) walk(report, given, own, below, [...path, key]);
      else report.key([...path, key], 'a team’s file cannot have this key; remove it');
    }
  }
}

function checkTexts(
  report: Report,
  given: Granted,
  mistake: ((text: string, given: Granted) => string | undefined) | undefined,
  node: Exclude<Tree, { kind: 'map' }>,
  path: Path,
): void {
  const texts =
    node.kind === 'scalar' ? [[path, node] as const] : node.items.map((it, i) => [[...path, i], it] as const);
  for (const [at, text] of texts) {
    if (text.kind !== 'scalar' || typeof text.value !== 'string') continue;
    const message = mistake?.(text.value, given);
    if (message !== undefined) report.add(at, message);
  }
}
