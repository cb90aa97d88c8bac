import type { PolicyTest, Who } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { fromText } from './asked-from.ts';

/** Names the callers of a rule in the words of the policy. */
export function whoText(who: Who): string {
  switch (who.kind) {
    case 'role':
      return `role ${who.role}`;
    case 'agent':
      return `agent ${who.agent}${who.tools === undefined ? '' : ` with tools ${who.tools.join(' ')}`}`;
    default:
      return who.kind;
  }
}

/** Describes a rule in one line: `role editor, GET POST, as wiki-editor`.
 * @param routed service of the route; if the rule has another service, the text names it: `to wiki-canary` */
export function ruleText({ who, methods, service, as }: Rule, routed?: string): string {
  return [
    whoText(who),
    ...(methods === undefined ? [] : [methods.join(' ')]),
    ...(routed === undefined || service === routed ? [] : [`to ${service}`]),
    ...(as === '' ? [] : [`as ${as}`]),
  ].join(', ');
}

/** Describes a caller that has roles, and the agent if there is one. */
export function rolesText(roles: readonly string[], agent?: string): string {
  const person = roles.length === 0 ? 'a caller without a role' : roles.join(', ');
  return agent === undefined ? person : `agent ${agent} for ${person}`;
}

/** Describes an agent that acts for itself. */
export const aloneText = (agent: string): string => `agent ${agent} alone`;

/** Describes the caller of a policy test. The values of claims are left out. */
export function askerText(as: PolicyTest['as']): string {
  switch (as.kind) {
    case 'nobody':
      return as.certificate === undefined && as.network === undefined
        ? 'an anonymous caller'
        : `an anonymous caller, ${fromText(as)}`;
    case 'alone':
      return aloneText(as.agent);
    case 'roles':
      return rolesText(as.roles, as.agent);
    case 'claims':
      return `a caller of ${as.provider}${fromText(as) === '' ? '' : `, ${fromText(as)}`}`;
  }
}
