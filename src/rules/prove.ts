import type { Asking, Outcome } from './callers.ts';
import { partings } from './callers.ts';
import { type Cell, cells } from './cells.ts';
import type { Population } from './population.ts';
import { type McpHeaders, messageText, refusedTool, toolAtoms } from './tools.ts';
import type { MeshRule, Rule } from './types.ts';

/** Rules, and the result of a rule that allows. Results with the same text are equal. */
export interface Side {
  readonly rules: readonly Rule[];
  readonly outcome: Outcome;
}

/** A request on which two sides differ. A side without a rule denies it. */
export interface Witness<Caller = Asking> {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly caller: Caller;
  readonly left?: Rule;
  readonly right?: Rule;
}

/** Compares services and identities by their names. */
export const named: Outcome = ({ service, as }) => JSON.stringify([service, as]);

function requestOf({ host, path, method }: Cell<Rule>) {
  return { method: method.method, host: host.host, path: path.path };
}

/** Whether two lists of rules allow the same requests, to the same service with the same identity. The result is exact:
 * there are finitely many classes of requests ({@link cells}, {@link partings}), and each is examined.
 *
 * @param population the callers of both
 * @returns a request on which they differ; undefined if there is none
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

/** The callers that a rule of a mesh allows, in words: any connection with the identity, or one with an assertion, or
 * with an assertion of a role. */
function peopleOf({ as, asserted, who }: MeshRule): readonly [caller: string, ...less: string[]] {
  if (who.kind === 'anyone') return [as];
  const signed = `${as} with an assertion${asserted === undefined ? '' : ` (${asserted})`}`;
  return who.kind === 'role' ? [`${signed} of role ${who.role}`, signed, as] : [signed, as];
}

const NO_AGENT = ', by no agent';

/** The same with or without an agent. A rule that does not read the agent allows both. */
function callersOf(rule: MeshRule): readonly [caller: string, ...less: string[]] {
  const [caller, ...less] = peopleOf(rule);
  if (rule.agent === undefined) return [caller, ...less];
  const mark = rule.agent === null ? NO_AGENT : `, by agent ${rule.agent}`;
  // A rule that does not read whether the agent is alone allows both.
  const marks = rule.alone ? [`${mark} alone`, mark] : [mark];
  const [first, ...marked] = marks.flatMap((it) => [caller, ...less].map((person) => person + it)) as [string];
  return [first, ...marked, caller, ...less];
}

/** A caller that one side allows and the other does not. A caller with more passes wherever a caller with less does. */
function parting(some: readonly MeshRule[], others: readonly MeshRule[]) {
  const allowed = new Set(others.map((rule) => callersOf(rule)[0]));
  const rule = some.find((it) => !callersOf(it).some((caller) => allowed.has(caller)));
  if (rule === undefined) return undefined;
  // A rule that does not read the agent allows all agents, including those of no other rule.
  const unmarked = rule.agent === undefined && peopleOf(rule).some((it) => allowed.has(it + NO_AGENT));
  return { rule, caller: callersOf(rule)[0] + (unmarked ? ', by an agent that no rule names' : '') };
}

/** MCP messages that rules distinguish, and a request that is none; only that one if no rule reads them. */
function messagesOf(rules: readonly MeshRule[]): readonly (McpHeaders | undefined)[] {
  const tools = rules.flatMap((rule) => (rule.tools === undefined ? [] : [rule.tools]));
  return tools.length === 0 ? [undefined] : [undefined, ...toolAtoms(tools.flat())];
}

const takes = ({ tools }: MeshRule, message: McpHeaders = {}): boolean =>
  tools === undefined || refusedTool(tools, message) === undefined;

/** A caller, with an MCP message, on whom the two sides of a cell differ. */
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

/** The same for rules as a mesh reads them, which knows the identity of the connection and, if it verifies one, the
 * assertion.
 *
 * @returns a request whose caller is an identity, in words; undefined if there is no difference
 */
export function proveIdentities(left: readonly MeshRule[], right: readonly MeshRule[]): Witness<string> | undefined {
  for (const cell of cells<MeshRule>(left, right)) {
    const witness = witnessIn(cell);
    if (witness) return { ...requestOf(cell), ...witness };
  }
  return undefined;
}
