import type { Policy } from '../../../src/policy/checked/types.ts';
import { decide } from '../../../src/rules/decide/decide.ts';
import { type Implied, impliedBy } from '../../../src/rules/implied.ts';
import type { Rule } from '../../../src/rules/types.ts';

/** A person with these roles, an agent for a person with these or for itself, or an anonymous caller. */
export type Requester = { readonly roles: readonly string[]; readonly agent?: string; readonly alone?: true } | null;

/** No agent of a policy has this name. */
const NO_AGENT = 'no-agent';

/** The highest number of other roles that are tried one by one. */
const OTHERS = 4;

/** The callers that can be made from a policy's roles. */
export class Askers {
  readonly #names: readonly string[];
  readonly #agents: readonly string[];
  readonly #implied: Implied;
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.#names = Object.keys(policy.roles);
    this.#agents = Object.keys(policy.agents ?? {});
    this.#implied = impliedBy([policy]);
  }

  /** A role and the roles that it implies, in the policy's order. */
  #with(roles: readonly string[]): readonly string[] {
    const all = new Set(roles.flatMap((role) => [...this.#implied(role)]));
    return this.#names.filter((name) => all.has(name));
  }

  /** The callers that this rule, and no rule before it, allows. */
  passing(rule: Rule, rules: readonly Rule[], method: string): readonly Requester[] {
    const role = rule.who.kind === 'role' ? [this.#with([rule.who.role])] : [];
    const each = this.#names.map((name) => this.#with([name]));
    const people = [...role, [], ...each].map((roles) => ({ roles }));
    const agent = rule.who.kind === 'agent' ? { agent: rule.who.agent } : undefined;
    const itself = agent && { roles: [], ...agent, alone: true as const };
    const candidates: readonly Requester[] = itself
      ? [...each.map((roles) => ({ roles, ...agent })), itself]
      : [...people.slice(0, role.length), null, ...people.slice(role.length)];
    const passes = (requester: Requester) => {
      const decision = decide(rules, requester, { route: rule.route, method });
      return decision.allow && decision.rule.id === rule.id;
    };
    const texts = candidates.map((requester) => JSON.stringify(requester));
    const found = candidates.filter((requester, i) => texts.indexOf(texts[i] as string) === i && passes(requester));
    return itself && found.at(-1) === itself ? [...found.slice(0, -1).slice(0, 2), itself] : found.slice(0, 2);
  }

  /** The callers that it does not allow: without a role, with another one, with all others. */
  others(rule: Rule): readonly (readonly string[])[] {
    const { who } = rule;
    if (who.kind !== 'role' && who.kind !== 'agent') return [];
    // An agent has the roles that travel.
    const names = who.kind === 'role' ? [who.role] : who.actsFor;
    const lacking = (roles: readonly string[]) => !roles.some((it) => names.includes(it));
    const each = this.#names.map((name) => this.#with([name])).filter(lacking);
    const all = this.#names.filter((name) => lacking(this.#with([name])));
    const some = [[], ...each.slice(0, OTHERS), ...(each.length > 1 ? [all] : [])];
    return some.filter((roles, i) => some.findIndex((it) => it.join() === roles.join()) === i);
  }

  /**
   * Other actors, or none, instead of the rule's own agent; nothing where the policy knows no agents.
   *
   * @param alone for itself: nothing is signed for an agent that may not
   */
  otherAgents(rule: Rule, alone = false): readonly (string | undefined)[] {
    if (this.#agents.length === 0) return [];
    const own = rule.who.kind === 'agent' ? rule.who.agent : undefined;
    const others = this.#agents.filter((it) => it !== own && (!alone || this.#policy.agents[it]?.alone));
    return [...(own === undefined ? [] : [undefined]), ...others, NO_AGENT];
  }
}
