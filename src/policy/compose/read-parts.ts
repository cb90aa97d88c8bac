import { Concealed } from '../read/concealed.ts';
import { readPolicyYaml } from '../read/document.ts';
import { Files } from '../read/offsets.ts';
import { Report, type Scope } from '../read/report.ts';
import { secretsOf } from '../read/secrets.ts';
import { childrenOf, hole, type Tree, type TreeProblem, toTree } from '../read/tree.ts';
import { type Expand, expandWith, type Variables } from '../read/variables.ts';
import { nameHosts } from './host-names.ts';
import { overlaid } from './overlay.ts';
import type { PolicyText, ProfileSource } from './profile-file.ts';
import { withProfiles } from './profiles.ts';

export type { PolicyText, ProfileSource } from './profile-file.ts';

/** What differs between the stages of a policy, such as test and production. */
export interface Stage {
  /** Files that are merged into the policy, in this order. */
  readonly overlays?: readonly PolicyText[];
  readonly variables?: Variables;
  /** Where the profiles of the policy are; absent: the policy cannot use profiles. */
  readonly profiles?: ProfileSource;
  /** Reads the file of a team. Its path is relative to the folder of the policy. */
  readonly readTeam?: (file: string) => TeamText;
  /** The only team whose file is read. The names that are granted to other teams stay theirs. */
  readonly team?: string;
}

/** The file of a team, or why it cannot be read. */
export type TeamText = PolicyText | { readonly problem: string };

/** What was wrong with the text of files. */
export interface Mistakes {
  readonly problems: readonly TreeProblem[];
  /** The sections with syntax errors, and the offset of their file. */
  readonly unread: readonly { readonly section: string; readonly base: number }[];
  /** Whether each profile was expanded. */
  readonly complete: boolean;
}

/** A policy with its overlays and profiles as it was read, before it is checked. */
export interface Parts extends Mistakes {
  readonly files: Files;
  readonly tree: Tree;
  readonly concealed: Concealed;
}

/** Reads a policy, merges the overlays of a stage, replaces its variables, and expands its profiles. */
export function readParts(policy: PolicyText, { overlays = [], variables = new Map(), profiles }: Stage): Parts {
  const files = new Files();
  const problems: TreeProblem[] = [];
  const problem = (it: TreeProblem): void => void problems.push(it);
  const expand = expandWith(variables);
  const [first, ...others] = [policy, ...overlays].map(({ name, text }) =>
    readFile(files.add(name, text), text, expand, problem),
  ) as [Read, ...Read[]];
  const unread = [first, ...others].flatMap(sectionsOf);
  const names = new Set(unread.flatMap(({ section }) => nameOf(section) ?? []));
  const merged = others.reduce((tree, it) => withOverlay(tree, it, names, problem), first.tree);
  const { tree, complete } = withProfiles(merged, profiles, files, names, problem);
  nameHosts(tree, problem);
  const concealed = new Concealed();
  for (const [name, value] of variables) if (value) concealed.add(value, `\${${name}}`);
  for (const it of [first, ...others]) conceal(it.tree, concealed);
  for (const it of [first, ...others]) concealSecrets(it.tree, concealed);
  return { files, tree, concealed, problems, unread, complete };
}

/** Starts the report about a tree of the policy, with what was wrong with the text of its files. */
export function reportOf({ files, concealed }: Parts, tree: Tree, all: readonly Mistakes[], scope?: Scope): Report {
  const complete = all.every((it) => it.complete);
  const report = new Report(files, tree, concealed, complete, scope);
  for (const { at, path, message, discarded } of all.flatMap(({ problems }) => problems)) {
    report.addAt(at, path, message);
    if (discarded) report.mention(discarded);
  }
  for (const { section, base } of all.flatMap(({ unread }) => unread)) leaveOut(report, section, base);
  return report;
}

/** A file of a policy as it was read. */
export interface Read {
  readonly base: number;
  readonly tree: Tree;
  readonly unread: readonly string[];
  readonly isBroken: boolean;
}

/** Reads the text of one file.
 * @param base - the offset of the text among all texts of the policy */
export function readFile(base: number, text: string, expand: Expand, problem: (problem: TreeProblem) => void): Read {
  const { roots, problems, unread } = readPolicyYaml(text);
  for (const { at, message } of problems) problem({ at: base + at, path: [], message });
  return { base, tree: toTree(roots, base, expand, problem), unread, isBroken: problems.length > 0 };
}

function withOverlay(
  tree: Tree,
  { tree: overlay, base, isBroken }: Read,
  unread: ReadonlySet<string>,
  problem: (problem: TreeProblem) => void,
): Tree {
  if (overlay.kind === 'map' && tree.kind === 'map') return overlaid(tree, overlay, unread, problem);
  if (overlay.kind !== 'map' && !isBroken) {
    const isEmpty = overlay.kind === 'scalar' && overlay.value == null;
    const what = isEmpty ? 'the overlay is empty' : 'an overlay is a mapping';
    problem({ at: base, path: [], message: `${what}; write the sections that differ, as in the policy` });
  }
  return tree;
}

export const sectionsOf = ({ unread, base }: Read): Mistakes['unread'] => unread.map((section) => ({ section, base }));

/** Keeps the texts of a file that look like secrets out of the errors. */
export function concealSecrets(tree: Tree, concealed: Concealed): void {
  for (const secret of secretsOf(tree)) concealed.add(secret, '…');
}

/** Keeps the values of variables out of the errors. */
export function conceal(tree: Tree, concealed: Concealed): void {
  if (tree.kind === 'scalar') {
    if (tree.expanded) concealed.add(tree.expanded.text, tree.expanded.source);
    return;
  }
  for (const [, below] of childrenOf(tree)) conceal(below, concealed);
}

const nameOf = (section: string): string | undefined => /^["']?([\w-]+)/.exec(section)?.[1];

/** Marks a section with a syntax error as wrong. Names in its text count as used, because the section may refer to
 * definitions in other sections. */
function leaveOut(report: Report, section: string, base: number): void {
  const name = nameOf(section);
  report.mention(section);
  if (name === undefined || report.tree.kind !== 'map') return;
  report.mark([name]);
  if (!report.tree.entries.has(name)) report.tree.entries.set(name, { at: base, node: hole(base) });
}
