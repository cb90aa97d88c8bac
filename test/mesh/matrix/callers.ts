import type { Policy } from '../../../src/policy/types.ts';
import { decide } from '../../../src/rules/decide.ts';
import { type Implied, impliedBy } from '../../../src/rules/implied.ts';
import type { Rule } from '../../../src/rules/types.ts';

/** Somebody with these roles, or nobody. */
export type Asker = readonly string[] | null;

/** At most so many other roles are tried one by one. */
const OTHERS = 4;

/** Who can be made up from a policy's roles. */
export class Askers {
  readonly #names: readonly string[];
  readonly #implied: Implied;

  constructor(policy: Policy) {
    this.#names = Object.keys(policy.roles);
    this.#implied = impliedBy([policy]);
  }

  /** A role and what comes with it, in the policy's order. */
  #with(roles: readonly string[]): readonly string[] {
    const all = new Set(roles.flatMap((role) => [...this.#implied(role)]));
    return this.#names.filter((name) => all.has(name));
  }

  /** Whom this rule, and no rule before it, lets pass. */
  passing(rule: Rule, rules: readonly Rule[], method: string): readonly Asker[] {
    const role = rule.who.kind === 'role' ? [this.#with([rule.who.role])] : [];
    const candidates: readonly Asker[] = [...role, null, [], ...this.#names.map((name) => this.#with([name]))];
    const passes = (asker: Asker) => {
      const decision = decide(rules, asker && { roles: asker }, { route: rule.route, method });
      return decision.allow && decision.rule.id === rule.id;
    };
    const texts = candidates.map((asker) => JSON.stringify(asker));
    return candidates.filter((asker, i) => texts.indexOf(texts[i] as string) === i && passes(asker)).slice(0, 2);
  }

  /** Whom it does not: somebody without a role, with another one, with all others. */
  others(rule: Rule): readonly (readonly string[])[] {
    const { who } = rule;
    if (who.kind !== 'role') return [];
    const lacking = (roles: readonly string[]) => !roles.includes(who.role);
    const each = this.#names.map((name) => this.#with([name])).filter(lacking);
    const all = this.#names.filter((name) => lacking(this.#with([name])));
    return [[], ...each.slice(0, OTHERS), ...(each.length > 1 ? [all] : [])];
  }
}
