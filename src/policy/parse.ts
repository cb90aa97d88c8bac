import type { PolicyError } from './checked/types.ts';
import { type Parsed, parseTree } from './compose/parse-tree.ts';
import { readParts, reportOf, type Stage } from './compose/read-parts.ts';
import { hasTeams, parseTeams } from './compose/with-teams.ts';
import { place } from './forms/at.ts';

export type { Parsed } from './compose/parse-tree.ts';
export type { PolicyText, ProfileSource, Stage, TeamText } from './compose/read-parts.ts';

const NO_TEAMS =
  'the policy has no teams; leave --team out. If this is the file of a team, name the policy that has its grant instead';

/** Reads and checks a policy. It reports each mistake as one error, and never throws. Only the messages use `file`. */
export function parsePolicy(text: string, file: string, stage: Stage = {}): Parsed {
  const parts = readParts({ name: file, text }, stage);
  if (hasTeams(parts)) return parseTeams(parts, stage);
  const report = reportOf(parts, parts.tree, [parts]);
  if (stage.team !== undefined) {
    report.key(['teams'], NO_TEAMS);
    return { errors: report.errors };
  }
  return parseTree(report);
}

/** An error as one line: `meshgate.yaml:41:9 hosts."wiki.example.com"."/*".allow[1].role: no role "raeder"; …`. If a
 * team's file causes it, the line names the team after the place. */
export const formatError = ({ at, team, path, message }: PolicyError): string =>
  `${place(at)}${team === undefined ? '' : ` team ${team}`}${path === '' ? '' : ` ${path}`}: ${message}`;
