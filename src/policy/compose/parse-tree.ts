import { checkPolicy } from '../check/all.ts';
import { buildPolicy } from '../checked/build.ts';
import type { Policy, PolicyError } from '../checked/types.ts';
import type { Report } from '../read/report.ts';
import { checkShape } from '../read/shape.ts';

/** The result of reading a policy: the policy, or every error. */
export interface Parsed {
  readonly policy?: Policy;
  readonly errors: readonly PolicyError[];
}

/** Checks the tree of a report, and builds the policy if nothing is wrong. */
export function parseTree(report: Report): Parsed {
  if (report.tree.kind !== 'map' && report.errors.length > 0) return { errors: report.errors };
  const read = report.errors;
  const declared = checkShape(report);
  // Without the parts of a profile, the checks would report what only seems to be missing.
  if (!report.complete) {
    return { errors: report.errors.filter((it) => read.includes(it) || it.path.startsWith('profiles')) };
  }
  checkPolicy(report);
  const { errors } = report;
  return declared && errors.length === 0 ? { policy: buildPolicy(declared, report), errors } : { errors };
}
