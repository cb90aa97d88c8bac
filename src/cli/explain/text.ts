import type { FactExplanation } from '../../caller/roles/explain.ts';
import {
  choicesText,
  hasSeveralIngresses,
  hasSeveralMeshes,
  identityOf,
  ingressesFor,
  meshOf,
} from '../../policy/checked/ingresses.ts';
import type { Policy, Route, Service } from '../../policy/checked/types.ts';
import { isReachedItself, workloadOf } from '../../policy/checked/workload.ts';
import { place } from '../../policy/index.ts';
import { stepUpOf } from '../../rules/table/step-ups.ts';
import { messageText } from '../../rules/tools.ts';
import type { Rule } from '../../rules/types.ts';
import { NO, YES } from '../common/context.ts';
import type { Paint, Report } from '../common/print.ts';
import { passageText, passesText } from '../common/service-credential.ts';
import { ruleText } from '../common/words.ts';
import type { ExplainedCaller } from '../decide/explained-caller.ts';
import { type Explanation, type RuleExplanation, refusalOf, serviceRequested } from '../decide/explanation.ts';

/** Returns a fact as JSON. `held` is absent if the result is not known; `unsaid` may say why. */
export const factJson = ({ text, truth: held, at, help, unsaid, above, parts }: FactExplanation): unknown => ({
  ...{ text, held, help, unsaid, at, above },
  parts: parts.length > 0 ? parts.map(factJson) : undefined,
});

const ruleJson = ({ id, at, who, methods, service, as }: Rule) => ({
  ...{ id, at, who, methods, service, as: as || undefined },
});

function callerJson({ kind, caller, claimed }: ExplainedCaller) {
  const agent = { agent: caller?.agent, alone: (caller?.agent && caller.alone) || undefined };
  if (claimed === undefined) return { kind, roles: caller?.roles ?? [], ...agent };
  const { subject, provider, roles, binding: bound } = claimed.caller;
  return { ...{ kind, provider, subject, roles }, ...agent, bound };
}

const routeJson = ({ name, at, accept, serviceCredential }: Route) => ({ name, at, accept, serviceCredential });

function serviceJson(service: Service, policy: Policy) {
  const mesh = meshOf(policy, service);
  const named = mesh && hasSeveralIngresses(mesh) && !isReachedItself(mesh, service) ? mesh : undefined;
  const { name, authority, direct, ingresses } = service;
  return {
    ...{ name, authority, direct: direct !== undefined },
    mesh: hasSeveralMeshes(policy) ? mesh?.name : undefined,
    ingress: named && ingresses === undefined ? ingressesFor(named, service)[0].name : undefined,
    ingresses: named && ingresses?.map((it) => ({ name: it.name, backup: it.backup || undefined })),
  };
}

/** Returns an explanation as JSON. */
export function explanationJson(explanation: Explanation, policy: Policy, unverified: boolean): object {
  const { method, url, message, host, route, explained, rules, roles, limits, assumes, decision, wouldPass } =
    explanation;
  const { reason, status, help } = refusalOf(explanation, policy) ?? {};
  const service = serviceRequested(explanation, policy);
  const nearest = !decision.allow && 'nearest' in decision ? decision.nearest : undefined;
  return {
    ...{ method, url, message },
    allowed: decision.allow,
    rule: decision.allow ? ruleJson(decision.rule) : undefined,
    identity: decision.allow ? identityOf(policy, decision.rule)?.spiffe : undefined,
    ...{ reason, status, help },
    detail: 'detail' in decision ? decision.detail : undefined,
    nearest: nearest && ruleJson(nearest),
    stepUp: !decision.allow && 'stepUp' in decision ? decision.stepUp : undefined,
    wouldPass: wouldPass && { who: wouldPass.who, rule: wouldPass.rule.id },
    ...{ host: host?.name, team: host?.team },
    route: route && routeJson(route),
    serviceCredential: explanation.passage,
    service: service && serviceJson(service, policy),
    caller: explained && callerJson(explained),
    signature: unverified ? 'not checked' : undefined,
    limits: limits.length > 0 ? limits : undefined,
    assumes: assumes.length > 0 ? assumes : undefined,
    rules: rules.map(({ rule, passed, conditions }) => ({
      ...{ ...ruleJson(rule), passed, conditions: conditions.map(factJson) },
    })),
    roles: roles.length > 0 ? roles.map(factJson) : undefined,
  };
}

const UNVERIFIED = 'the signature is not checked: anyone can write a token with these claims';

function truthText(truth: boolean | undefined, paint: Paint): string {
  if (truth === true) return paint('good', 'yes');
  return truth === false ? paint('bad', 'no ') : paint('bad', '?  ');
}

export function factLines(fact: FactExplanation, indent: string, paint: Paint): string[] {
  const help = fact.help === undefined ? '' : `; ${fact.help}`;
  const unknown = fact.truth === undefined ? `: ${fact.unsaid ?? 'the token does not say'}${help}` : '';
  const above = fact.above === undefined ? '' : ': as above';
  const where = fact.at === undefined ? '' : `  ${paint('dim', place(fact.at))}`;
  return [
    `${indent}${truthText(fact.truth, paint)} ${fact.text}${fact.parts.length === 0 ? above || unknown : ''}${where}`,
    ...fact.parts.flatMap((part) => factLines(part, `${indent}  `, paint)),
  ];
}

function ruleLines({ rule, passed, conditions }: RuleExplanation, routed: string | undefined, paint: Paint): string[] {
  return [
    `  ${truthText(passed, paint)} ${rule.id}: ${ruleText(rule, routed)}  ${paint('dim', place(rule.at))}`,
    ...conditions.flatMap((condition) => factLines(condition, '      ', paint)),
  ];
}

function verdict(explanation: Explanation, policy: Policy, paint: Paint): string[] {
  const { decision } = explanation;
  const refusal = refusalOf(explanation, policy);
  if (decision.allow) {
    const { rule } = decision;
    const spiffe = identityOf(policy, rule)?.spiffe;
    return [
      `${paint('good', 'allowed')} by ${rule.id}  ${paint('dim', place(rule.at))}`,
      ...(spiffe === undefined ? [] : [`identity  ${rule.as} (${spiffe})`]),
    ];
  }
  const detail = 'detail' in decision && decision.detail !== undefined ? [`  ${decision.detail}`] : [];
  return [`${paint('bad', 'denied')}: ${refusal?.reason} (${refusal?.status})`, ...detail, `  ${refusal?.help}`];
}

/** Describes what a role requires of the sign-in. */
function stepUpText(role: string, policy: Policy): string {
  const { acrValues = [], maxAge } = stepUpOf(role, policy) ?? {};
  const requested = [
    ...(acrValues.length === 0 ? [] : [`acr ${acrValues.join(' or ')}`]),
    ...(maxAge === undefined ? [] : [`no longer than ${maxAge}s ago`]),
  ];
  return `another sign-in would give role ${role}${requested.length === 0 ? '' : `: ${requested.join(', ')}`}`;
}

function nearestLines({ route, decision, wouldPass }: Explanation, policy: Policy): string[] {
  if (decision.allow) return [];
  if ('stepUp' in decision && decision.stepUp !== undefined) return [stepUpText(decision.stepUp, policy)];
  const lines: string[] = [];
  if ('nearest' in decision && decision.nearest !== undefined) {
    const { id, at } = decision.nearest;
    lines.push(`nearest rule  ${id}: ${ruleText(decision.nearest, route?.service)}  ${place(at)}`);
  }
  if (wouldPass !== undefined) {
    const { who, rule } = wouldPass;
    const caller = who === 'authenticated' ? 'any caller with a valid credential' : `role ${who}`;
    lines.push(`${caller} would pass, by ${rule.id}`);
  }
  return lines;
}

/** Names the mesh and the ingress that lead to the service, if the policy has several; or the workloads themselves. */
function throughText(service: Service | undefined, policy: Policy): string {
  const mesh = meshOf(policy, service);
  if (service === undefined || mesh === undefined) return 'through the mesh ingress';
  const workload = workloadOf(mesh, service);
  if (workload !== undefined) {
    const own = hasSeveralMeshes(policy) ? ` of mesh ${mesh.name}` : '';
    return `at its workloads${own}, ${workload.host}:${workload.port}`;
  }
  const [{ name, host, port }] = ingressesFor(mesh, service);
  const several = service.ingresses !== undefined;
  const own = several ? ` ${choicesText(service.ingresses)}` : hasSeveralIngresses(mesh) ? ` ${name}` : '';
  const at = several ? '' : ` at ${host}:${port}`;
  const word = several ? 'ingresses' : 'ingress';
  if (hasSeveralMeshes(policy)) return `through the ${word}${own} of mesh ${mesh.name}${at}`;
  return own === '' ? 'through the mesh ingress' : `through the mesh ${word}${own}${at}`;
}

/** Returns the note that a bound token needs a proof. */
function boundLines(explained: ExplainedCaller | undefined): string[] {
  const binding = explained?.claimed?.caller.binding;
  return binding === undefined ? [] : [`          bound to a key (${binding}): each request must prove its possession`];
}

/** Says which credentials of its service the route passes on, and what happens to that of the request. */
function credentialLines({ route, explained, passage }: Explanation, policy: Policy): string[] {
  const passes = route?.serviceCredential;
  if (passes === undefined) return [];
  if (passage === undefined) return [`passes on ${passesText(passes)}`];
  const header = policy.gateway.credentialHeader;
  const inHeader = explained?.kind === 'token' && header !== undefined ? [`          by the token in ${header}`] : [];
  return [...inHeader, passageText(passage, passes)];
}

/** Returns an explanation as text for people. */
export function explanationText(explanation: Explanation, policy: Policy, unverified: boolean, paint: Paint): string {
  const { method, url, message, host, route, explained, rules, roles, limits, assumes } = explanation;
  const service = serviceRequested(explanation, policy);
  const to = service?.direct === undefined ? throughText(service, policy) : 'directly';
  const named = new Set(rules.flatMap(({ conditions }) => conditions.map(({ text }) => text)));
  const others = roles.filter(({ text }) => !named.has(text));
  const lines = [
    paint('strong', `${method} ${url}`),
    ...(message === undefined ? [] : [`message   ${messageText(message)}`]),
    ...verdict(explanation, policy, paint),
    ...(route === undefined ? [] : [`route     ${route.name}  ${paint('dim', place(route.at))}`]),
    ...(host?.team === undefined ? [] : [`team      ${host.team}`]),
    ...(route === undefined || route.accept.join() === 'bearer' ? [] : [`accepts   ${route.accept.join(', ')}`]),
    ...(service === undefined ? [] : [`service   ${service.name}, ${to} (${service.authority})`]),
    ...(explained === undefined ? [] : [`caller    ${explained.text}`]),
    ...credentialLines(explanation, policy),
    ...boundLines(explained),
    ...(unverified ? [`          ${UNVERIFIED}`] : []),
    ...limits.map((limit) => `limit     ${limit}`),
    ...assumes.map((text) => `assumes   ${text}`),
    ...(rules.length === 0 ? [] : ['rules']),
    ...rules.flatMap((rule) => ruleLines(rule, route?.service, paint)),
    ...(others.length === 0 ? [] : ['roles that no rule of the route names']),
    ...others.flatMap((role) => factLines(role, '  ', paint)),
    ...nearestLines(explanation, policy),
  ];
  return `${lines.join('\n')}\n`;
}

/** Returns an explanation as the result of a command. */
export function explanationReport(explanation: Explanation, policy: Policy, unverified: boolean): Report {
  return {
    code: explanation.decision.allow ? YES : NO,
    value: explanationJson(explanation, policy, unverified),
    text: (paint) => explanationText(explanation, policy, unverified, paint),
  };
}
