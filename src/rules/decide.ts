import type { Caller } from '../caller/types.ts';
import type { AgentWho, Who } from '../policy/types.ts';
import { type McpHeaders, refusedTool } from './tools.ts';
import type { Decision, Request, Rule } from './types.ts';

/** The part of a rule that decisions need. The rules of a rendered table stand under their route and do not name it. */
export type DecidingRule = Pick<Rule, 'id' | 'methods' | 'who' | 'service' | 'as'> & Partial<Pick<Rule, 'route'>>;

/** The part of a caller that decisions need. */
export type DecidingCaller = Pick<Caller, 'roles' | 'agent' | 'alone' | 'stepUp' | 'scopeUp' | 'elsewhere' | 'nobody'>;

/** Whether an agent may send the request in this way: for a person, or alone. */
export const mayAct = ({ actsFor, alone }: AgentWho, isAlone: boolean): boolean =>
  isAlone ? alone === true : actsFor.length > 0;

/** Whether the rule is for the caller, who may be anonymous. For the caller of an agent: whether the rule is for that
 * agent. */
export function isWho(who: Who, caller: DecidingCaller | null): boolean {
  switch (who.kind) {
    case 'anyone':
      return true;
    case 'authenticated':
      return caller !== null && caller.nobody !== true;
    case 'role':
      return caller?.roles.includes(who.role) === true;
    case 'agent':
      return caller?.agent === who.agent && mayAct(who, caller.alone === true);
  }
}

const noHeaders: McpHeaders = Object.freeze({});

/** Why a rule does not cover the tool that a request calls; undefined if it does, or names no tools. */
export function toolRefusal({ who }: Pick<Rule, 'who'>, mcp: McpHeaders = noHeaders) {
  return who.kind === 'agent' && who.tools !== undefined ? refusedTool(who.tools, mcp) : undefined;
}

/** Whether the rule has the method. */
export function hasMethod(rule: Pick<Rule, 'methods'>, method: string): boolean {
  return rule.methods === undefined || rule.methods.includes(method);
}

/** A rule of a rendered table names no route: it stands under its own. */
const isOf = (rule: DecidingRule, route: string): boolean => rule.route === undefined || rule.route === route;

/** The rules of a route: all, if they are a rendered table's. */
function ownOf<R extends DecidingRule>(rules: readonly R[], route: string): readonly R[] {
  return rules[0]?.route === undefined ? rules : rules.filter((rule) => isOf(rule, route));
}

/** The rule that nearly allowed the request: one that fails by its method only, else one that has the method, else the
 * first. */
function nearestOf<R extends DecidingRule>(rules: readonly R[], caller: DecidingCaller | null, method: string) {
  return rules.find((rule) => isWho(rule.who, caller)) ?? rules.find((rule) => hasMethod(rule, method)) ?? rules[0];
}

/** The rule for a refusal of a request without a credential. */
export function nearestRule<R extends DecidingRule>(own: readonly R[], method: string): R | undefined {
  const people = own.filter(({ who }) => who.kind !== 'agent');
  return nearestOf(people, null, method) ?? own[0];
}

function refused<R>(reason: Extract<Decision<R>, { allow: false }>['reason'], nearest: R | undefined): Decision<R> {
  return nearest === undefined ? { allow: false, reason } : { allow: false, reason, nearest };
}

/** The first rule that would allow the caller after another sign-in, or a stronger one.
 *
 * @param rules those of one route, in the policy's order
 */
function stepUpRule<R extends DecidingRule>(rules: readonly R[], { stepUp }: DecidingCaller, method: string) {
  if (stepUp === undefined) return undefined;
  return rules.find((rule) => rule.who.kind === 'role' && stepUp.includes(rule.who.role) && hasMethod(rule, method));
}

/** The refusal of a caller whose token only lacks scopes for one of these rules; nothing if more is missing. */
function wantsScopes<R extends DecidingRule>(
  rules: readonly R[],
  { scopeUp }: DecidingCaller,
  method: string,
): Decision<R> | undefined {
  if (scopeUp === undefined) return undefined;
  for (const rule of rules) {
    if (rule.who.kind !== 'role' || !hasMethod(rule, method)) continue;
    const scope = Object.hasOwn(scopeUp, rule.who.role) ? scopeUp[rule.who.role] : undefined;
    if (scope !== undefined) return { allow: false, reason: 'scope_missing', nearest: rule, scope };
  }
  return undefined;
}

/** Whether a rule is for a role that the caller lacks only because of its address. */
const isElsewhere = ({ who }: DecidingRule, { elsewhere }: DecidingCaller): boolean =>
  who.kind === 'role' && elsewhere?.includes(who.role) === true;

/** Why an anonymous caller is denied: because of the address if no credential would help, else for lack of a
 * credential. */
function refuseNobody<R extends DecidingRule>(
  people: readonly R[],
  caller: DecidingCaller | null,
  method: string,
  nearest: R | undefined,
): Decision<R> {
  const own = caller === null ? [] : people.filter((rule) => hasMethod(rule, method));
  const isFar = own.length > 0 && own.every((rule) => isElsewhere(rule, caller as DecidingCaller));
  return isFar ? refused('network_refused', own[0]) : refused('credential_missing', nearest);
}

/** The person behind an agent, with the roles that the agent may act for. */
export function travelling({ roles, scopeUp }: DecidingCaller, actsFor: readonly string[]): DecidingCaller {
  const person = { roles: roles.filter((role) => actsFor.includes(role)) };
  if (scopeUp === undefined) return person;
  return { ...person, scopeUp: Object.fromEntries(Object.entries(scopeUp).filter(([role]) => actsFor.includes(role))) };
}

/** The refusal of an agent without a rule that covers the request; if several rules fail only by the tool, the first of
 * them says why. */
function refusedAgent<R extends DecidingRule>(
  own: readonly R[],
  mine: readonly R[],
  caller: DecidingCaller,
  { method, mcp }: Request,
): Decision<R> {
  const [first] = mine;
  const why = first && toolRefusal(first, mcp);
  if (why !== undefined) return refused(why, first);
  const of = (isAgent: boolean) => own.filter(({ who }) => (who.kind === 'agent') === isAgent);
  return refused('actor_not_allowed', nearestOf(of(true), caller, method) ?? nearestOf(of(false), caller, method));
}

/** Decides for an agent. It passes if a rule for it matches, and another rule would allow its person with the roles
 * that travel. An agent that is alone has no person and passes by its own rule. */
function decideAgent<R extends DecidingRule>(own: readonly R[], caller: DecidingCaller, asked: Request): Decision<R> {
  const { method, mcp } = asked;
  const mine = own.filter((it) => it.who.kind === 'agent' && hasMethod(it, method) && isWho(it.who, caller));
  const rule = mine.find((it) => toolRefusal(it, mcp) === undefined);
  if (rule === undefined || rule.who.kind !== 'agent') return refusedAgent(own, mine, caller, asked);
  const people = own.filter(({ who }) => who.kind !== 'agent');
  const replay = mine.every(({ who }) => who.kind !== 'agent' || who.tools === undefined);
  if (caller.alone) return { allow: true, rule, replay };
  const person = travelling(caller, rule.who.actsFor);
  const passes = people.some((it) => hasMethod(it, method) && isWho(it.who, person));
  if (passes) return { allow: true, rule, replay };
  return wantsScopes(people, person, method) ?? refused('role_missing', nearestOf(people, person, method) ?? rule);
}

const NO_ROLES: readonly string[] = Object.freeze([]);

/** The first rule of a route that allows a caller who is not an agent; the same as {@link decide} for such a rule, at
 * half the cost. */
export function covering<R extends DecidingRule>(
  own: readonly R[],
  caller: DecidingCaller | null,
  method: string,
): R | undefined {
  const roles = caller === null ? NO_ROLES : caller.roles;
  // An iterator would cost each new token as much as a rule does, and the most frequent kind needs no call.
  for (let i = 0; i < own.length; i++) {
    const rule = own[i] as R;
    const { methods, who } = rule;
    if (methods !== undefined && !methods.includes(method)) continue;
    if (who.kind === 'role' ? roles.includes(who.role) : isWho(who, caller)) return rule;
  }
  return undefined;
}

/** Decides a request. It is allowed if a rule of its route covers it; the first such rule determines the service and
 * the identity. For an agent that is its own rule, and its person must be allowed by another one.
 *
 * @param rules in the policy's order; those of other routes are ignored
 * @param caller the caller; null, or {@link NOBODY} with roles by the request, without a credential. A request with an
 * invalid credential is refused earlier.
 * @param request with the route that nginx, or {@link match}, chose
 * @returns the rule, or a reason: `credential_missing` (the caller is anonymous and a credential may help),
 * `actor_not_allowed` (no rule for the agent, or none for acting in this way), `tool_refused` or `protocol_refused`
 * (see {@link refusedTool}), `step_up_required` (another sign-in would give the role `stepUp`, and then it passes),
 * `scope_missing` (a token with the scopes `scope` would pass), `network_refused` (only the address is wrong; for an
 * anonymous caller, no credential would help), else `role_missing`. A refusal has the nearest rule: the one of that
 * role, else one that fails by its method only, else the first that names a role.
 */
export function decide<R extends DecidingRule>(
  rules: readonly R[],
  caller: DecidingCaller | null,
  request: Request,
): Decision<R> {
  const { route, method } = request;
  const own = ownOf(rules, route);
  if (caller?.agent !== undefined) return decideAgent(own, caller, request);
  const passes = covering(own, caller, method);
  if (passes !== undefined) return { allow: true, rule: passes, replay: true };
  const people = own.filter(({ who }) => who.kind !== 'agent');
  const nearest = nearestOf(people, caller, method) ?? own[0];
  if (caller === null || caller.nobody === true) return refuseNobody(people, caller, method, nearest);
  const rule = stepUpRule(people, caller, method);
  if (rule?.who.kind !== 'role') {
    const far = people.find((it) => hasMethod(it, method) && isElsewhere(it, caller));
    if (far !== undefined) return refused('network_refused', far);
    return wantsScopes(people, caller, method) ?? refused('role_missing', nearest);
  }
  return { allow: false, reason: 'step_up_required', nearest: rule, stepUp: rule.who.role };
}
