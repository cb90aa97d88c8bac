import type { Caller } from '../caller/types.ts';
import type { Who } from '../policy/types.ts';
import type { Decision, Request, Rule } from './types.ts';

/** What of a rule decides; the rendered table holds no more. */
export type DecidingRule = Pick<Rule, 'id' | 'methods' | 'who' | 'service' | 'as'>;

/** Whether the caller, or nobody, is who the rule speaks of. */
export function isWho(who: Who, caller: Pick<Caller, 'roles'> | null): boolean {
  switch (who.kind) {
    case 'anyone':
      return true;
    case 'authenticated':
      return caller !== null;
    case 'role':
      return caller?.roles.includes(who.role) === true;
  }
}

/** Whether the rule speaks of the method. */
export function hasMethod(rule: Pick<Rule, 'methods'>, method: string): boolean {
  return rule.methods === undefined || rule.methods.includes(method);
}

/**
 * Decides a request: allowed if a rule of its route covers it; the first that does says to which service and as
 * which identity.
 *
 * @param rules the rules of the route that nginx, or {@link match}, chose; in the policy's order
 * @param caller who asks, or null without a credential
 * @returns the rule, or `credential_missing` (nobody asks and not everybody may), else `role_missing`; with the
 * nearest rule: one that fails by its method only, before the first that names a role
 */
export function decide<R extends DecidingRule>(
  rules: readonly R[],
  caller: Pick<Caller, 'roles'> | null,
  request: Pick<Request, 'method'>,
): Decision<R> {
  let wrongMethod: R | undefined;
  for (const rule of rules) {
    if (!isWho(rule.who, caller)) continue;
    if (hasMethod(rule, request.method)) return { allow: true, rule };
    wrongMethod ??= rule;
  }
  const nearest = wrongMethod ?? rules.find((rule) => hasMethod(rule, request.method)) ?? rules[0];
  const reason = caller === null ? 'credential_missing' : 'role_missing';
  return nearest === undefined ? { allow: false, reason } : { allow: false, reason, nearest };
}
