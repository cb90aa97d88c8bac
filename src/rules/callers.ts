import type { AgentWho, Who } from '../policy/types.ts';
import type { AnonymousCaller } from './anonymous.ts';
import { mayAct, toolRefusal, travelling } from './decide.ts';
import type { Population } from './population.ts';
import { type McpHeaders, toolAtoms } from './tools.ts';
import type { Rule } from './types.ts';

/** The caller of a request in a comparison: anonymous, perhaps with roles by the request; with exactly these roles,
 * perhaps through an agent; or an agent alone. */
export type Asking = {
  readonly roles: readonly string[];
  readonly agent?: string;
  /** The agent is alone. Its roles are those that its token gives it on a side that does not know the agent, where it
   * counts as a person. */
  readonly alone?: true;
  readonly nobody?: true;
  /** The address of an anonymous caller. */
  readonly address?: string;
  /** The roles of an anonymous caller on the left, if they differ from {@link roles}, which are those on the right. */
  readonly left?: readonly string[];
  /** The agent's MCP message, if a rule reads it; absent: none. */
  readonly mcp?: McpHeaders;
} | null;

/** The decisions of two sides for one caller. A side without a rule denies. */
export interface Parting {
  readonly caller: Asking;
  /** Those of the caller's roles that the rules name. The others are implied. */
  readonly named: readonly string[];
  readonly left?: Rule;
  readonly right?: Rule;
}

/** The result of a rule that allows. Rules with the same text give callers the same result. */
export type Outcome = (rule: Rule) => string;

/** What a rule of one cell allows an agent: for whom, or alone. */
interface Acting {
  readonly index: number;
  readonly who: AgentWho;
}

/** Whom the rules of one cell allow. Positions count in the order of the rules; the number of rules means denial. */
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

  /** The first rule for a caller with these roles. */
  position(roles: Iterable<string>): number {
    let first = this.somebody;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }

  /** The first rule for an anonymous caller to whom the request gives these roles. */
  positionBare(roles: Iterable<string>): number {
    let first = this.nobody;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }

  /** The rule for an agent that acts for a person with these roles. */
  positionOf(agent: string, roles: readonly string[], mcp: McpHeaders | undefined, isPerson: boolean): number {
    if (isPerson) return this.position(roles);
    const acting = this.#acting(agent, false, mcp);
    if (acting === undefined) return this.rules.length;
    const person = travelling({ roles }, acting.who.actsFor);
    return this.position(person.roles) < this.rules.length ? acting.index : this.rules.length;
  }

  /** The rule for an agent that is alone. If it counts as a person, its token gives it these roles. */
  positionAlone(agent: string, roles: readonly string[], mcp: McpHeaders | undefined, isPerson: boolean): number {
    if (isPerson) return this.position(roles);
    return this.#acting(agent, true, mcp)?.index ?? this.rules.length;
  }

  /** The first rule of an agent that covers the request. */
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

/** The rules of one cell on two sides, compared for each caller. */
class Pair {
  readonly left: Order;
  readonly right: Order;
  /** For each role that a rule names: its first positions, and the implied roles. */
  readonly roles: readonly {
    readonly role: string;
    readonly all: readonly string[];
    readonly left: number;
    readonly right: number;
  }[];
  /** Agents that each side does not know, so that they count as people. */
  readonly people: Population['people'];
  readonly #outcomes: readonly [readonly string[], readonly string[]];

  constructor(left: Order, right: Order, outcomes: readonly [Outcome, Outcome], { implied, people }: Population) {
    this.people = people;
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

/** MCP messages that an agent's rules distinguish; `undefined` if no rule reads them. */
function messagesOf({ left, right }: Pair, agent: string): readonly (McpHeaders | undefined)[] {
  const acting = [...(left.agents.get(agent) ?? []), ...(right.agents.get(agent) ?? [])];
  const tools = acting.flatMap(({ who }) => who.tools ?? []);
  return acting.some(({ who }) => who.tools !== undefined) ? [undefined, ...toolAtoms(tools)] : [undefined];
}

/** People with none, one and two of the roles that rules name, and all implied roles. */
function* rolesOf({ roles }: Pair): Generator<readonly [named: readonly string[], all: readonly string[]]> {
  yield [[], []];
  for (const { role, all } of roles) yield [[role], all];
  for (const [i, a] of roles.entries()) {
    for (const b of roles.slice(i + 1)) yield [[a.role, b.role], [...new Set([...a.all, ...b.all])]];
  }
}

/** An agent's callers: itself, then for people with no role, one and two. On a side that does not know the agent, it
 * counts as that person, and its own token may give roles as well. */
function* ofAgent(pair: Pair, agent: string, mcp: McpHeaders | undefined): Generator<Parting | undefined> {
  const { left, right } = pair;
  const more = mcp === undefined ? {} : { mcp };
  const [isLeft, isRight] = pair.people.map((agents) => agents.has(agent)) as [boolean, boolean];
  for (const [named, roles] of rolesOf(pair)) {
    if (named.length > 0 && !isLeft && !isRight) break;
    const itself = () => ({ roles, agent, alone: true as const, ...more });
    const positions = [
      left.positionAlone(agent, roles, mcp, isLeft),
      right.positionAlone(agent, roles, mcp, isRight),
    ] as const;
    yield pair.at(named, itself, ...positions);
  }
  for (const [named, roles] of rolesOf(pair)) {
    const caller = () => ({ roles, agent, ...more });
    yield pair.at(
      named,
      caller,
      left.positionOf(agent, roles, mcp, isLeft),
      right.positionOf(agent, roles, mcp, isRight),
    );
  }
}

/** The role by which a rule allows. */
const decidedBy = (rule: Rule | undefined): readonly string[] => (rule?.who.kind === 'role' ? [rule.who.role] : []);

/** Anonymous callers with the roles that their address gives them on each side. */
function* bare(pair: Pair, callers: readonly AnonymousCaller[]): Generator<Parting | undefined> {
  for (const { address, left, right } of callers) {
    const own = left.join() === right.join() ? {} : { left };
    const caller = () => ({ roles: right, nobody: true as const, address, ...own });
    const found = pair.at([], caller, pair.left.positionBare(left), pair.right.positionBare(right));
    if (found === undefined) continue;
    const named = [...new Set([...decidedBy(found.right), ...decidedBy(found.left)])];
    yield { ...found, named };
  }
}

/** Callers with one role or two, and the implied roles. */
function* withRoles(pair: Pair): Generator<Parting | undefined> {
  for (const { role, all, left, right } of pair.roles) yield pair.at([role], () => ({ roles: all }), left, right);
  for (const [i, a] of pair.roles.entries()) {
    for (const b of pair.roles.slice(i + 1)) {
      const roles = () => ({ roles: [...new Set([...a.all, ...b.all])] });
      yield pair.at([a.role, b.role], roles, Math.min(a.left, b.left), Math.min(a.right, b.right));
    }
  }
}

/** Callers for whom the rules of one cell differ, in this order: anonymous, without a role, with one, with two;
 * anonymous callers by their address; then for each agent: alone, and for the same people.
 * Two roles are enough to find every difference. If the sides differ for a caller with many roles, one of them decides
 * on the left and one on the right (or none does). Each is the first in its order, and stays the first if the caller
 * has only these two. So this finds a caller if there is one. An agent has one rule that decides on each side, and one
 * role of its person is enough for it. All anonymous callers are examined: each set of roles that an address gives.
 *
 * @param outcomes results of the rules on the left and on the right
 */
export function* partings(
  left: readonly Rule[],
  right: readonly Rule[],
  outcomes: readonly [Outcome, Outcome],
  population: Population,
): Generator<Parting> {
  const { anonymous, people } = population;
  const isSame = sameLists(left, right, ...outcomes);
  if (isSame && population.alike) return;
  const pair = new Pair(new Order(left), new Order(right), outcomes, population);
  const first = [
    pair.at([], () => null, pair.left.nobody, pair.right.nobody),
    pair.at([], () => ({ roles: [] }), pair.left.somebody, pair.right.somebody),
  ];
  for (const parting of first) if (parting !== undefined) yield parting;
  for (const parting of isSame ? [] : withRoles(pair)) if (parting !== undefined) yield parting;
  for (const parting of bare(pair, anonymous)) if (parting !== undefined) yield parting;
  const agents = isSame ? [] : [...pair.left.agents.keys(), ...pair.right.agents.keys()];
  for (const agent of new Set([...agents, ...people[0], ...people[1]])) {
    for (const mcp of messagesOf(pair, agent)) {
      for (const parting of ofAgent(pair, agent, mcp)) if (parting !== undefined) yield parting;
    }
  }
}
