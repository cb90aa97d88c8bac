import type { AgentWho, Who } from '../policy/types.ts';
import type { AnonymousCaller } from './anonymous.ts';
import { mayAct, toolRefusal, travelling } from './decide.ts';
import type { Population } from './population.ts';
import { type McpHeaders, toolAtoms } from './tools.ts';
import type { Rule } from './types.ts';

/** The caller in a comparison: an anonymous caller, who may have roles because of the request; a caller with exactly
 * these roles, directly or through an agent; or an agent that is alone. */
export type Asking = {
  readonly roles: readonly string[];
  readonly agent?: string;
  /** Set if the agent is alone. A side that does not know the agent treats it as a person. `roles` are then those that
   * its token gives it there. */
  readonly alone?: true;
  readonly nobody?: true;
  /** The address of an anonymous caller. */
  readonly address?: string;
  /** The roles of an anonymous caller on the left. Present if they differ from the roles on the right, which {@link
   * roles} contains. */
  readonly left?: readonly string[];
  /** The agent's MCP message; absent: the request contains none, or no rule reads it. */
  readonly mcp?: McpHeaders;
} | null;

/** What two sides decide for one caller. A side that has no rule for the caller denies the request. */
export interface Parting {
  readonly caller: Asking;
  /** The caller's roles that the rules name. The other roles are implied by these. */
  readonly named: readonly string[];
  readonly left?: Rule;
  readonly right?: Rule;
}

/** A text for the result of a rule that allows. If two rules have the same text, they have the same result. */
export type Outcome = (rule: Rule) => string;

/** A rule that allows an agent, and its position: the agent acts for a person or alone. */
interface Acting {
  readonly index: number;
  readonly who: AgentWho;
}

/** The callers that the rules of one cell allow. A position is the index of a rule in their order; the number of rules
 * means that the request is denied. */
class Order {
  readonly rules: readonly Rule[];
  readonly roles = new Map<string, number>();
  readonly nobody: number;
  readonly somebody: number;
  /** All rules for each agent. */
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

  /** The position of the first rule for a caller with these roles. */
  position(roles: Iterable<string>): number {
    let first = this.somebody;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }

  /** The position of the first rule for an anonymous caller who has these roles because of the request. */
  positionBare(roles: Iterable<string>): number {
    let first = this.nobody;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }

  /** The position of the rule for an agent that acts for a person with these roles. */
  positionOf(agent: string, roles: readonly string[], mcp: McpHeaders | undefined, isPerson: boolean): number {
    if (isPerson) return this.position(roles);
    const acting = this.#acting(agent, false, mcp);
    if (acting === undefined) return this.rules.length;
    const person = travelling({ roles }, acting.who.actsFor);
    return this.position(person.roles) < this.rules.length ? acting.index : this.rules.length;
  }

  /** The position of the rule for an agent that is alone. If this side treats the agent as a person, its token gives it
   * these roles. */
  positionAlone(agent: string, roles: readonly string[], mcp: McpHeaders | undefined, isPerson: boolean): number {
    if (isPerson) return this.position(roles);
    return this.#acting(agent, true, mcp)?.index ?? this.rules.length;
  }

  /** The first rule for an agent that covers the request. */
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
  /** For each role that a rule names: the positions of the first rules, and the implied roles. */
  readonly roles: readonly {
    readonly role: string;
    readonly all: readonly string[];
    readonly left: number;
    readonly right: number;
  }[];
  /** The agents that a side does not know and therefore treats as people. */
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

/** The MCP messages that the rules for an agent distinguish; only `undefined` if no rule reads messages. */
function messagesOf({ left, right }: Pair, agent: string): readonly (McpHeaders | undefined)[] {
  const acting = [...(left.agents.get(agent) ?? []), ...(right.agents.get(agent) ?? [])];
  const tools = acting.flatMap(({ who }) => who.tools ?? []);
  return acting.some(({ who }) => who.tools !== undefined) ? [undefined, ...toolAtoms(tools)] : [undefined];
}

/** People with none, one or two of the roles that rules name, and with all roles that these imply. */
function* rolesOf({ roles }: Pair): Generator<readonly [named: readonly string[], all: readonly string[]]> {
  yield [[], []];
  for (const { role, all } of roles) yield [[role], all];
  for (const [i, a] of roles.entries()) {
    for (const b of roles.slice(i + 1)) yield [[a.role, b.role], [...new Set([...a.all, ...b.all])]];
  }
}

/** The callers of an agent: the agent alone, and the agent for people with no role, one role and two. A side that does
 * not know the agent treats it as such a person, and its token may give it roles. */
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

/** The role because of which a rule allows the caller. */
const decidedBy = (rule: Rule | undefined): readonly string[] => (rule?.who.kind === 'role' ? [rule.who.role] : []);

/** Anonymous callers, with the roles that their address gives them on each side. */
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

/** Callers with one role or two, and with the implied roles. */
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
 * The callers for whom the rules of one cell differ, in this order: anonymous callers; callers without a role, with one
 * role and with two; anonymous callers by address; for each agent, the agent alone and for the same people.
 *
 * Two roles are enough to find every difference. Suppose that the sides differ for a caller with many roles. Then one
 * role decides on the left, and one on the right (or none does). Each belongs to the first rule that matches, and this
 * rule is still the first if the caller has only these two roles. So the search finds a caller if there is one. For an
 * agent, one rule decides on each side, and one role of its person is enough for this rule. For anonymous callers, the
 * search tries each combination of roles that an address gives.
 *
 * @param outcomes the results of the rules on the left and on the right
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
