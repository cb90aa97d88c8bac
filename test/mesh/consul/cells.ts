import { isCanonical } from '../../../src/base/raw-path.ts';
import { covers } from '../../../src/rules/compare/cover.ts';
import type { Path, Rule } from '../../../src/rules/types.ts';
import { cellsOf } from '../matrix/cells.ts';
import { withMessages } from '../matrix/messages.ts';
import type { Subject } from '../matrix/policies.ts';
import type { Cell, Part } from '../matrix/types.ts';

/** The wrong parts of a caller that each permission matches separately. */
const CALLER: readonly (Part | undefined)[] = ['role', 'credential', 'audience', 'as', 'agent'];

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PURGE'];

/** The path of a prefix itself, which has a permission of its own, and one below. */
function placesOf(path: Path, own: string): readonly string[] {
  return 'prefix' in path && covers(path, path.prefix) && path.prefix !== own ? [own, path.prefix] : [own];
}

/**
 * The requests of the matrix, and besides them each wrong caller with each method, at a prefix itself and below it, and
 * each path that is left out with each method: Consul's permissions are one for each of these.
 */
export const consulCells = (subject: Subject): readonly Cell[] =>
  subject.name.startsWith('tools')
    ? withMessages(subject, ({ policy, rules }) => cellsOf(policy, rules))
    : crossedCells(subject);

function crossedCells({ policy, rules }: Subject): readonly Cell[] {
  const cells = cellsOf(policy, rules);
  const crossed = rules.flatMap((rule: Rule): readonly Cell[] => {
    const own = cells.filter((cell) => cell.rule === rule.id);
    const [base] = own;
    if (base === undefined) return [];
    const wrong = own.filter(({ part, path }) => path === base.path && CALLER.includes(part));
    const elsewhere = own.filter(({ part, path }) => part === 'path' && isCanonical(path));
    const left = elsewhere.flatMap((cell) =>
      METHODS.map((method) => ({ ...cell, name: `${cell.name}, ${method}`, method })),
    );
    const inside = placesOf(rule.path, base.path).flatMap((path) =>
      METHODS.flatMap((method) =>
        [base, ...wrong].map((cell) => ({ ...cell, name: `${cell.name}, ${method} ${path}`, method, path })),
      ),
    );
    return [...inside, ...left];
  });
  return [...cells, ...crossed];
}
