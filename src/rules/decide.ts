import type { Caller } from '../caller/types.ts';
import type { AgentWho, Who } from '../policy/types.ts';
import { type McpHeaders, refusedTool } from './tools.ts';
import type { Decision, Request, Rule } from './types.ts';

/** What of a rule decides. The rules of a rendered table stand under their route and do not name it. */
export type DecidingRule = Pick<Rule, 'id' | 'methods' | 'who' | 'service' | 'as'> & Partial<Pick<Rule, 'route'>>;

/** What of a caller decides. */
export type DecidingCaller = Pick<Caller, 'roles' | 'agent' | 'alone' | 'stepUp' | 'scopeUp' | 'elsewhere' | 'nobody'>;

/** Whether an agent may ask so: for a person, or alone. */
export const mayAct = ({ actsFor, alone }: AgentWho, isAlone: boolean): boolean =>
  isAlone ? alone === true : actsFor.length > 0;

/** Whether the caller, or nobody, is who the rule speaks of. Of an agent's caller: whether it is the agent. */
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

/** Why a rule does not cover a request by the tool that it calls; undefined where it does, or looks at none. */
export function toolRefusal({ who }: Pick<Rule, 'who'>, mcp: McpHeaders = noHeaders) {
  return who.kind === 'agent' && who.tools !== undefined ? refusedTool(who.tools, mcp) : undefined;
}

/** Whether the rule speaks of the method. */
export function hasMethod(rule: Pick<Rule, 'methods'>, method: string): boolean {
  return rule.methods === undefined || rule.methods.includes(method);
}

/** A rule of a rendered table names no route: it stands under its own. */
const isOf = (rule: DecidingRule, route: string): boolean => rule.route === undefined || rule.route === route;

/** The rules of a route: all, where they are a rendered table's. */
function ownOf<R extends DecidingRule>(rules: readonly R[], route: string): readonly R[] {
  return rules[0]?.route === undefined ? rules : rules.filter((rule) => isOf(rule, route));
}

/** The rule that failed by least: by its method only, before one that has the method, before the first. */
function nearestOf<R extends DecidingRule>(rules: readonly R[], caller: DecidingCaller | null, method: string) {
  return rules.find((rule) => isWho(rule.who, caller)) ?? rules.find((rule) => hasMethod(rule, method)) ?? rules[0];
}

/** The rule that a request without a credential fails by. */
export function nearestRule<R extends DecidingRule>(own: readonly R[], method: string): R | undefined {
  const people = own.filter(({ who }) => who.kind !== 'agent');
  return nearestOf(people, null, method) ?? own[0];
}

function refused<R>(reason: Extract<Decision<R>, { allow: false }>['reason'], nearest: R | undefined): Decision<R> {
  return nearest === undefined ? { allow: false, reason } : { allow: false, reason, nearest };
}

/**
 * The first rule that would let a caller pass who signed in anew, or by stronger means.
 *
 * @param rules those of one route, in the policy's order
 */
function stepUpRule<R extends DecidingRule>(rules: readonly R[], { stepUp }: DecidingCaller, method: string) {
  if (stepUp === undefined) return undefined;
  return rules.find((rule) => rule.who.kind === 'role' && stepUp.includes(rule.who.role) && hasMethod(rule, method));
}

/** What is said of somebody whose token only lacks scopes for one of these rules; nothing where more is missing. */
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

/** Whether a rule speaks of a role that a caller lacks only for where they are. */
const isElsewhere = ({ who }: DecidingRule, { elsewhere }: DecidingCaller): boolean =>
  who.kind === 'role' && elsewhere?.includes(who.role) === true;

/** Why nobody may pass: for where they ask from, if no credential would help; else for having none. */
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

/** The person behind an agent, with the roles that travel. */
export function travelling({ roles, scopeUp }: DecidingCaller, actsFor: readonly string[]): DecidingCaller {
  const person = { roles: roles.filter((role) => actsFor.includes(role)) };
  if (scopeUp === undefined) return person;
  return { ...person, scopeUp: Object.fromEntries(Object.entries(scopeUp).filter(([role]) => actsFor.includes(role))) };
}

/** What is said to an agent where no rule of it covers what it asks: of those that do but for the tool, the first. */
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

/**
 * An agent passes where its rule matches and its person, with the roles that travel, would pass by another rule. One that
 * is alone has no person, and passes by its own rule.
 */
function decideAgent<R extends DecidingRule>(own: readonly R[], caller: DecidingCaller, asked: Request): Decision<R> {
  const { method, mcp } = asked;
  const mine = own.filter((it) => it.who.kind === 'agent' && hasMethod(it, method) && isWho(it.who, caller));
  const rule = mine.find((it) => toolRefusal(it, mcp) === undefined);
  if (rule === undefined || rule.who.kind !== 'agent') return refusedAgent(own, mine, caller, asked);
  const people = own.filter(({ who }) => who.kind !== 'agent');
  if (caller.alone) return { allow: true, rule };
  const person = travelling(caller, rule.who.actsFor);
  const passes = people.some((it) => hasMethod(it, method) && isWho(it.who, person));
  if (passes) return { allow: true, rule };
  return wantsScopes(people, person, method) ?? refused('role_missing', nearestOf(people, person, method) ?? rule);
}

const NO_ROLES: readonly string[] = Object.freeze([]);

/**
 * The first of a route's own rules that lets a caller pass for whom no agent asks; the whole of {@link decide} where
 * there is one, at half its cost.
 */
export function covering<R extends DecidingRule>(
  own: readonly R[],
  caller: DecidingCaller | null,
  method: string,
): R | undefined {
  const roles = caller === null ? NO_ROLES : caller.roles;
  // An iterator would cost each new token as much as a rule does; nor is there a call for the commonest kind.
  for (let i = 0; i < own.length; i++) {
    const rule = own[i] as R;
    const { methods, who } = rule;
    if (methods !== undefined && !methods.includes(method)) continue;
    if (who.kind === 'role' ? roles.includes(who.role) : isWho(who, caller)) return rule;
  }
  return undefined;
}

/**
 * Decides a request: allowed if a rule of its route covers it; the first that does says to which service and as
 * which identity. For an agent that is its own rule, and its person has to pass by another.
 *
 * @param rules in the policy's order; those of other routes are left out
 * @param caller who asks, or null (or {@link NOBODY} with roles by the request) without a credential; a bad credential never gets here
 * @param request with the route that nginx, or {@link match}, chose
 * @returns the rule, or `credential_missing` (nobody asks and not everybody may), `actor_not_allowed` (no rule of the
 * agent, or none by which it may ask so), `tool_refused` or `protocol_refused` (see
 * {@link refusedTool}), `step_up_required` (another sign-in would give the role `stepUp`, and that
 * passes), `scope_missing` (a token with the scopes `scope` would pass), `network_refused` (only where they ask from is
 * wrong; of nobody, where no credential would help), else `role_missing`; with the nearest rule: the one of that role,
 * or one that fails by its method only, before the first that names a role
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
  if (passes !== undefined) return { allow: true, rule: passes };
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
