import type { PersonWho } from '../policy/checked/types.ts';
import type { Rule } from './types.ts';

/** A rule that can be enforced without the other rules, for one request with one assertion. */
export interface Enforced extends Rule {
  readonly who: PersonWho;
  /** The agent in the assertion. null: no agent; absent: the policy has no agents. */
  readonly agent?: string | null;
  readonly alone?: true;
  /** The tools that the agent may call; absent: any request. */
  readonly tools?: readonly string[];
}

/** The id of the policy's rule from which an enforced rule was made. */
export const writtenId = (id: string): string => id.replace(/(#\d+)\.\d+$/, '$1');

function common(a: Rule, b: Rule): { readonly methods?: readonly string[] } | undefined {
  if (a.methods === undefined) return b.methods === undefined ? {} : { methods: b.methods };
  const { methods } = b;
  const both = methods === undefined ? a.methods : a.methods.filter((method) => methods.includes(method));
  return both.length === 0 ? undefined : { methods: both };
}

/** Returns the people of a rule that an agent may act for, who are never anonymous; undefined if there are none. */
function behind(who: Rule['who'], actsFor: readonly string[]): PersonWho | undefined {
  if (who.kind === 'role') return actsFor.includes(who.role) ? who : undefined;
  return who.kind === 'agent' ? undefined : { kind: 'authenticated' };
}

/** Converts the rules of a policy so that each rule can be enforced without the others. A rule for people then allows
 * no request of an agent. A rule for an agent becomes several rules, one for each rule of its route that allows the
 * person: `route#3.1` is the rule `route#3` for an agent that acts for people of `route#1`, and `route#3.0` is the same
 * rule for the agent alone. All rules together cover exactly the requests that {@link decide} allows. */
export function enforced(rules: readonly Rule[]): readonly Enforced[] {
  const some = rules.some(({ who }) => who.kind === 'agent');
  return rules.flatMap((rule): readonly Enforced[] => {
    const { who } = rule;
    if (who.kind !== 'agent') return [{ ...rule, who, ...(some && { agent: null }) }];
    const tools = who.tools === undefined ? {} : { tools: who.tools };
    const alone: readonly Enforced[] = who.alone
      ? [{ ...rule, id: `${rule.id}.0`, who: { kind: 'authenticated' }, agent: who.agent, alone: true, ...tools }]
      : [];
    if (who.actsFor.length === 0) return alone;
    const people = rules
      .filter((other) => other.route === rule.route)
      .flatMap((person): Enforced[] => {
        const both = common(rule, person);
        const somebody = behind(person.who, who.actsFor);
        if (both === undefined || somebody === undefined) return [];
        const { methods: _, ...rest } = rule;
        const id = `${rule.id}.${person.id.slice(person.id.lastIndexOf('#') + 1)}`;
        return [{ ...rest, ...both, id, who: somebody, agent: who.agent, ...tools }];
      });
    return [...people, ...alone];
  });
}
