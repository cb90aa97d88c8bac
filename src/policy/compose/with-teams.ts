import { checkPolicy } from '../check/all.ts';
import type { PolicyError } from '../checked/types.ts';
import { quote } from '../forms/path.ts';
import type { Report } from '../read/report.ts';
import { checkShape } from '../read/shape.ts';
import { oneOf } from '../read/suggest.ts';
import { copyOf, find, type Mapping, type Tree } from '../read/tree.ts';
import { type Parsed, parseTree } from './parse-tree.ts';
import { type Mistakes, type Parts, reportOf, type Stage } from './read-parts.ts';
import { mergeTeam, readTeam, type TeamFile } from './team-file.ts';

/* Grants do not overlap, and no file refers to a name of another team. So whether a team's file is right does not depend
 * on the files of others. If the policy with all files is not right, each file is checked with the policy alone, so that
 * its errors do not depend on the others either. */

/** Whether a policy has the section `teams`. */
export const hasTeams = ({ tree }: Parts): boolean => find(tree, ['teams'])?.kind === 'map';

/** Checks a policy with the files of its teams, or with the file of one team. */
export function parseTeams(parts: Parts, stage: Stage): Parsed {
  const policy = reportOf(parts, withSections(parts.tree), [parts], { hasTeams: true, isPart: true });
  if (!parts.complete) return parseTree(policy);
  const declared = checkShape(policy);
  checkPolicy(policy);
  if (declared?.teams === undefined) return { errors: policy.errors };
  if (stage.team !== undefined && !Object.hasOwn(declared.teams, stage.team)) {
    policy.key(['teams'], `no team ${quote(stage.team)}; write ${oneOf(Object.keys(declared.teams))}`);
    return { errors: policy.errors };
  }
  const files = Object.entries(declared.teams)
    .filter(([name]) => (stage.team ?? name) === name && !policy.has(['teams', name]))
    .map(([name, grant]) => readTeam(parts, { name, grant }, policy, stage));
  const known = new Set(policy.errors.map(keyOf));
  const errors = [...policy.errors];
  const isComplete = stage.team === undefined && errors.length === 0;
  const entire = isComplete ? parseTree(reportFor(parts, files)) : undefined;
  if (entire?.policy !== undefined) return entire;
  const checked = files.map((file) => parseTree(reportFor(parts, [file], file)));
  for (const own of checked) errors.push(...own.errors.filter((error) => !known.has(keyOf(error))));
  if (errors.length > 0) return { errors };
  return entire ?? checked[0] ?? { errors };
}

/** Starts the report about the policy together with the files of teams.
 * @param only - the team whose file is checked; absent: the policy is checked as a whole */
function reportFor(parts: Parts, files: readonly TeamFile[], only?: TeamFile): Report {
  const tree = withSections(parts.tree);
  const mistakes: Mistakes[] = [parts];
  for (const file of files) {
    const problems = mergeTeam(tree, file, only !== undefined);
    mistakes.push(file.mistakes, { problems, unread: [], complete: true });
  }
  const granted = files.map(({ given }) => given);
  const part = only && { isPart: true, team: only.given.name };
  return reportOf(parts, tree, mistakes, { hasTeams: true, granted, ...part });
}

const keyOf = ({ at, path }: PolicyError): string => JSON.stringify([at.file, at.line, at.column, path]);

/** A copy of the policy that has the sections to which teams add. */
function withSections(policy: Tree): Tree {
  const tree = copyOf(policy);
  if (tree.kind !== 'map') return tree;
  for (const section of ['services', 'hosts']) addSection(tree, section);
  return tree;
}

function addSection(tree: Mapping, section: string): void {
  const { at } = tree.entries.get('teams') ?? tree;
  if (!tree.entries.has(section)) tree.entries.set(section, { at, node: { kind: 'map', at, entries: new Map() } });
}
