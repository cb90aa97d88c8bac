import { type Bare, unwrap } from '../forms/descend.ts';
import { type Path, quote } from '../forms/path.ts';
import type { Files } from '../read/offsets.ts';
import { advise, nearest } from '../read/suggest.ts';
import { find, type Mapping, plain, type Tree, type TreeProblem } from '../read/tree.ts';
import { policySchema } from '../schema/policy.ts';
import { PROFILE_PATH, profileUse } from '../schema/profile-use.ts';
import { fill, type Values } from './fill.ts';
import { entryOf, overlaid } from './overlay.ts';
import { type Parameter, type Profile, type ProfileSource, readProfile } from './profile-file.ts';

/** The schema of all parts of a policy. */
const ALL = unwrap(policySchema);

type Problem = (problem: TreeProblem) => void;

/** What the policy is with its profiles. */
export interface Expanded {
  readonly tree: Tree;
  /** Whether each profile was expanded. If not, parts of the policy are missing, and checking the rest makes no sense. */
  readonly complete: boolean;
}

/** Expands the profiles of a policy. What the policy itself says is merged over what the profiles say.
 * @param unread - sections whose mistakes are already reported
 * @param further - services that another file defines */
export function withProfiles(
  policy: Tree,
  source: ProfileSource | undefined,
  files: Files,
  unread: ReadonlySet<string>,
  problem: Problem,
  further: readonly string[] = [],
): Expanded {
  const uses = find(policy, ['profiles']);
  if (policy.kind !== 'map' || uses === undefined) return { tree: policy, complete: true };
  let complete = uses.kind === 'list';
  const parts: Mapping[] = [];
  for (const [index, use] of (uses.kind === 'list' ? uses.items : []).entries()) {
    const part = expanded(use, ['profiles', index], source, files, problem);
    if (part === undefined) complete = false;
    else parts.push(part);
  }
  const [first, ...others] = parts;
  if (first === undefined) return { tree: policy, complete };
  const equal = (old: Tree, node: Tree, here: Path) => {
    if (isSame(old, node)) return old;
    problem({ at: node.at, path: here, message: CONFLICT });
    return old;
  };
  const all = others.reduce((into, part) => joined(into, part, ALL, [], equal), first);
  const tree = overlaid(all, policy, unread, problem);
  const known = unread.has('services') || servicesAre(tree, further, problem);
  return { tree, complete: complete && known };
}

/** Whether the policy defines the service of each profile. Otherwise each route of a profile would have an error. */
function servicesAre(tree: Tree, further: readonly string[], problem: Problem): boolean {
  const services = find(tree, ['services']);
  const names = [...(services?.kind === 'map' ? services.entries.keys() : []), ...further];
  const uses = find(tree, ['profiles']);
  const unknown = (uses?.kind === 'list' ? uses.items : []).flatMap((use, index) => {
    const declared = find(use, ['service']);
    const name = declared?.kind === 'scalar' ? declared.value : undefined;
    return typeof name !== 'string' || names.includes(name) ? [] : [{ name, index, at: declared?.at ?? use.at }];
  });
  for (const { name, index, at } of unknown) {
    const message = `no service ${quote(name)}; ${advise(name, names, 'define it under services')}`;
    problem({ at, path: ['profiles', index, 'service'], message });
  }
  return unknown.length === 0;
}

/** The parts of the policy that one profile writes; undefined if there are mistakes, which are reported, or which the
 * schema will report. */
function expanded(
  use: Tree,
  path: Path,
  source: ProfileSource | undefined,
  files: Files,
  problem: Problem,
): Mapping | undefined {
  const declared = profileUse.safeParse(plain(use));
  if (use.kind !== 'map' || !declared.success) return undefined;
  let mistakes = 0;
  const report = (it: TreeProblem) => {
    mistakes += 1;
    problem(it);
  };
  const name = declared.data.use;
  const text = source?.read(name) ?? { mistake: 'profiles cannot be read here' };
  if ('mistake' in text) {
    const at = use.entries.get('use')?.node.at ?? use.at;
    report({ at, path: [...path, 'use'], message: unknownName(name, source?.names() ?? []) ?? text.mistake });
    return undefined;
  }
  const profile = readProfile(files, text, use.at, report);
  if (profile === undefined) return undefined;
  const values = valuesOf(use, name, profile, path, files, report);
  const parts = profile.parts.filter(([parameter]) => isOn(values.get(parameter))).map(([, part]) => part);
  const [first, ...others] = [profile.policy, ...parts].map((part) => fill(part, values, report));
  const entire = others.reduce((into, part) => joined(into, part, ALL, [], added), first as Mapping);
  return mistakes > 0 ? undefined : entire;
}

/** The mistake in the name of a profile; undefined if it is the name of one, or a path. */
function unknownName(name: string, names: readonly string[]): string | undefined {
  if (PROFILE_PATH.test(name) || names.includes(name)) return undefined;
  const guess = nearest(name, names);
  const own = `the path of your own profile, as in ./${name}.yaml`;
  const instead = guess === undefined ? `write ${[...names, own].join(', or ')}` : `did you mean ${quote(guess)}?`;
  return `no profile ${quote(name)}; ${instead}`;
}

/** Whether an option is set. */
const isOn = (value: Tree | undefined): boolean =>
  value !== undefined && !(value.kind === 'scalar' && (value.value === false || value.value === null));

/** The values of all parameters, from the policy or else from the profile. Reports what is missing or unknown. */
function valuesOf(use: Mapping, name: string, profile: Profile, path: Path, files: Files, report: Problem): Values {
  const values = new Map<string, Tree | undefined>();
  for (const key of ['host', 'service']) values.set(key, taken(use.entries.get(key)?.node, profile.at, files));
  for (const section of ['roles', 'options'] as const) {
    const declared = find(use, [section]);
    const entries = declared?.kind === 'map' ? declared.entries : new Map<string, { at: number; node: Tree }>();
    const noun = section.slice(0, -1);
    for (const [key, { at }] of entries) {
      if (profile[section].has(key)) continue;
      const instead = advise(key, [...profile[section].keys()]);
      report({
        at,
        path: [...path, section, key],
        message: `the profile ${name} has no ${noun} ${quote(key)}; ${instead}`,
      });
    }
    for (const [key, parameter] of profile[section]) {
      const own = entries.get(key)?.node;
      const at = use.entries.get(section)?.at ?? use.at;
      const mistake = mistakeIn(own, parameter);
      if (mistake !== undefined) report({ at: own?.at ?? at, path: [...path, section, key], message: mistake });
      values.set(`${section}.${key}`, own === undefined ? parameter.usual : taken(own, parameter.at, files));
    }
  }
  return values;
}

function mistakeIn(own: Tree | undefined, { about, usual, required }: Parameter): string | undefined {
  if (own === undefined) return required ? `the profile needs this: ${about}` : undefined;
  const isSwitch = usual?.kind === 'scalar' && typeof usual.value === 'boolean';
  const isRight = !isSwitch || (own.kind === 'scalar' && typeof own.value === 'boolean');
  return isRight ? undefined : `write true or false: ${about}`;
}

/** A value of the policy with offsets that also name its parameter in the profile. */
function taken(node: Tree | undefined, parameter: number, files: Files): Tree | undefined {
  return node && moved(node, files.addValue(node.at, parameter));
}

function moved(node: Tree, shift: number): Tree {
  const at = node.at + shift;
  if (node.kind === 'scalar') return { ...node, at };
  if (node.kind === 'list') return { ...node, at, items: node.items.map((item) => moved(item, shift)) };
  const entries = [...node.entries].map(
    ([key, it]) => [key, { at: it.at + shift, node: moved(it.node, shift) }] as const,
  );
  return { kind: 'map', at, entries: new Map(entries) };
}

const CONFLICT =
  'two profiles write different values here; set an option of one of them, or write the value into the policy';

const isSame = (a: Tree, b: Tree): boolean => JSON.stringify(plain(a)) === JSON.stringify(plain(b));

/** The value that a part of a profile writes over an earlier one. Elements are added to a list. */
function added(old: Tree, node: Tree): Tree {
  if (old.kind !== 'list' || node.kind !== 'list') return node;
  return { ...old, items: [...old.items, ...node.items.filter((item) => !old.items.some((it) => isSame(it, item)))] };
}

/** Both mappings together. Mappings in them are joined too, unless they are one statement.
 * @param merge - the value of a key that both have */
function joined(
  into: Mapping,
  from: Mapping,
  schema: Bare | undefined,
  path: Path,
  merge: (old: Tree, node: Tree, path: Path) => Tree,
): Mapping {
  const entries = new Map(into.entries);
  for (const [key, { at, node }] of from.entries) {
    const here = [...path, key];
    const below = entryOf(schema, path, key);
    const old = entries.get(key);
    const areJoined = old?.node.kind === 'map' && node.kind === 'map' && !below?.hint?.entire;
    if (old === undefined) entries.set(key, { at, node });
    else if (areJoined) entries.set(key, { ...old, node: joined(old.node as Mapping, node, below, here, merge) });
    else entries.set(key, { ...old, node: merge(old.node, node, here) });
  }
  return { ...into, entries };
}
