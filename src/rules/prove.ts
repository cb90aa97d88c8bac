import type { Asking, Outcome } from './callers.ts';
import { partings } from './callers.ts';
import { type Cell, cells } from './cells.ts';
import { alone, type Implied } from './implied.ts';
import type { Rule } from './types.ts';

/** Rules, and what one that allows comes to: two outcomes with the same text are the same. */
export interface Side {
  readonly rules: readonly Rule[];
  readonly outcome: Outcome;
}

/** One request that two sides decide differently: refused by the side that has no rule for it. */
export interface Witness<Caller = Asking> {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly caller: Caller;
  readonly left?: Rule;
  readonly right?: Rule;
}

/** Service and identity by their names. */
export const named: Outcome = ({ service, as }) => JSON.stringify([service, as]);

function requestOf({ host, path, method }: Cell) {
  return { method: method.method, host: host.host, path: path.path };
}

/**
 * Whether two lists of rules allow the same requests, to the same service and as the same identity. Exact: the
 * requests fall into finitely many classes ({@link cells}, {@link partings}), and each is looked at.
 *
 * @param implied roles that come with others, on both sides
 * @returns a request that tells them apart; undefined if none does
 */
export function prove(left: Side, right: Side, implied: Implied = alone): Witness | undefined {
  for (const cell of cells(left.rules, right.rules)) {
    for (const parting of partings(cell.left, cell.right, [left.outcome, right.outcome], implied)) {
      const { named: _, ...rest } = parting;
      return { ...requestOf(cell), ...rest };
    }
  }
  return undefined;
}

/**
 * The same for rules that an identity's certificate passes, as a mesh sees them: their `as` is who asks.
 *
 * @returns a request whose caller is an identity; undefined if none tells them apart
 */
export function proveIdentities(left: readonly Rule[], right: readonly Rule[]): Witness<string> | undefined {
  const identities = [...new Set([...left, ...right].map((rule) => rule.as))];
  for (const cell of cells(left, right)) {
    for (const caller of identities) {
      const of = (rules: readonly Rule[]) => rules.find((rule) => rule.as === caller);
      const [leftRule, rightRule] = [of(cell.left), of(cell.right)];
      if ((leftRule === undefined) === (rightRule === undefined)) continue;
      return {
        ...requestOf(cell),
        caller,
        ...(leftRule && { left: leftRule }),
        ...(rightRule && { right: rightRule }),
      };
    }
  }
  return undefined;
}
