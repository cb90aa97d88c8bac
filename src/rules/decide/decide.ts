import type { ReasonCode } from '../../base/reasons.ts';
import type { Caller } from '../../caller/types.ts';
import type { AgentWho, Who } from '../../policy/checked/types.ts';
import { type McpHeaders, refusedTool } from '../tools.ts';
import type { Decision, Request, Rule } from '../types.ts';

/** The members of a rule that decisions need. Rules of a rendered table are listed by route, and do not name it. */
export type DecidingRule = Pick<Rule, 'id' | 'methods' | 'who' | 'service' | 'as'> & Partial<Pick<Rule, 'route'>>;

/** The members of a caller that decisions need. */
export type DecidingCaller = Pick<Caller, 'roles' | 'agent' | 'alone' | 'stepUp' | 'scopeUp' | 'elsewhere' | 'nobody'>;

export const mayAct = ({ actsFor, alone }: AgentWho, isAlone: boolean): boolean =>
  isAlone ? alone === true : actsFor.length > 0;

/** Whether the rule is for the caller, who may be anonymous, or for the agent that acts for the caller. */
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

/** Returns why a rule does not cover the tool of a request; undefined if it does, or if it names no tools. */
export const toolRefusal = ({ who }: Pick<Rule, 'who'>, mcp: McpHeaders = noHeaders) =>
  who.kind === 'agent' && who.tools !== undefined ? refusedTool(who.tools, mcp) : undefined;

export const hasMethod = (rule: Pick<Rule, 'methods'>, method: string): boolean =>
  rule.methods === undefined || rule.methods.includes(method);

/** Returns the rules of a route. The rules of a rendered table all belong to the route. */
const ownOf = <R extends DecidingRule>(rules: readonly R[], route: string): readonly R[] =>
  rules[0]?.route === undefined ? rules : rules.filter((rule) => rule.route === route);

/** Returns the closest rule: for the caller with another method, else with this method, else the first rule. */
const nearestOf = <R extends DecidingRule>(rules: readonly R[], caller: DecidingCaller | null, method: string) =>
  rules.find((rule) => isWho(rule.who, caller)) ?? rules.find((rule) => hasMethod(rule, method)) ?? rules[0];

/** Returns the rule that a refusal names if the request has no credential. */
export function nearestRule<R extends DecidingRule>(own: readonly R[], method: string): R | undefined {
  const people = own.filter(({ who }) => who.kind !== 'agent');
  return nearestOf(people, null, method) ?? own[0];
}

const refused = <R>(reason: ReasonCode, nearest: R | undefined): Decision<R> =>
  nearest === undefined ? { allow: false, reason } : { allow: false, reason, nearest };

/** Returns the first rule of a route that would allow the caller after a new or stronger sign-in. */
function stepUpRule<R extends DecidingRule>(rules: readonly R[], { stepUp }: DecidingCaller, method: string) {
  if (stepUp === undefined) return undefined;
  return rules.find((rule) => rule.who.kind === 'role' && stepUp.includes(rule.who.role) && hasMethod(rule, method));
}

/** Returns the refusal of a caller who lacks only scopes to match a rule; undefined if the caller lacks more. */
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

/** Refuses an anonymous caller. If no credential would help, the reason is the address, else the missing credential. */
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

/** Returns the person that an agent acts for, with only the roles for which the agent may act. */
export function travelling({ roles, scopeUp }: DecidingCaller, actsFor: readonly string[]): DecidingCaller {
  const person = { roles: roles.filter((role) => actsFor.includes(role)) };
  if (scopeUp === undefined) return person;
  return { ...person, scopeUp: Object.fromEntries(Object.entries(scopeUp).filter(([role]) => actsFor.includes(role))) };
}

/** Returns the refusal of an agent that no rule allows. If only the tool is wrong, the first rule gives the reason. */
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

/** Decides for an agent: a rule for it must match, and another rule must allow its person, unless it is alone. */
function decideAgent<R extends DecidingRule>(
  own: readonly R[],
  caller: DecidingCaller,
  requested: Request,
): Decision<R> {
  const { method, mcp } = requested;
  const mine = own.filter((it) => it.who.kind === 'agent' && hasMethod(it, method) && isWho(it.who, caller));
  const rule = mine.find((it) => toolRefusal(it, mcp) === undefined);
  if (rule === undefined || rule.who.kind !== 'agent') return refusedAgent(own, mine, caller, requested);
  const people = own.filter(({ who }) => who.kind !== 'agent');
  const replay = mine.every(({ who }) => who.kind !== 'agent' || who.tools === undefined);
  if (caller.alone) return { allow: true, rule, replay };
  const person = travelling(caller, rule.who.actsFor);
  const passes = people.some((it) => hasMethod(it, method) && isWho(it.who, person));
  if (passes) return { allow: true, rule, replay };
  return wantsScopes(people, person, method) ?? refused('role_missing', nearestOf(people, person, method) ?? rule);
}

const NO_ROLES: readonly string[] = Object.freeze([]);

/** Returns the first rule for a caller who is not an agent: the same rule as {@link decide}, at half the cost. */
export function covering<R extends DecidingRule>(
  own: readonly R[],
  caller: DecidingCaller | null,
  method: string,
): R | undefined {
  const roles = caller === null ? NO_ROLES : caller.roles;
  // For a new token, each iterator or call here would cost as much time as one rule.
  for (let i = 0; i < own.length; i++) {
    const rule = own[i] as R;
    const { methods, who } = rule;
    if (methods !== undefined && !methods.includes(method)) continue;
    if (who.kind === 'role' ? roles.includes(who.role) : isWho(who, caller)) return rule;
  }
  return undefined;
}

/**
 * Decides whether a request is allowed: a rule of its route must cover the request. The first such rule determines the
 * service and the identity. For an agent, this rule is the agent's own, and another rule must allow the person.
 *
 * @param rules in the policy's order; rules of other routes are ignored
 * @param caller null without a credential, or {@link NOBODY} with the roles that the request gives
 * @returns the rule, or a refusal with the closest rule. Its reasons: `credential_missing` (a credential may help),
 * `actor_not_allowed` (no rule for the agent, or none that allows this way of acting), `tool_refused` or
 * `protocol_refused` (see {@link refusedTool}), `step_up_required` (the request would pass after another sign-in),
 * `scope_missing` (the request would pass with these scopes), `network_refused` (only the address is wrong), and
 * otherwise `role_missing`
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
