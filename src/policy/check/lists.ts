import type { Path } from '../forms/path.ts';
import { repeated } from '../read/draft.ts';
import type { Report } from '../read/report.ts';
import { childrenOf, type Tree } from '../read/tree.ts';
import { show } from '../read/wrong-values.ts';

const textOf = (it: Tree) =>
  it.kind === 'scalar' && it.value !== undefined ? `${typeof it.value} ${it.value}` : undefined;

/** Rejects lists that contain a value twice. The claims of a test are an exception. */
export function checkLists(report: Report, node: Tree = report.tree, path: Path = []): void {
  if (node.kind === 'scalar' || path.at(-1) === 'claims') return;
  // A repeated rule gets another error: an earlier rule covers it.
  const items = node.kind === 'list' && path.at(-1) !== 'allow' ? node.items : [];
  for (const [index, item] of repeated(items.entries(), textOf)) {
    if (item.kind === 'scalar') report.add([...path, index], `${show(item.value)} is in this list twice; remove one`);
  }
  for (const [step, below] of childrenOf(node)) checkLists(report, below, [...path, step]);
}
