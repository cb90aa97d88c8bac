import type { PersonWho } from '../policy/types.ts';
import type { Rule } from './types.ts';

/** A rule as an enforcer checks it that sees one request and one assertion: no rule of it rests on another. */
export interface Enforced extends Rule {
  /** Whom of the people it speaks of. */
  readonly who: PersonWho;
  /**
   * What `agent` in the assertion must be: a name; null: there must be none; absent: the policy has no agents, and
   * there is none.
   */
  readonly agent?: string | null;
  /** That agent asks for itself, and nobody is behind it. */
  readonly alone?: true;
  /** Tools that the agent calls, as policies write them; absent: whatever it asks. */
  readonly tools?: readonly string[];
}

/** The id of the policy's rule that an enforced one came of. */
export function writtenId(id: string): string {
  return id.replace(/(#\d+)\.\d+$/, '$1');
}

/** The methods of both; undefined: there is none. */
function common(a: Rule, b: Rule): { readonly methods?: readonly string[] } | undefined {
  if (a.methods === undefined) return b.methods === undefined ? {} : { methods: b.methods };
  const { methods } = b;
  const both = methods === undefined ? a.methods : a.methods.filter((method) => methods.includes(method));
  return both.length === 0 ? undefined : { methods: both };
}

/** Whom an agent may act for by a person's rule: an agent's requests always have somebody behind them. */
function behind(who: Rule['who'], actsFor: readonly string[]): PersonWho | undefined {
  if (who.kind === 'role') return actsFor.includes(who.role) ? who : undefined;
  return who.kind === 'agent' ? undefined : { kind: 'authenticated' };
}

/**
 * The rules of a policy, each to be held by itself. A person's rule stays as it is, and none of an agent's requests
 * passes by it. An agent's rule becomes one for each rule of its route by which its person may pass: `route#3.1` is what
 * the rule `route#3` lets the agent do for those of `route#1`, and `route#3.0` what it lets the agent do by itself. A
 * request that {@link decide} allows is covered by one of them, and no other request: an agent that may be alone passes
 * so wherever it passes for others.
 *
 * @param rules all rules of a policy
 */
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
