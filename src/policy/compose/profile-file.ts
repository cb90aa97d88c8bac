import { type Path, quote } from '../forms/path.ts';
import { readPolicyYaml } from '../read/document.ts';
import type { Files } from '../read/offsets.ts';
import { advise } from '../read/suggest.ts';
import { type Mapping, type Tree, type TreeProblem, toTree } from '../read/tree.ts';

/** A file of a policy. */
export interface PolicyText {
  readonly name: string;
  readonly text: string;
}

/** Where a policy finds its profiles. */
export interface ProfileSource {
  /** The names of the profiles that meshgate brings. */
  names(): readonly string[];
  /** The text of a profile by its name or path, or why it cannot be read. */
  read(use: string): PolicyText | { readonly mistake: string };
}

/** A role or an option that a profile has. */
export interface Parameter {
  readonly at: number;
  readonly about: string;
  /** The value if the policy does not set it; absent: none. */
  readonly usual?: Tree;
  readonly required: boolean;
}

/** A profile: parts of a policy, with parameters. */
export interface Profile {
  readonly at: number;
  readonly roles: ReadonlyMap<string, Parameter>;
  readonly options: ReadonlyMap<string, Parameter>;
  /** The parts that the profile always writes. */
  readonly policy: Mapping;
  /** The parts that an option or a role adds if it is set: the name of the parameter, and the part. */
  readonly parts: readonly (readonly [parameter: string, part: Mapping])[];
}

const KEYS = ['profile', 'about', 'roles', 'options', 'policy', 'with'];
const PARAMETER_KEYS = ['about', 'default', 'required'];

/** Sections of a policy that a profile cannot write, because they belong to the policy as a whole. */
const NOT_IN_PROFILES = ['version', 'profiles', 'teams', 'tests'];

/** Reads the file of a profile; undefined if it has mistakes, which are reported.
 * @param use - the offset at which the policy uses it */
export function readProfile(
  files: Files,
  { name, text }: PolicyText,
  use: number,
  problem: (problem: TreeProblem) => void,
): Profile | undefined {
  const base = files.addProfile(name, text, use);
  let mistakes = 0;
  const report = (it: TreeProblem) => {
    mistakes += 1;
    problem(it);
  };
  const add = (at: number, path: Path, message: string) => report({ at, path: [], message: `${says(path)}${message}` });
  const { roots, problems } = readPolicyYaml(text);
  for (const { at, message } of problems) add(base + at, [], message);
  const tree = toTree(roots, base, 'parameters', report);
  if (tree.kind !== 'map') {
    if (mistakes === 0) add(base, [], 'a profile is a mapping; write profile: 1, and the parts under policy');
    return undefined;
  }
  checkKeys(tree, KEYS, [], add);
  const version = tree.entries.get('profile')?.node;
  if (version?.kind !== 'scalar' || version.value !== 1)
    add(version?.at ?? base, [], 'write profile: 1 at its beginning');
  const profile: Profile = {
    at: base,
    roles: parameters(tree, 'roles', add),
    options: parameters(tree, 'options', add),
    policy: partOf(tree, 'policy', add) ?? { kind: 'map', at: base, entries: new Map() },
    parts: [],
  };
  const parts = section(tree, 'with', add).flatMap(([name, { at, node }]) => {
    const names = [...profile.options.keys(), ...profile.roles.keys()];
    if (!names.includes(name)) add(at, ['with'], `no option or role ${quote(name)}; ${advise(name, names)}`);
    const part = checkPart(node, ['with', name], add);
    return part ? [[`${profile.options.has(name) ? 'options' : 'roles'}.${name}`, part] as const] : [];
  });
  return mistakes > 0 ? undefined : { ...profile, parts };
}

type Add = (at: number, path: Path, message: string) => void;

const says = (path: Path): string => (path.length === 0 ? '' : `${path.join('.')}: `);

function checkKeys(map: Mapping, known: readonly string[], path: Path, add: Add): void {
  for (const [key, { at }] of map.entries) {
    if (!known.includes(key)) add(at, path, `unknown key ${quote(key)}; ${advise(key, known)}`);
  }
}

/** The entries of a section that the file may leave out. */
function section(tree: Mapping, key: string, add: Add) {
  const entry = tree.entries.get(key);
  if (entry === undefined) return [];
  if (entry.node.kind === 'map') return [...entry.node.entries];
  add(entry.at, [key], 'write a mapping below it, or remove it');
  return [];
}

function parameters(tree: Mapping, key: 'roles' | 'options', add: Add): ReadonlyMap<string, Parameter> {
  const all = section(tree, key, add).flatMap(([name, { at, node }]): [string, Parameter][] => {
    const about = node.kind === 'map' ? node.entries.get('about')?.node : undefined;
    if (!/^[a-z][a-z0-9_]*$/.test(name)) add(at, [key], `${quote(name)}: write letters, digits and _, as in user`);
    if (node.kind !== 'map' || about?.kind !== 'scalar' || typeof about.value !== 'string') {
      add(at, [key, name], 'write what it means, as in { about: People who write pages. }');
      return [];
    }
    checkKeys(node, PARAMETER_KEYS, [key, name], add);
    const usual = node.entries.get('default')?.node;
    const required = node.entries.get('required')?.node;
    const needed = required?.kind === 'scalar' ? required.value === true : key === 'roles';
    return [[name, { at, about: about.value, required: needed && !usual, ...(usual && { usual }) }]];
  });
  return new Map(all);
}

function partOf(tree: Mapping, key: string, add: Add): Mapping | undefined {
  const entry = tree.entries.get(key);
  return entry && checkPart(entry.node, [key], add);
}

function checkPart(node: Tree, path: Path, add: Add): Mapping | undefined {
  if (node.kind !== 'map') {
    add(node.at, path, 'write sections of a policy below it, such as hosts');
    return undefined;
  }
  for (const [key, { at }] of node.entries) {
    if (NOT_IN_PROFILES.includes(key)) add(at, path, `a profile has no ${key}; write it into the policy`);
  }
  return node;
}
