import { type McpHeaders, messagesOf, messageText, refusedTool } from '../tools.ts';
import type { MeshRule, Rule } from '../types.ts';
import { type Cell, cells } from './cells.ts';
import { divergences, type Outcome, type Query } from './compared-callers.ts';
import type { Population } from './population.ts';

/** A list of rules, and a text for the result of each rule. Results with the same text are equal. */
export interface Side {
  readonly rules: readonly Rule[];
  readonly outcome: Outcome;
}

/** A request for which two sides give different results. A side without a rule for the request denies it. */
export interface Witness<Caller = Query> {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly caller: Caller;
  readonly left?: Rule;
  readonly right?: Rule;
}

export const named: Outcome = ({ service, as }) => JSON.stringify([service, as]);

const requestOf = ({ host, path, method }: Cell<Rule>) => ({ method: method.method, host: host.host, path: path.path });

/** Returns a request that two lists of rules decide differently, or send to another service or identity; undefined if
 * there is none. The result is exact: the search tries each class of requests ({@link cells}, {@link divergences}). */
export function prove(left: Side, right: Side, population: Population): Witness | undefined {
  for (const cell of cells(left.rules, right.rules)) {
    for (const divergence of divergences(cell.left, cell.right, [left.outcome, right.outcome], population)) {
      const { named: _, ...rest } = divergence;
      return { ...requestOf(cell), ...rest };
    }
  }
  return undefined;
}

/** Returns the callers of a mesh's rule, in words. The first has all that the rule requires, the others have less. */
function peopleOf({ as, asserted, who }: MeshRule): readonly [caller: string, ...less: string[]] {
  if (who.kind === 'anyone') return [as];
  const signed = `${as} with an assertion${asserted === undefined ? '' : ` (${asserted})`}`;
  return who.kind === 'role' ? [`${signed} of role ${who.role}`, signed, as] : [signed, as];
}

const NO_AGENT = ', by no agent';

/** Returns the same callers, with or without an agent. If a rule does not read the agent, it allows both. */
function callersOf(rule: MeshRule): readonly [caller: string, ...less: string[]] {
  const [caller, ...less] = peopleOf(rule);
  if (rule.agent === undefined) return [caller, ...less];
  const mark = rule.agent === null ? NO_AGENT : `, by agent ${rule.agent}`;
  // If a rule does not read whether the agent is alone, it allows the agent in both cases.
  const marks = rule.alone ? [`${mark} alone`, mark] : [mark];
  const [first, ...marked] = marks.flatMap((it) => [caller, ...less].map((person) => person + it)) as [string];
  return [first, ...marked, caller, ...less];
}

/** Returns a caller that only one side allows, which also allows more: another role, assertion or agent. */
function divergence(some: readonly MeshRule[], others: readonly MeshRule[]) {
  const allowed = new Set(others.map((rule) => callersOf(rule)[0]));
  const rule = some.find((it) => !callersOf(it).some((caller) => allowed.has(caller)));
  if (rule === undefined) return undefined;
  // Such a rule also allows agents that no other rule names.
  const unmarked = rule.agent === undefined && peopleOf(rule).some((it) => allowed.has(it + NO_AGENT));
  return { rule, caller: callersOf(rule)[0] + (unmarked ? ', by an agent that no rule names' : '') };
}

const takes = ({ tools }: MeshRule, message: McpHeaders = {}): boolean =>
  tools === undefined || refusedTool(tools, message) === undefined;

/** Returns a caller, and the MCP message of the request, for which the two sides of a cell differ. */
function witnessIn({ left, right }: Cell<MeshRule>): Pick<Witness<string>, 'caller' | 'left' | 'right'> | undefined {
  for (const message of messagesOf([...left, ...right].map(({ tools }) => tools))) {
    const of = (rules: readonly MeshRule[]) => rules.filter((rule) => takes(rule, message));
    const sent = message === undefined ? '' : `, with ${messageText(message)}`;
    const ours = divergence(of(left), of(right));
    if (ours) return { caller: ours.caller + sent, left: ours.rule };
    const theirs = divergence(of(right), of(left));
    if (theirs) return { caller: theirs.caller + sent, right: theirs.rule };
  }
  return undefined;
}

/** Like {@link prove}, with rules of a mesh, which compare the connection's identity and perhaps the assertion. */
export function proveIdentities(left: readonly MeshRule[], right: readonly MeshRule[]): Witness<string> | undefined {
  for (const cell of cells<MeshRule>(left, right)) {
    const witness = witnessIn(cell);
    if (witness) return { ...requestOf(cell), ...witness };
  }
  return undefined;
}
