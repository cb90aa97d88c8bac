import { cardsOf } from '../forms/mapping.ts';
import { quote } from '../forms/path.ts';
import type { Report } from '../read/report.ts';
import { namesIn } from '../read/sections.ts';
import { nearest, oneOf } from '../read/suggest.ts';
import { copyOf, hole, type Mapping, type Tree, type TreeProblem } from '../read/tree.ts';
import { expandWith } from '../read/variables.ts';
import { policySchema } from '../schema/policy.ts';
import type { Granted } from '../schema/team-limits.ts';
import { nameHosts } from './host-names.ts';
import type { ProfileSource } from './profile-file.ts';
import { withProfiles } from './profiles.ts';
import { conceal, concealSecrets, type Mistakes, type Parts, readFile, type Stage, sectionsOf } from './read-parts.ts';

/** The file of a team as it was read. */
export interface TeamFile {
  readonly given: Granted;
  readonly tree: Tree;
  readonly mistakes: Mistakes;
}

const NAMED = ['roles', 'services', 'hosts'] as const;
export const SECTIONS = [...NAMED, 'profiles', 'tests'] as const;

/** Why a team's file cannot have a section of the policy. */
function refusedSection(name: string): string | undefined {
  const { card } = cardsOf(policySchema)?.[name] ?? {};
  const limit = typeof card === 'object' ? card.team : undefined;
  return typeof limit === 'object' && 'never' in limit ? limit.never : undefined;
}

/** Reads the file of a team, with the variables that the policy grants to it. */
export function readTeam(parts: Parts, given: Granted, policy: Report, stage: Stage): TeamFile {
  const { name, grant } = given;
  const found = stage.readTeam?.(grant.file) ?? { problem: 'this command reads no files of teams' };
  if ('problem' in found) {
    policy.add(['teams', name, 'file'], `cannot read ${quote(grant.file)}: ${found.problem}`);
    return { given, tree: hole(0), mistakes: { problems: [], unread: [], complete: true } };
  }
  const problems: TreeProblem[] = [];
  const base = parts.files.add(found.name, found.text, name);
  const expand = expandWith(stage.variables ?? new Map(), (variable) =>
    grant.variables.includes(variable)
      ? undefined
      : `the variable ${variable} is not granted to team ${name}; write the value itself, or ask the owners of the policy to add ${variable} to teams.${name}.variables`,
  );
  const problem = (it: TreeProblem): void => void problems.push(it);
  const read = readFile(base, found.text, expand, problem);
  const { tree, complete } = withProfiles(
    read.tree,
    brought(stage.profiles),
    parts.files,
    new Set(),
    problem,
    namesIn(policy, ['services']),
  );
  if (tree.kind !== 'map' && problems.length === 0) {
    const message = `a team’s file is a mapping with ${SECTIONS.join(', ')}; write at least hosts below this line`;
    problems.push({ at: base, path: [], message });
  }
  nameHosts(tree, problem);
  conceal(read.tree, parts.concealed);
  concealSecrets(read.tree, parts.concealed);
  return { given, tree, mistakes: { problems, unread: sectionsOf(read), complete } };
}

/** The profiles that meshgate brings. A team cannot name the path of a file. */
const brought = (source: ProfileSource | undefined): ProfileSource | undefined =>
  source && {
    names: () => source.names(),
    read: (use) =>
      use.includes('/')
        ? { mistake: `a team’s file can use only profiles that meshgate brings; write ${oneOf(source.names())}` }
        : source.read(use),
  };

/** Adds the sections of a team's file to a tree of the policy. Names that the policy has stay the policy's.
 * @param alone - whether the tests of the policy are left out, so that paths of tests count in the team's file */
export function mergeTeam(policy: Tree, { tree: read, given }: TeamFile, alone: boolean): readonly TreeProblem[] {
  // Checks correct mistakes in the tree, and the file becomes a part of several trees.
  const tree = copyOf(read);
  const problems: TreeProblem[] = [];
  if (policy.kind !== 'map') return problems;
  if (alone) for (const key of ['profiles', 'tests']) policy.entries.delete(key);
  if (tree.kind !== 'map') return problems;
  for (const [key, { at, node }] of tree.entries) {
    const problem = (message: string) => problems.push({ at, path: [key], message, discarded: node });
    if (NAMED.some((it) => it === key)) addNamed(policy, key, at, node, given, problems);
    else if (key === 'tests') addTests(policy, at, node, problem);
    // They are expanded already. Their form is checked with the file alone, so that their paths count in it.
    else if (key === 'profiles' && alone) policy.entries.set(key, { at, node });
    else if (key === 'profiles') continue;
    else if (key === 'version') checkVersion(policy, node, problem);
    else problem(refusalOf(key));
  }
  return problems;
}

function refusalOf(key: string): string {
  const allowed = `a team’s file has only ${SECTIONS.slice(0, -1).join(', ')} and ${SECTIONS.at(-1)}`;
  const why = refusedSection(key);
  if (why !== undefined) return `${allowed}: ${why}; remove ${quote(key)}, or ask the owners of the policy`;
  const meant = nearest(key, SECTIONS);
  return `unknown key ${quote(key)}: ${allowed}; ${meant === undefined ? 'remove it' : `did you mean ${quote(meant)}?`}`;
}

function addNamed(
  policy: Mapping,
  section: string,
  at: number,
  node: Tree,
  { name: team }: Granted,
  problems: TreeProblem[],
): void {
  if (node.kind !== 'map') {
    const message = `write the names of ${section}, each with its own mapping, below it`;
    problems.push({ at, path: [section], message });
    return;
  }
  const entry = policy.entries.get(section) ?? { at, node: { kind: 'map', at, entries: new Map() } };
  policy.entries.set(section, entry);
  // The section of the policy has another form, which its own report says.
  if (entry.node.kind !== 'map') return;
  for (const [name, it] of node.entries) {
    if (!entry.node.entries.has(name)) {
      entry.node.entries.set(name, it);
      continue;
    }
    const one = section.slice(0, -1);
    const message = `the policy already defines the ${one} ${quote(name)}, which team ${team} can only use; write another name`;
    problems.push({ at: it.at, path: [section, name], message, discarded: it.node });
  }
}

function addTests(policy: Mapping, at: number, node: Tree, problem: (message: string) => void): void {
  if (node.kind !== 'list') {
    problem('write a list of tests below it');
    return;
  }
  const tests = policy.entries.get('tests')?.node;
  const before = tests?.kind === 'list' ? tests.items : [];
  policy.entries.set('tests', { at, node: { kind: 'list', at: node.at, items: [...before, ...node.items] } });
}

function checkVersion(policy: Mapping, node: Tree, problem: (message: string) => void): void {
  const version = policy.entries.get('version')?.node;
  if (version?.kind !== 'scalar' || (node.kind === 'scalar' && node.value === version.value)) return;
  problem('a team’s file has the version of its policy; write the same, or leave it out');
}
