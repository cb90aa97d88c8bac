import { buildPolicy } from './build.ts';
import { checkPolicy } from './check.ts';
import { lineCounter, readYaml } from './document.ts';
import { Report } from './report.ts';
import { checkShape } from './shape.ts';
import { hole, type TreeProblem, toTree } from './tree.ts';
import type { Policy, PolicyError } from './types.ts';

/** The result of reading a policy file: the policy, or every error. */
export interface Parsed {
  readonly policy?: Policy;
  readonly errors: readonly PolicyError[];
}

/** Reads and checks a policy. It reports each mistake as one error, and never throws. Only the messages use `file`. */
export function parsePolicy(text: string, file: string): Parsed {
  const yaml = readYaml(text);
  const problems: TreeProblem[] = [];
  const tree = toTree(yaml.roots, (problem) => problems.push(problem));
  const report = new Report(file, lineCounter(text), tree);
  for (const { at, message } of yaml.problems) report.addAt(at, [], message);
  for (const { at, path, message, discarded } of problems) {
    report.addAt(at, path, message);
    if (discarded) report.mention(discarded);
  }
  for (const section of yaml.unread) leaveOut(report, section);
  if (tree.kind !== 'map' && report.errors.length > 0) return { errors: report.errors };
  const said = checkShape(report);
  checkPolicy(report);
  const { errors } = report;
  return said && errors.length === 0
    ? { policy: buildPolicy(said, (path) => report.locate(path)), errors }
    : { errors };
}

/** Marks a section with a syntax error as wrong. Names in its text count as used, because the section may refer to
 * definitions in other sections. */
function leaveOut(report: Report, section: string): void {
  const name = /^["']?([\w-]+)/.exec(section)?.[1];
  report.mention(section);
  if (name === undefined || report.tree.kind !== 'map') return;
  report.mark([name]);
  if (!report.tree.entries.has(name)) report.tree.entries.set(name, { at: 0, node: hole(0) });
}

/** An error as one line: `meshgate.yaml:41:9 hosts."wiki.example.com"."/*".allow[1].role: no role "raeder"; …`. */
export const formatError = ({ at, path, message }: PolicyError): string =>
  `${at.file}:${at.line}:${at.column}${path === '' ? '' : ` ${path}`}: ${message}`;
