import { place } from './at.ts';
import { buildPolicy } from './build.ts';
import { checkPolicy } from './check.ts';
import { checkShape } from './shape.ts';
import { readStage, type Stage } from './stage.ts';
import type { Policy, PolicyError } from './types.ts';

export type { PolicyText, ProfileSource, Stage } from './stage.ts';

/** The result of reading a policy: the policy, or every error. */
export interface Parsed {
  readonly policy?: Policy;
  readonly errors: readonly PolicyError[];
}

/** Reads and checks a policy. It reports each mistake as one error, and never throws. Only the messages use `file`. */
export function parsePolicy(text: string, file: string, stage: Stage = {}): Parsed {
  const report = readStage({ name: file, text }, stage);
  if (report.tree.kind !== 'map' && report.errors.length > 0) return { errors: report.errors };
  const read = report.errors;
  const said = checkShape(report);
  // Without the parts of a profile, the checks would report what only seems to be missing.
  if (!report.complete) {
    return { errors: report.errors.filter((it) => read.includes(it) || it.path.startsWith('profiles')) };
  }
  checkPolicy(report);
  const { errors } = report;
  return said && errors.length === 0
    ? { policy: buildPolicy(said, (path) => report.locate(path)), errors }
    : { errors };
}

/** An error as one line: `meshgate.yaml:41:9 hosts."wiki.example.com"."/*".allow[1].role: no role "raeder"; …`. */
export const formatError = ({ at, path, message }: PolicyError): string =>
  `${place(at)}${path === '' ? '' : ` ${path}`}: ${message}`;
