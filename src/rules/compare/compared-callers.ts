import type { AgentWho, Who } from '../../policy/checked/types.ts';
import { mayAct, toolRefusal, travelling } from '../decide/decide.ts';
import { type McpHeaders, messagesOf } from '../tools.ts';
import type { Rule } from '../types.ts';
import type { AnonymousCaller } from './anonymous-callers.ts';
import type { Population } from './population.ts';

/** The caller in a comparison: an anonymous caller with roles from the request, a caller with exactly these roles,
 * perhaps through an agent, or an agent alone. */
export type Query = {
  readonly roles: readonly string[];
  readonly agent?: string;
  /** Set for an agent alone. A side whose policy does not define the agent treats it as a person with `roles`. */
  readonly alone?: true;
  readonly nobody?: true;
  readonly address?: string;
  /** The roles of an anonymous caller on the left, if they differ from those on the right, which are {@link roles}. */
  readonly left?: readonly string[];
  /** The agent's MCP message; absent: the request contains none, or no rule reads it. */
  readonly mcp?: McpHeaders;
} | null;

/** The decisions of two sides for one caller. A side that has no rule for the caller denies the request. */
export interface Divergence {
  readonly caller: Query;
  /** The caller's roles that the rules name. The other roles are implied by these. */
  readonly named: readonly string[];
  readonly left?: Rule;
  readonly right?: Rule;
}

/** Returns a text for the result of a rule. If two rules have the same text, they have the same result. */
export type Outcome = (rule: Rule) => string;

type ByAgent = NonNullable<Query> & { readonly agent: string };

/** The position of a rule that allows an agent, and its condition on the agent: acting for a person, or alone. */
interface Acting {
  readonly index: number;
  readonly who: AgentWho;
}

/** The rules of one cell. A position is the index of a rule; the number of rules means that the request is denied. */
class Order {
  readonly rules: readonly Rule[];
  readonly roles = new Map<string, number>();
  readonly nobody: number;
  readonly somebody: number;
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

  /** Returns the position of the first rule for these roles; `otherwise` is the position without roles. */
  position(roles: Iterable<string>, otherwise: number): number {
    let first = otherwise;
    for (const role of roles) first = Math.min(first, this.roles.get(role) ?? first);
    return first;
  }

  /** Returns the position of the rule for an agent that is alone, or that acts for a person with these roles. */
  positionOf({ agent, alone, roles, mcp }: ByAgent, isPerson: boolean): number {
    if (isPerson) return this.position(roles, this.somebody);
    const isFor = ({ who }: Acting) => mayAct(who, alone === true) && toolRefusal({ who }, mcp) === undefined;
    const acting = this.agents.get(agent)?.find(isFor);
    if (acting === undefined) return this.rules.length;
    const person = travelling({ roles }, acting.who.actsFor);
    const passes = alone || this.position(person.roles, this.somebody) < this.rules.length;
    return passes ? acting.index : this.rules.length;
  }
}

function sameWho(a: Who, b: Who): boolean {
  if (a.kind === 'role') return b.kind === 'role' && a.role === b.role;
  if (a.kind !== 'agent') return a.kind === b.kind;
  if (b.kind !== 'agent' || a.agent !== b.agent || a.alone !== b.alone) return false;
  return a.actsFor.join() === b.actsFor.join() && a.tools?.join(' ') === b.tools?.join(' ');
}

function sameLists(left: readonly Rule[], right: readonly Rule[], ours: Outcome, theirs: Outcome): boolean {
  const isSame = (a: Rule, b: Rule) => sameWho(a.who, b.who) && ours(a) === theirs(b);
  return left.length === right.length && left.every((rule, i) => isSame(rule, right[i] as Rule));
}

/** The rules of one cell on two sides, compared for each caller. */
class Pair {
  readonly left: Order;
  readonly right: Order;
  /** For each role that a rule names: the positions of the first rules, and the implied roles. */
  readonly roles;
  readonly people: Population['people'];
  readonly #outcomes;

  constructor(left: Order, right: Order, outcomes: readonly [Outcome, Outcome], { implied, people }: Population) {
    this.people = people;
    this.left = left;
    this.right = right;
    this.roles = [...new Set([...left.roles.keys(), ...right.roles.keys()])].map((role) => {
      const all = [...implied(role)];
      return { role, all, left: left.position(all, left.somebody), right: right.position(all, right.somebody) };
    });
    this.#outcomes = [left.rules.map(outcomes[0]), right.rules.map(outcomes[1])] as const;
  }

  outcome(left: number): string | undefined {
    return this.#outcomes[0][left];
  }

  at(named: readonly string[], caller: () => Query, left: number, right: number): Divergence | undefined {
    if (this.#outcomes[0][left] === this.#outcomes[1][right]) return undefined;
    const [leftRule, rightRule] = [this.left.rules[left], this.right.rules[right]];
    return { caller: caller(), named, ...(leftRule && { left: leftRule }), ...(rightRule && { right: rightRule }) };
  }
}

/** Yields people with zero or one of the roles that rules name, and with all roles that this one implies. */
function* rolesOf({ roles }: Pair): Generator<readonly [named: readonly string[], all: readonly string[]]> {
  yield [[], []];
  for (const { role, all } of roles) yield [[role], all];
}

/** Yields the decisions for the agent alone, and for the agent that acts for people with zero or one role. A side
 * whose policy does not define the agent treats the agent as a person. */
function* ofAgent(pair: Pair, agent: string, mcp: McpHeaders | undefined): Generator<Divergence | undefined> {
  const { left, right } = pair;
  const more = mcp === undefined ? {} : { mcp };
  const [isLeft, isRight] = pair.people.map((agents) => agents.has(agent)) as [boolean, boolean];
  for (const own of [{ alone: true as const }, {}]) {
    for (const [named, roles] of rolesOf(pair)) {
      if ('alone' in own && named.length > 0 && !isLeft && !isRight) break;
      const caller: ByAgent = { roles, agent, ...own, ...more };
      yield pair.at(named, () => caller, left.positionOf(caller, isLeft), right.positionOf(caller, isRight));
    }
  }
}

const decidedBy = (rule: Rule | undefined): readonly string[] => (rule?.who.kind === 'role' ? [rule.who.role] : []);

/** Yields anonymous callers, with the roles that their address gives them on each side. */
function* bare(pair: Pair, callers: readonly AnonymousCaller[]): Generator<Divergence | undefined> {
  for (const { address, left, right } of callers) {
    const own = left.join() === right.join() ? {} : { left };
    const caller = () => ({ roles: right, nobody: true as const, address, ...own });
    const [was, is] = [pair.left.position(left, pair.left.nobody), pair.right.position(right, pair.right.nobody)];
    const found = pair.at([], caller, was, is);
    if (found === undefined) continue;
    const named = [...new Set([...decidedBy(found.right), ...decidedBy(found.left)])];
    yield { ...found, named };
  }
}

/** Yields callers with one role, and then with two roles that make no difference alone. They differ together only if the
 * two sides find the rules of these roles in another order. */
function* withRoles(pair: Pair): Generator<Divergence | undefined> {
  const even: Pair['roles'] = [];
  for (const one of pair.roles) {
    const found = pair.at([one.role], () => ({ roles: one.all }), one.left, one.right);
    if (found === undefined) even.push(one);
    else yield found;
  }
  const outcomes = new Set(even.map(({ left }) => pair.outcome(left)));
  const reordered = outcomes.size > 1 ? outOfOrder(even) : [];
  for (const [i, a] of reordered.entries()) {
    for (const b of reordered.slice(i + 1)) {
      const roles = () => ({ roles: [...new Set([...a.all, ...b.all])] });
      const found = pair.at([a.role, b.role], roles, Math.min(a.left, b.left), Math.min(a.right, b.right));
      if (found !== undefined) yield found;
    }
  }
}

/** Returns the roles that come before another role on the left, and after it on the right, or the reverse. */
function outOfOrder(roles: Pair['roles']): Pair['roles'] {
  const sorted = [...roles].sort((a, b) => a.left - b.left || a.right - b.right);
  const found = new Set<Pair['roles'][number]>();
  let last = -1;
  for (const one of sorted) {
    if (one.right < last) found.add(one);
    last = Math.max(last, one.right);
  }
  let first = Number.POSITIVE_INFINITY;
  for (const one of sorted.reverse()) {
    if (one.right > first) found.add(one);
    first = Math.min(first, one.right);
  }
  return roles.filter((one) => found.has(one));
}

/**
 * Yields the callers that the rules of one cell treat differently, in this order: anonymous callers; callers with zero,
 * one and two roles; anonymous callers by address; and for each agent, the agent alone and the agent for people with
 * zero and one role. Callers with two roles are omitted if one of these roles makes a difference alone.
 *
 * Two roles are enough to find every difference. Suppose that the sides differ for a caller with many roles. On each
 * side, at most one role decides: the role of the first rule that matches. This rule is still the first if the caller
 * has only the two deciding roles. So the search finds a caller with at most two roles. For an agent, one rule decides
 * on each side, and one role of its person is enough for this rule. For anonymous callers, the search tries each
 * combination of roles that an address gives.
 *
 * @param outcomes the results of the rules on the left and on the right
 */
export function* divergences(
  left: readonly Rule[],
  right: readonly Rule[],
  outcomes: readonly [Outcome, Outcome],
  population: Population,
): Generator<Divergence> {
  const isSame = sameLists(left, right, ...outcomes);
  if (isSame && population.alike) return;
  const pair = new Pair(new Order(left), new Order(right), outcomes, population);
  for (const divergence of compared(pair, isSame, population)) if (divergence !== undefined) yield divergence;
}

function* compared(pair: Pair, isSame: boolean, population: Population): Generator<Divergence | undefined> {
  const { left, right } = pair;
  const { anonymous, people } = population;
  yield pair.at([], () => null, left.nobody, right.nobody);
  yield pair.at([], () => ({ roles: [] }), left.somebody, right.somebody);
  if (!isSame) yield* withRoles(pair);
  yield* bare(pair, anonymous);
  const agents = isSame ? [] : [...left.agents.keys(), ...right.agents.keys()];
  for (const agent of new Set([...agents, ...people[0], ...people[1]])) {
    const acting = [left, right].flatMap((side) => side.agents.get(agent) ?? []);
    for (const mcp of messagesOf(acting.map(({ who }) => who.tools))) yield* ofAgent(pair, agent, mcp);
  }
}
