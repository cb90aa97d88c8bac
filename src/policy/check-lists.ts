import type { Path } from './path.ts';
import type { Report } from './report.ts';
import type { Tree } from './tree.ts';
import { show } from './values.ts';

/** Rejects lists that contain a value twice. The claims of a test are an exception. */
export function checkLists(report: Report): void {
  visit(report, report.tree, []);
}

function visit(report: Report, node: Tree, path: Path): void {
  if (node.kind === 'scalar' || path.at(-1) === 'claims') return;
  // A repeated rule gets another error: an earlier rule covers it.
  if (node.kind === 'list' && path.at(-1) !== 'allow') checkList(report, node.items, path);
  const children =
    node.kind === 'list' ? node.items.entries() : [...node.entries].map(([k, it]) => [k, it.node] as const);
  for (const [step, below] of children) visit(report, below, [...path, step]);
}

function checkList(report: Report, items: readonly Tree[], path: Path): void {
  const seen = new Set<unknown>();
  for (const [index, item] of items.entries()) {
    if (item.kind !== 'scalar' || item.value === undefined) continue;
    if (seen.has(item.value)) report.add([...path, index], `${show(item.value)} is in this list twice; remove one`);
    seen.add(item.value);
  }
}
