import type { PolicyTest, Who } from '../policy/types.ts';
import type { Rule } from '../rules/types.ts';

/** Who a rule speaks of, in the policy's words. */
export function whoText(who: Who): string {
  return who.kind === 'role' ? `role ${who.role}` : who.kind;
}

/**
 * What a rule says, in one line: `role editor, GET POST, as wiki-editor`.
 *
 * @param routed the route's service: a rule's own is then named, `to wiki-canary`
 */
export function ruleText({ who, methods, service, as }: Rule, routed?: string): string {
  return [
    whoText(who),
    ...(methods === undefined ? [] : [methods.join(' ')]),
    ...(routed === undefined || service === routed ? [] : [`to ${service}`]),
    ...(as === '' ? [] : [`as ${as}`]),
  ].join(', ');
}

/** Who asks in a policy test; the values of claims are not repeated. */
export function askerText(as: PolicyTest['as']): string {
  switch (as.kind) {
    case 'nobody':
      return 'nobody';
    case 'roles':
      return as.roles.length === 0 ? 'somebody without a role' : as.roles.join(', ');
    case 'claims':
      return `a token of ${as.provider}`;
  }
}
