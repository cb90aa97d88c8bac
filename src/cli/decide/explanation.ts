import { type Refusal, reasons } from '../../base/reasons.ts';
import { acceptingOf } from '../../caller/credential.ts';
import type { FactExplanation } from '../../caller/roles/explain.ts';
import type { Host, Message, Policy, Route, Service } from '../../policy/checked/types.ts';
import { budgetsOf, countedText, EACH } from '../../rules/budgets.ts';
import { decide, hasMethod, isWho, toolRefusal } from '../../rules/decide/decide.ts';
import { messageText } from '../../rules/tools.ts';
import type { Decision, Request, Rule } from '../../rules/types.ts';
import type { Loaded } from '../common/load.ts';
import { mcpHeaders } from '../common/message-flags.ts';
import type { Passage } from '../common/service-credential.ts';
import { ADDRESS_UNSAID } from '../common/words.ts';
import { Beyond, type BeyondFlags } from './beyond.ts';
import type { ExplainedCaller } from './explained-caller.ts';
import { Offline } from './offline.ts';

export interface RuleExplanation {
  readonly rule: Rule;
  readonly passed: boolean;
  /** Whether each condition is met, and the facts that decided this. */
  readonly conditions: readonly FactExplanation[];
}

/** Explains why a request is allowed or denied. */
export interface Explanation {
  readonly method: string;
  readonly url: string;
  /** The MCP message that the headers of the request describe. */
  readonly message?: Message;
  readonly host?: Host;
  readonly route?: Route;
  readonly explained?: ExplainedCaller;
  readonly rules: readonly RuleExplanation[];
  /** If the caller has a token: every role of the policy, and why the token gives the role or not. */
  readonly roles: readonly FactExplanation[];
  readonly decision: Decision<Rule> | (Refusal & { readonly allow: false });
  /** The budgets from which an allowed request takes, in words. */
  readonly limits: readonly string[];
  /** Assumptions about an allowed request, for facts that the user did not give. */
  readonly assumes: readonly string[];
  /** What happens to the `Authorization` header, if it belongs to the service. */
  readonly passage?: Passage;
  /** The first role with which the request would pass, and its rule; `authenticated` if any valid credential suffices. */
  readonly wouldPass?: { readonly who: string; readonly rule: Rule };
}

/** Returns a fact with only the parts that decided: of a true `any` only the true parts, of a false `all` only the
 * false parts. The facts of a role appear only where the role is first named. */
export function deciding(fact: FactExplanation, reported: Set<FactExplanation> = new Set()): FactExplanation {
  const wanted = fact.text === 'none' ? fact.truth !== true : fact.truth === true;
  const those = fact.parts.filter((part) => (part.truth === true) === wanted);
  const parts = those.length > 0 ? those : fact.parts;
  if (parts.some((part) => reported.has(part))) return { ...fact, parts: [], above: true };
  for (const part of parts) reported.add(part);
  return { ...fact, parts: parts.map((part) => deciding(part, reported)) };
}

function whoCondition(rule: Rule, explained: ExplainedCaller, policy: Policy): FactExplanation {
  const { who, at } = rule;
  if (who.kind === 'agent' && explained.caller?.agent === undefined) {
    return { text: `agent ${who.agent}: the caller is not this agent`, truth: false, at, parts: [] };
  }
  if (who.kind !== 'role') {
    const text = who.kind === 'agent' ? `agent ${who.agent}` : who.kind;
    return { text, truth: isWho(who, explained.caller), at, parts: [] };
  }
  const role = policy.roles[who.role];
  if (role === undefined) throw new Error(`rule ${rule.id} names an undefined role`);
  return deciding(explained.role(role));
}

/** Returns the condition about the MCP message, if the rule has one. */
function toolConditions({ who, at }: Rule, message: Message | undefined): readonly FactExplanation[] {
  if (who.kind !== 'agent' || who.tools === undefined) return [];
  const truth = toolRefusal({ who }, message && mcpHeaders(message)) === undefined;
  const what = message === undefined ? 'a message without MCP headers' : messageText(message);
  return [{ at, truth, parts: [], text: `${what} by tools ${who.tools.join(' ')}` }];
}

function explainRule(
  rule: Rule,
  explained: ExplainedCaller,
  policy: Policy,
  { method, message }: Requested,
): RuleExplanation {
  const who = whoCondition(rule, explained, policy);
  const methods = { at: rule.at, truth: hasMethod(rule, method), parts: [] };
  const conditions = [
    who,
    ...(rule.methods === undefined ? [] : [{ ...methods, text: `method ${method} in ${rule.methods.join(' ')}` }]),
    ...toolConditions(rule, message),
  ];
  return { rule, passed: conditions.every(({ truth }) => truth === true), conditions };
}

/** Finds a rule that has the method and requires only one role, or only a credential. */
function passing(
  rules: readonly Rule[],
  method: string,
  agent: Policy['agents'][string] | undefined,
): Explanation['wouldPass'] {
  const acts = (role: string) => agent === undefined || agent.actsFor.includes(role);
  for (const rule of rules) {
    if (!hasMethod(rule, method)) continue;
    if (rule.who.kind === 'role' && acts(rule.who.role)) return { who: rule.who.role, rule };
    if (rule.who.kind === 'authenticated') return { who: rule.who.kind, rule };
  }
  return undefined;
}

/** Lists the budgets that apply to every caller of a route. */
function limitsOf(
  policy: Policy,
  { host, route }: { host: Host; route: Route },
  { caller }: ExplainedCaller,
): readonly string[] {
  const { callers, anonymous, agents } = budgetsOf(policy, host, route);
  if (caller?.agent !== undefined) {
    const limits = agents.find(([name]) => name === caller.agent)?.[1] ?? [];
    return limits.map((limit) => countedText(limit, EACH.agents));
  }
  if (caller === null || caller.nobody === true) return anonymous ? [countedText(anonymous, EACH.anonymous)] : [];
  return callers ? [countedText(callers, EACH.callers)] : [];
}

/** The request that is explained. */
type Requested = Pick<Explanation, 'method' | 'url' | 'message' | 'host' | 'route'>;

/** Decides as the gateway does, including the checks besides the rules. */
function decideBeyond(
  own: readonly Rule[],
  caller: ExplainedCaller['caller'],
  request: Request,
  beyond: Beyond,
): Explanation['decision'] {
  const before = beyond.credential();
  if (before !== undefined) return { ...before, allow: false };
  const decision = decide(own, caller, request);
  if (!decision.allow) return decision;
  if (beyond.isForeignNetwork()) {
    const bare = decide(own, null, request);
    return bare.allow ? bare : { allow: false, reason: 'origin_refused', nearest: decision.rule };
  }
  const after = beyond.headers(decision.rule);
  return after === undefined ? decision : { ...after, allow: false };
}

/** Returns the rule that allows the request, or the reason of the denial. */
const outcomeOf = (decision: Explanation['decision']): string => (decision.allow ? decision.rule.id : decision.reason);

/** Says what happens to an `Authorization` header that belongs to the service. */
function passageOf(
  policy: Policy,
  route: Route,
  { authorization }: ExplainedCaller,
  decision: Explanation['decision'],
): Pick<Explanation, 'passage'> {
  const passing = new Offline(policy, 0).passingAt(route);
  const scheme = authorization === undefined ? undefined : passing?.schemeOf(authorization);
  if (scheme === undefined) return {};
  if (!decision.allow) return { passage: { scheme } };
  const { service } = decision.rule;
  const to = passing?.schemeFor(service, authorization) === undefined ? { without: service } : { to: service };
  return { passage: { scheme, ...to } };
}

/** Explains the decision about a request that has a route. */
export function explainRoute(
  loaded: Loaded,
  at: Requested & { readonly host: Host; readonly route: Route },
  explained: ExplainedCaller,
  flags: BeyondFlags = {},
): Explanation {
  const own = loaded.rules.filter((rule) => rule.route === at.route.name);
  const request = {
    route: at.route.name,
    method: at.method,
    ...(at.message && { mcp: mcpHeaders(at.message) }),
  };
  const beyond = new Beyond(loaded, { ...at, ...flags, explained });
  const decision = decideBeyond(own, explained.caller, request, beyond);
  const isOfAddress =
    explained.elsewhere?.some((it) => outcomeOf(decide(own, it, request)) !== outcomeOf(decision)) === true;
  const agent = loaded.policy.agents[explained.caller?.agent ?? ''];
  const isActor = !decision.allow && decision.reason === 'actor_not_allowed';
  const isTool = !decision.allow && (decision.reason === 'tool_refused' || decision.reason === 'protocol_refused');
  const isStepUp = !decision.allow && 'stepUp' in decision;
  const limits = limitsOf(loaded.policy, at, explained);
  const isOfRules = !decision.allow && decision.reason !== 'origin_refused' && decision.reason !== 'session_expired';
  const wouldPass = !isOfRules || isActor || isTool || isStepUp ? undefined : passing(own, at.method, agent);
  return {
    ...at,
    explained: isOfAddress ? { ...explained, text: `${explained.text}; ${ADDRESS_UNSAID}: give --network` } : explained,
    rules: own.map((rule) => explainRule(rule, explained, loaded.policy, at)),
    roles:
      explained.kind === 'token'
        ? Object.values(loaded.policy.roles).map((role) => deciding(explained.role(role)))
        : [],
    decision,
    limits,
    assumes: decision.allow ? beyond.assumptions(limits) : [],
    ...passageOf(loaded.policy, at.route, explained, decision),
    ...(wouldPass && { wouldPass }),
  };
}

/** Explains a refusal that happens before any rule is evaluated. */
export function explainRefusal(at: Requested, refusal: Refusal): Explanation {
  return { ...at, rules: [], roles: [], limits: [], assumes: [], decision: { ...refusal, allow: false } };
}

/** Returns the status and the help text for a denied request. */
export function refusalOf({ decision, route }: Explanation, policy: Policy) {
  if (decision.allow) return undefined;
  const { reason } = decision;
  const help = reason === 'credential_missing' ? helpAt(route, policy) : undefined;
  return { reason, ...reasons[reason], ...(help !== undefined && { help }) };
}

/** Returns the help text for a route that accepts no tokens, or a token in a header of its own. */
function helpAt(route: Route | undefined, policy: Policy): string | undefined {
  if (route === undefined) return undefined;
  const passing = new Offline(policy, 0).passingAt(route);
  const text = acceptingOf(route.accept, false, passing, policy.gateway.credentialHeader).missing.detail;
  return text && `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Returns the service of the rule that allows the request, or else the route's service. */
export function serviceRequested({ decision, route }: Explanation, policy: Policy): Service | undefined {
  const name = decision.allow ? decision.rule.service : route?.service;
  return name === undefined ? undefined : policy.services[name];
}
