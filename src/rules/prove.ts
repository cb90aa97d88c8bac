import type { Asking, Outcome } from './callers.ts';
import { partings } from './callers.ts';
import { type Cell, cells } from './cells.ts';
import type { Population } from './population.ts';
import { type McpHeaders, messageText, refusedTool, toolAtoms } from './tools.ts';
import type { MeshRule, Rule } from './types.ts';

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

function requestOf({ host, path, method }: Cell<Rule>) {
  return { method: method.method, host: host.host, path: path.path };
}

/**
 * Whether two lists of rules allow the same requests, to the same service and as the same identity. Exact: the
 * requests fall into finitely many classes ({@link cells}, {@link partings}), and each is looked at.
 *
 * @param population who may ask both
 * @returns a request that tells them apart; undefined if none does
 */
export function prove(left: Side, right: Side, population: Population): Witness | undefined {
  for (const cell of cells(left.rules, right.rules)) {
    for (const parting of partings(cell.left, cell.right, [left.outcome, right.outcome], population)) {
      const { named: _, ...rest } = parting;
      return { ...requestOf(cell), ...rest };
    }
  }
  return undefined;
}

/** Who passes a rule of a mesh, in words: whoever connects so, perhaps with an assertion, perhaps with one of a role. */
function peopleOf({ as, asserted, who }: MeshRule): readonly [caller: string, ...less: string[]] {
  if (who.kind === 'anyone') return [as];
  const signed = `${as} with an assertion${asserted === undefined ? '' : ` (${asserted})`}`;
  return who.kind === 'role' ? [`${signed} of role ${who.role}`, signed, as] : [signed, as];
}

const NO_AGENT = ', by no agent';

/** The same with the agent that asks, or with none: where a rule does not look at it, it passes either. */
function callersOf(rule: MeshRule): readonly [caller: string, ...less: string[]] {
  const [caller, ...less] = peopleOf(rule);
  if (rule.agent === undefined) return [caller, ...less];
  const mark = rule.agent === null ? NO_AGENT : `, by agent ${rule.agent}`;
  // Where a rule does not look whether the agent is alone, it passes so as well.
  const marks = rule.alone ? [`${mark} alone`, mark] : [mark];
  const [first, ...marked] = marks.flatMap((it) => [caller, ...less].map((person) => person + it)) as [string];
  return [first, ...marked, caller, ...less];
}

/** A caller that one side lets through and the other does not: who has more passes wherever one with less does. */
function parting(some: readonly MeshRule[], others: readonly MeshRule[]) {
  const allowed = new Set(others.map((rule) => callersOf(rule)[0]));
  const rule = some.find((it) => !callersOf(it).some((caller) => allowed.has(caller)));
  if (rule === undefined) return undefined;
  // A rule that does not look at the agent lets all pass: also those that no other rule speaks of.
  const unmarked = rule.agent === undefined && peopleOf(rule).some((it) => allowed.has(it + NO_AGENT));
  return { rule, caller: callersOf(rule)[0] + (unmarked ? ', by an agent that no rule names' : '') };
}

/** Messages of MCP that rules tell apart, and what is none; that alone, where no rule looks. */
function messagesOf(rules: readonly MeshRule[]): readonly (McpHeaders | undefined)[] {
  const tools = rules.flatMap((rule) => (rule.tools === undefined ? [] : [rule.tools]));
  return tools.length === 0 ? [undefined] : [undefined, ...toolAtoms(tools.flat())];
}

const takes = ({ tools }: MeshRule, message: McpHeaders = {}): boolean =>
  tools === undefined || refusedTool(tools, message) === undefined;

/** A caller, with a message of MCP, whom the two sides of a cell decide differently. */
function witnessIn({ left, right }: Cell<MeshRule>): Pick<Witness<string>, 'caller' | 'left' | 'right'> | undefined {
  for (const message of messagesOf([...left, ...right])) {
    const of = (rules: readonly MeshRule[]) => rules.filter((rule) => takes(rule, message));
    const sent = message === undefined ? '' : `, with ${messageText(message)}`;
    const ours = parting(of(left), of(right));
    if (ours) return { caller: ours.caller + sent, left: ours.rule };
    const theirs = parting(of(right), of(left));
    if (theirs) return { caller: theirs.caller + sent, right: theirs.rule };
  }
  return undefined;
}

/**
 * The same for rules as a mesh sees them: it asks who connects, and, where it verifies one, what the assertion says.
 *
 * @returns a request whose caller is an identity, in words; undefined if none tells them apart
 */
export function proveIdentities(left: readonly MeshRule[], right: readonly MeshRule[]): Witness<string> | undefined {
  for (const cell of cells<MeshRule>(left, right)) {
    const witness = witnessIn(cell);
    if (witness) return { ...requestOf(cell), ...witness };
  }
  return undefined;
}
