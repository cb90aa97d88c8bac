import type { PolicyTest, Who } from '../policy/types.ts';
import type { Rule } from '../rules/types.ts';
import { fromText } from './asked-from.ts';

/** The callers of a rule, in the policy's words. */
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

/** A rule in one line: `role editor, GET POST, as wiki-editor`.
 *
 * @param routed the route's service: a different service of the rule is then named, `to wiki-canary`
 */
export function ruleText({ who, methods, service, as }: Rule, routed?: string): string {
  return [
    whoText(who),
    ...(methods === undefined ? [] : [methods.join(' ')]),
    ...(routed === undefined || service === routed ? [] : [`to ${service}`]),
    ...(as === '' ? [] : [`as ${as}`]),
  ].join(', ');
}

/** A caller with roles, perhaps through an agent. */
export function rolesText(roles: readonly string[], agent?: string): string {
  const person = roles.length === 0 ? 'somebody without a role' : roles.join(', ');
  return agent === undefined ? person : `agent ${agent} for ${person}`;
}

/** An agent that acts for itself. */
export const aloneText = (agent: string): string => `agent ${agent} alone`;

/** The caller in a policy test. The values of claims are not repeated. */
export function askerText(as: PolicyTest['as']): string {
  switch (as.kind) {
    case 'nobody':
      return as.certificate === undefined && as.network === undefined ? 'nobody' : `nobody, ${fromText(as)}`;
    case 'alone':
      return aloneText(as.agent);
    case 'roles':
      return rolesText(as.roles, as.agent);
    case 'claims':
      return `somebody of ${as.provider}${fromText(as) === '' ? '' : `, ${fromText(as)}`}`;
  }
}
