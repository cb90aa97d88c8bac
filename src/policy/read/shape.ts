import type * as z from 'zod';
import { descend, optionFor } from '../forms/descend.ts';
import { type Path, ROUTES } from '../forms/path.ts';
import { type Declared, policySchema } from '../schema/policy.ts';
import type { Report } from './report.ts';
import { find, plain, type Tree } from './tree.ts';
import { mendUnknownKey, reportMissing } from './unknown-keys.ts';
import { mendValue } from './wrong-values.ts';

/** The maximum number of rounds in which mistakes are corrected. No policy needs so many rounds. */
const MAX_ROUNDS = 64;

/** Compares the tree with the schema and reports all differences. Each wrong part is corrected or removed, so that the
 * rest can be checked. Returns the policy if its form is right, perhaps after corrections. */
export function checkShape(report: Report): Declared | undefined {
  const grouped = new WeakSet<Tree>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    regroup(report.tree, grouped);
    const value = plain(report.tree);
    const parsed = policySchema.safeParse(value);
    if (parsed.success) return parsed.data;
    const issues = parsed.error.issues.flatMap((issue) => flatten(issue, [], value));
    // A misspelled key also causes an error about a missing key, so keys are corrected first.
    const keys = issues.filter((issue) => issue.unknownKeys);
    const now = keys.length > 0 ? keys : issues;
    if (!now.map((issue) => mend(report, issue, value)).includes(true)) break;
  }
  return undefined;
}

/** Moves the routes of each host under one key, so that the schema can check the other keys of the host. */
function regroup(tree: Tree, grouped: WeakSet<Tree>): void {
  const hosts = find(tree, ['hosts']);
  if (hosts?.kind !== 'map') return;
  for (const { node } of hosts.entries.values()) {
    if (node.kind !== 'map' || grouped.has(node)) continue;
    grouped.add(node);
    const routes = [...node.entries].filter(([key]) => key.startsWith('/'));
    for (const [key] of routes) node.entries.delete(key);
    node.entries.set(ROUTES, { at: node.at, node: { kind: 'map', at: node.at, entries: new Map(routes) } });
  }
}

interface Issue {
  readonly path: Path;
  readonly unknownKeys?: readonly string[];
}

/** Returns the issues of the option of a union that was probably meant. */
function flatten(issue: z.core.$ZodIssue, base: Path, root: unknown): Issue[] {
  const path = [...base, ...issue.path] as Path;
  if (issue.code === 'unrecognized_keys') return [{ path, unknownKeys: issue.keys }];
  if (issue.code !== 'invalid_union') return [{ path }];
  const union = descend(policySchema, path, root);
  const inner = union && issue.errors[optionFor(union.schema, valueAt(root, path))];
  return inner ? inner.flatMap((it) => flatten(it, path, root)) : [{ path }];
}

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<string, unknown> | null | undefined)?.[step], root);

/** Reports one issue and corrects it. Returns whether the tree has changed. */
function mend(report: Report, { path, unknownKeys }: Issue, root: unknown): boolean {
  const value = valueAt(root, path);
  const schema = descend(policySchema, path, root);
  if (!schema) return false;
  if (unknownKeys) {
    for (const key of unknownKeys) mendUnknownKey(report, path, key, schema, value as Record<string, unknown>);
    return true;
  }
  if (value !== undefined) return mendValue(report, path, schema, value);
  if (!report.has(path)) reportMissing(report, path, schema);
  return false;
}
