import { Concealed } from './concealed.ts';
import { readYaml } from './document.ts';
import { Files } from './files.ts';
import { nameHosts } from './host-names.ts';
import { overlaid } from './overlay.ts';
import type { PolicyText, ProfileSource } from './profile-file.ts';
import { withProfiles } from './profiles.ts';
import { Report } from './report.ts';
import { secretsOf } from './secrets.ts';
import { childrenOf, hole, type Tree, type TreeProblem, toTree } from './tree.ts';
import { type Expand, expandWith, type Variables } from './variables.ts';

export type { PolicyText, ProfileSource } from './profile-file.ts';

/** What differs between the stages of a policy, such as test and production. */
export interface Stage {
  /** Files that are merged into the policy, in this order. */
  readonly overlays?: readonly PolicyText[];
  readonly variables?: Variables;
  /** Where the profiles of the policy are; absent: the policy cannot use profiles. */
  readonly profiles?: ProfileSource;
}

/** Reads a policy, merges the overlays of a stage, replaces its variables, and expands its profiles. The report has the
 * mistakes that were found on the way. */
export function readStage(policy: PolicyText, { overlays = [], variables = new Map(), profiles }: Stage): Report {
  const files = new Files();
  const problems: TreeProblem[] = [];
  const problem = (it: TreeProblem): void => void problems.push(it);
  const expand = expandWith(variables);
  const [first, ...others] = [policy, ...overlays].map((it) => readFile(files, it, expand, problem)) as [
    Read,
    ...Read[],
  ];
  const unread = [first, ...others].flatMap((it) => it.unread.map((section) => ({ section, base: it.base })));
  const names = new Set(unread.flatMap(({ section }) => nameOf(section) ?? []));
  const merged = others.reduce((tree, it) => withOverlay(tree, it, names, problem), first.tree);
  const { tree: whole, complete } = withProfiles(merged, profiles, files, names, problem);
  nameHosts(whole, problem);
  const concealed = new Concealed();
  for (const [name, value] of variables) if (value) concealed.add(value, `\${${name}}`);
  for (const { tree } of [first, ...others]) conceal(tree, concealed);
  for (const { tree } of [first, ...others]) {
    for (const secret of secretsOf(tree)) concealed.add(secret, '…');
  }
  const report = new Report(files, whole, concealed, complete);
  for (const { at, path, message, discarded } of problems) {
    report.addAt(at, path, message);
    if (discarded) report.mention(discarded);
  }
  for (const { section, base } of unread) leaveOut(report, section, base);
  return report;
}

interface Read {
  readonly base: number;
  readonly tree: Tree;
  readonly unread: readonly string[];
  readonly isBroken: boolean;
}

function readFile(
  files: Files,
  { name, text }: PolicyText,
  expand: Expand,
  problem: (problem: TreeProblem) => void,
): Read {
  const base = files.add(name, text);
  const { roots, problems, unread } = readYaml(text);
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

/** Keeps the values of variables out of the errors. */
function conceal(tree: Tree, concealed: Concealed): void {
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
