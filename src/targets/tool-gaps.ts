import type { Rule } from '../rules/types.ts';
import type { Coverage, MeshTarget } from './types.ts';

const looks = ({ who }: Rule): boolean => who.kind === 'agent' && who.tools !== undefined;

function withoutTools(text: string, rule: Rule, held: Coverage): Coverage {
  if (!looks(rule) || held.kind === 'none') return held;
  return { kind: 'wider', text: held.kind === 'wider' ? `${held.text}; ${text}` : text };
}

/** A mesh whose rules look at no tools of agents: each rule that has some is a printed gap. */
export function unawareOfTools(target: MeshTarget, mesh: string): MeshTarget {
  const text = `${mesh} does not look at the tools of an agent: there the rule is as it would be without them; the gateway holds them, and the server, which compares the headers with the message`;
  return {
    ...target,
    emit: (policy, rules, options) => {
      const emitted = target.emit(policy, rules, options);
      const meshed = rules.filter((rule) => looks(rule) && policy.services[rule.service]?.direct === undefined);
      return { ...emitted, gaps: [...emitted.gaps, ...meshed.map(({ id }) => ({ part: id, text }))] };
    },
    covers: (rule, policy) => withoutTools(text, rule, target.covers(rule, policy)),
  };
}
