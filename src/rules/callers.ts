import type { AgentWho, Who } from '../policy/types.ts';
import { mayAct, toolRefusal, travelling } from './decide.ts';
import type { Implied } from './implied.ts';
import { type McpHeaders, toolAtoms } from './tools.ts';
import type { Rule } from './types.ts';

/**
 * Who asks: nobody, perhaps with roles by the request alone, somebody with exactly these roles, perhaps through an agent,
 * or an agent by itself.
 */
export type Asking = {
  readonly roles: readonly string[];
  readonly agent?: string;
  readonly alone?: true;
  readonly nobody?: true;
  /** What the agent's message of MCP is, where a rule looks at that; absent: it is none, or nobody looks. */
  readonly mcp?: McpHeaders;
} | null;

/** How two sides decide for one caller; a side without a rule refuses. */
export interface Parting {
  readonly caller: Asking;
  /** Those of the caller's roles that the rules name; the others come with them. */
  readonly named: readonly string[];
  readonly left?: Rule;
  readonly right?: Rule;
}

/** What a rule that allows comes to: rules with the same text are the same to a caller. */
export type Outcome = (rule: Rule) => string;

/** What a rule of one cell lets an agent do, for whom the others let pass, or alone. */
interface Acting {
  readonly index: number;
  readonly who: AgentWho;
}

/** Whom the rules of one cell allow. Positions count in their order; the number of rules stands for a refusal. */
class Order {
  readonly rules: readonly Rule[];
  readonly roles = new Map<string, number>();
  readonly nobody: number;
  readonly somebody: number;
  /** All rules of each agent. */
  readonly agents = new Map<string, Acting[]>();

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    const first = (kinds: readonly string[]) => {
      const index = rules.findIndex(({ who }) => kinds.includes(who.kind));
      return index < 0 ? rules.length : index;
    };
    this.nobody = first(['anyone']);
    this.somebody = first(['anyone', 'authenticated']);
    rules.forEach(({ who }, index) => {
      if (who.kind === 'role' && !this.roles.has(who.role)) this.roles.set(who.role, index);
      if (who.kind === 'agent') this.agents.set(who.agent, [...(this.agents.get(who.agent) ?? []), { index, who }]);
    });
  }

  /** The first rule for somebody with these roles. */
  position(roles: Iterable<string>): number {
    let first = this.somebody;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }

  /** The first rule for nobody, whom the request gives these roles. */
  positionBare(roles: Iterable<string>): number {
    let first = this.nobody;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }

  /** The rule for an agent of somebody with these roles. */
  positionOf(agent: string, roles: readonly string[], mcp: McpHeaders | undefined): number {
    const acting = this.#acting(agent, false, mcp);
    if (acting === undefined) return this.rules.length;
    const person = travelling({ roles }, acting.who.actsFor);
    return this.position(person.roles) < this.rules.length ? acting.index : this.rules.length;
  }

  /** The rule for an agent by itself. */
  positionAlone(agent: string, mcp: McpHeaders | undefined): number {
    return this.#acting(agent, true, mcp)?.index ?? this.rules.length;
  }

  /** The first rule of an agent that covers what it asks. */
  #acting(agent: string, alone: boolean, mcp: McpHeaders | undefined): Acting | undefined {
    return this.agents.get(agent)?.find(({ who }) => mayAct(who, alone) && toolRefusal({ who }, mcp) === undefined);
  }
}

function sameWho(a: Who, b: Who): boolean {
  if (a.kind === 'role') return b.kind === 'role' && a.role === b.role;
  if (a.kind !== 'agent') return a.kind === b.kind;
  if (b.kind !== 'agent' || a.agent !== b.agent || a.alone !== b.alone) return false;
  return a.actsFor.join() === b.actsFor.join() && a.tools?.join(' ') === b.tools?.join(' ');
}

function sameLists(
  left: readonly Rule[],
  right: readonly Rule[],
  leftOutcome: Outcome,
  rightOutcome: Outcome,
): boolean {
  return (
    left.length === right.length &&
    left.every(
      (rule, i) => sameWho(rule.who, right[i]?.who as Who) && leftOutcome(rule) === rightOutcome(right[i] as Rule),
    )
  );
}

/** One cell's rules on two sides, compared caller by caller. */
class Pair {
  readonly left: Order;
  readonly right: Order;
  /** Per role that a rule names: its first positions, and the roles that come with it. */
  readonly roles: readonly {
    readonly role: string;
    readonly all: readonly string[];
    readonly left: number;
    readonly right: number;
  }[];
  readonly #outcomes: readonly [readonly string[], readonly string[]];

  constructor(left: Order, right: Order, outcomes: readonly [Outcome, Outcome], implied: Implied) {
    this.left = left;
    this.right = right;
    this.roles = [...new Set([...left.roles.keys(), ...right.roles.keys()])].map((role) => {
      const all = [...implied(role)];
      return { role, all, left: left.position(all), right: right.position(all) };
    });
    this.#outcomes = [left.rules.map(outcomes[0]), right.rules.map(outcomes[1])];
  }

  at(named: readonly string[], caller: () => Asking, left: number, right: number): Parting | undefined {
    if (this.#outcomes[0][left] === this.#outcomes[1][right]) return undefined;
    const [leftRule, rightRule] = [this.left.rules[left], this.right.rules[right]];
    return { caller: caller(), named, ...(leftRule && { left: leftRule }), ...(rightRule && { right: rightRule }) };
  }
}

/** Messages of MCP that an agent's rules tell apart; one that is none, where no rule looks. */
function messagesOf({ left, right }: Pair, agent: string): readonly (McpHeaders | undefined)[] {
  const acting = [...(left.agents.get(agent) ?? []), ...(right.agents.get(agent) ?? [])];
  const tools = acting.flatMap(({ who }) => who.tools ?? []);
  return acting.some(({ who }) => who.tools !== undefined) ? [undefined, ...toolAtoms(tools)] : [undefined];
}

/** An agent's callers: itself, then somebody without a role, with one, with two. */
function* ofAgent(pair: Pair, agent: string, mcp: McpHeaders | undefined): Generator<Parting | undefined> {
  const more = mcp === undefined ? {} : { mcp };
  const itself = () => ({ roles: [], agent, alone: true, ...more }) as const;
  yield pair.at([], itself, pair.left.positionAlone(agent, mcp), pair.right.positionAlone(agent, mcp));
  const of = (named: readonly string[], roles: readonly string[]) =>
    pair.at(
      named,
      () => ({ roles, agent, ...more }),
      pair.left.positionOf(agent, roles, mcp),
      pair.right.positionOf(agent, roles, mcp),
    );
  yield of([], []);
  for (const { role, all } of pair.roles) yield of([role], all);
  for (const [i, a] of pair.roles.entries()) {
    for (const b of pair.roles.slice(i + 1)) yield of([a.role, b.role], [...new Set([...a.all, ...b.all])]);
  }
}

/** Nobody with one role that the request alone can give, and what comes with it: a second would tell nothing more. */
function* bare(pair: Pair, roles: ReadonlySet<string>): Generator<Parting | undefined> {
  for (const { role, all } of pair.roles) {
    if (!roles.has(role)) continue;
    const caller = () => ({ roles: all, nobody: true }) as const;
    yield pair.at([role], caller, pair.left.positionBare(all), pair.right.positionBare(all));
  }
}

/** Somebody with one role, or with two, and what comes with them. */
function* withRoles(pair: Pair): Generator<Parting | undefined> {
  for (const { role, all, left, right } of pair.roles) yield pair.at([role], () => ({ roles: all }), left, right);
  for (const [i, a] of pair.roles.entries()) {
    for (const b of pair.roles.slice(i + 1)) {
      const roles = () => ({ roles: [...new Set([...a.all, ...b.all])] });
      yield pair.at([a.role, b.role], roles, Math.min(a.left, b.left), Math.min(a.right, b.right));
    }
  }
}

/**
 * Callers for whom the rules of one cell differ: nobody, somebody without a role, with one, with two, in this order;
 * then, for each agent, itself alone and the same of the person behind it.
 *
 * More than two roles tell nothing apart that two do not: where a caller with many roles parts the sides, one of them
 * decides on the left and one on the right (or none does), each the first in its order, and stays the first if only
 * these two are left. So this finds a caller if there is any. An agent has one rule that decides on each side, and one
 * role of its person is enough for it.
 *
 * @param outcomes what rules of the left and of the right come to
 * @param byRequest roles that nobody in particular may have
 */
export function* partings(
  left: readonly Rule[],
  right: readonly Rule[],
  outcomes: readonly [Outcome, Outcome],
  implied: Implied,
  byRequest: ReadonlySet<string>,
): Generator<Parting> {
  if (sameLists(left, right, ...outcomes)) return;
  const pair = new Pair(new Order(left), new Order(right), outcomes, implied);
  const first = [
    pair.at([], () => null, pair.left.nobody, pair.right.nobody),
    pair.at([], () => ({ roles: [] }), pair.left.somebody, pair.right.somebody),
  ];
  for (const parting of first) if (parting !== undefined) yield parting;
  for (const parting of withRoles(pair)) if (parting !== undefined) yield parting;
  for (const parting of bare(pair, byRequest)) if (parting !== undefined) yield parting;
  for (const agent of new Set([...pair.left.agents.keys(), ...pair.right.agents.keys()])) {
    for (const mcp of messagesOf(pair, agent)) {
      for (const parting of ofAgent(pair, agent, mcp)) if (parting !== undefined) yield parting;
    }
  }
}
