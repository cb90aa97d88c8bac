import { malformed, type WrittenClaim } from '../../facts/claim.ts';
import { type Path, quote } from '../../forms/path.ts';
import {
  type DraftPolicy,
  type DraftRule,
  entriesOf,
  type RouteAt,
  repeated,
  routesOf,
  writes,
} from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { namesOf } from '../../read/sections.ts';
import { oneOf } from '../../read/suggest.ts';
import { wantsProofs } from '../gateway.ts';
import { kindOfDraft } from './kinds.ts';

/** Checks that each agent is identified and can send requests, and that a rule allows a person that it acts for. */
export function checkAgents(report: Report, draft: DraftPolicy): void {
  const providers = namesOf(report, 'provider') ?? [];
  for (const [name, agent] of entriesOf(draft.agents)) {
    const path = ['agents', name];
    if (report.touches(path)) continue;
    if (agent.match) checkMarks(report, [...path, 'match'], agent.match, providers);
    checkWhom(report, path, agent);
    checkBound(report, draft, path, agent);
  }
  checkTwins(report, draft);
  checkClients(report, draft);
  checkInner(report, draft);
  checkServices(report, draft);
  checkSpiffe(report, draft);
  for (const route of routesOf(draft)) checkRoute(report, draft, route);
}

function checkInner(report: Report, draft: DraftPolicy): void {
  const gateway = draft.gateway ?? {};
  const inner = draft.gateway?.inner;
  if (draft.agents && Object.keys(draft.agents).length === 0) {
    report.key(['agents'], 'no agent; write wiki-pages: { match: { service: wiki }, acts_for: [staff] }');
  }
  if (report.has(['agents'])) return;
  const agents = entriesOf(draft.agents);
  const service = agents.find(([, agent]) => isService(agent))?.[0];
  if (service === undefined) {
    const why = 'no effect: only agents that are services use this listener; write such an agent, or remove this';
    const hidden = agents.some(([name, { match }]) => match === undefined || report.touches(['agents', name, 'match']));
    if (inner && !hidden) report.key(['gateway', 'inner'], why);
    return;
  }
  if (report.touches(['gateway'])) return;
  const needs = { assertion: '{ issuer: https://wiki.example.com, keys_file: … }', inner: '{ client_ca_file: … }' };
  for (const [key, write] of Object.entries(needs)) {
    if (writes(gateway, key)) continue;
    const message = `an agent that is a service needs gateway.${key}; write ${key}: ${write} under gateway`;
    report.key(['agents', service, 'match', 'service'], message);
  }
  if (!inner || report.touches(['gateway', 'inner'])) return;
  if ((inner.listen ?? 8444) === (gateway.listen ?? 8443)) {
    report.add(['gateway', 'inner', 'listen'], `the gateway itself uses port ${inner.listen ?? 8444}; write another`);
  }
  if (gateway.insecure_http && !writes(inner, 'tls')) {
    const message = 'missing key "tls"; the inner listener has TLS even if the gateway serves plain HTTP';
    report.key(['gateway', 'inner', 'tls'], message);
  }
}

/** Checks that a service which is an agent has the id of its certificate. */
function checkServices(report: Report, draft: DraftPolicy): void {
  const agents = entriesOf(draft.agents);
  for (const service of agents.flatMap(([, { match }]) => match?.service ?? [])) {
    const definition = draft.services?.[service];
    if (!definition || writes(definition, 'spiffe') || report.touches(['services', service])) continue;
    report.missing(['services', service], 'spiffe', 'the SPIFFE id of its workload, which identifies the agent');
  }
}

function checkSpiffe(report: Report, draft: DraftPolicy): void {
  const agents = entriesOf(draft.agents);
  const unknown =
    report.touches(['agents']) ||
    agents.some(([name, agent]) => {
      const path = ['agents', name, 'match'];
      return agent.match === undefined || report.touches(path) || (isService(agent) && !agent.match.service);
    });
  const services = entriesOf(draft.services);
  for (const [name, { spiffe }] of services) {
    if (spiffe === undefined || unknown || agents.some(([, { match }]) => match?.service === name)) continue;
    const message = 'no effect: no agent is this service; write an agent that matches it, or remove this';
    report.key(['services', name, 'spiffe'], message);
  }
}

/** Returns which people a rule allows; undefined for an agent's rule, or if an error hides the people. */
function personOf(rule: DraftRule): { readonly who: string; readonly methods?: readonly string[] } | undefined {
  if (typeof rule === 'string') return { who: rule };
  const who = rule?.who ?? rule?.role;
  const methods = rule?.methods?.filter((it) => it !== undefined);
  return who === undefined ? undefined : { who, ...(methods && { methods }) };
}

type Methods = readonly (string | undefined)[] | undefined;

const withHead = (methods: NonNullable<Methods>) => methods.flatMap((it) => (it === 'GET' ? ['GET', 'HEAD'] : [it]));

function overlap(one: Methods, other: Methods): boolean {
  if (!one || !other || one.includes(undefined)) return true;
  const names = withHead(other);
  return withHead(one).some((it) => names.includes(it));
}

function idle(draft: DraftPolicy, { host, route }: RouteAt, agent: DraftAgent): string | undefined {
  if (isService(agent)) return undefined;
  const { accept } = route;
  const bySpiffe = agent.match !== undefined && writes(agent.match, 'spiffe');
  if (bySpiffe && accept?.includes('certificate')) return undefined;
  if (accept && !accept.includes(undefined) && !accept.includes('bearer')) {
    return 'this agent sends tokens, but this route accepts none; add bearer to accept, or remove this';
  }
  const provider = agent.match?.provider;
  const accepted = host.providers;
  if (provider === undefined || !accepted || accepted.includes(undefined)) return undefined;
  const comes = (it: string | undefined): boolean =>
    it === provider ||
    shareIssuer(draft, it, provider) ||
    (bySpiffe && it !== undefined && kindOfDraft(draft.providers?.[it]) === 'spiffe');
  if (accepted.some(comes)) return undefined;
  return `this agent sends only tokens of ${provider}; add it to providers, or remove this`;
}

/** Checks that the route accepts the agent's tokens, and that a rule allows a person, unless the agent may act
 * alone. */
function checkRoute(report: Report, draft: DraftPolicy, at: RouteAt): void {
  const { route, path } = at;
  const rules = route.allow ?? [];
  const isAgent = (rule: DraftRule) => typeof rule === 'object' && rule.agent !== undefined;
  const people = rules.filter((rule) => !isAgent(rule)).map(personOf);
  for (const [index, rule] of rules.entries()) {
    if (typeof rule !== 'object' || rule.agent === undefined) continue;
    const here: Path = [...path, 'allow', index];
    const agent = draft.agents?.[rule.agent];
    if (!agent || report.touches(here)) continue;
    const why = idle(draft, at, agent);
    if (why !== undefined) report.key(here, `no effect: ${why}`);
    const actsFor = agent.acts_for;
    if (!actsFor || actsFor.includes(undefined) || agent.alone || people.includes(undefined)) continue;
    const passes = people.some(
      (person) =>
        person !== undefined &&
        (actsFor.includes(person.who) || person.who === 'anyone' || person.who === 'authenticated') &&
        overlap(writes(rule, 'tools') ? ['POST'] : rule.methods, person.methods),
    );
    if (passes) continue;
    const roles = actsFor.join(' or ');
    report.key(here, `no effect: no other rule allows a person with role ${roles}; add such a rule, or remove this`);
  }
}

export type DraftAgent = NonNullable<NonNullable<DraftPolicy['agents']>[string]>;

/** Whether an agent is a service that uses the inner listener. All other agents send tokens. */
export const isService = ({ match }: DraftAgent): boolean => match !== undefined && writes(match, 'service');

type DraftMatch = NonNullable<DraftAgent['match']>;

function checkMarks(report: Report, path: Path, match: DraftMatch, providers: readonly string[]): void {
  if (report.touches(path)) return;
  const mistake = malformed(match as WrittenClaim, 'match');
  if (mistake?.part === 'key') {
    report.add([...path, ...mistake.path], mistake.message, mistake.part);
  } else if (match.claim !== undefined && /^act(\.|$)/.test(match.claim)) {
    report.add([...path, 'claim'], 'no effect: "act" names the actor; write it as client_id or spiffe');
  } else if (mistake !== undefined) {
    report.add([...path, ...mistake.path], mistake.message);
  } else if (writes(match, 'client_id', 'claim') && providers.length > 1 && !writes(match, 'provider')) {
    const mark = writes(match, 'client_id') ? 'client_id' : 'claim';
    report.key(path, `${mark} of which provider? add provider: ${oneOf(providers)}`);
  }
}

function checkWhom(report: Report, path: Path, agent: DraftAgent): void {
  if (report.touches(path)) return;
  const acts = writes(agent, 'acts_for');
  if (!acts && !writes(agent, 'alone')) {
    const also = isService(agent) ? '' : ', or alone: true if it acts alone';
    report.missing(path, 'acts_for', `acts_for: [staff], the roles that it may act for${also}`);
  } else if (!acts && writes(agent, 'hops')) {
    report.key([...path, 'hops'], 'no effect without acts_for; remove it');
  }
}

/** The binding decides whether a stolen token can be used, so it has no default. The gateway must accept its proof. */
function checkBound(report: Report, draft: DraftPolicy, path: Path, agent: DraftAgent): void {
  const { match, bound } = agent;
  if (!match || report.touches(path) || report.touches([...path, 'match'])) return;
  if (!isService(agent) && !writes(agent, 'bound')) {
    report.missing(path, 'bound', 'bound: dpop, certificate or any, or none to accept stolen tokens');
  } else if (bound !== undefined && bound !== 'none') {
    const why = wantsProofs(report, draft, bound);
    if (why !== undefined) report.add([...path, 'bound'], `the gateway rejects all tokens of this agent: ${why}`);
  }
}

function checkTwins(report: Report, draft: DraftPolicy): void {
  const markOf = ({ match }: DraftAgent) => (['client_id', 'spiffe'] as const).find((it) => match?.[it] !== undefined);
  const value = (agent: DraftAgent) => {
    const [mark, match] = [markOf(agent), agent.match];
    return mark && JSON.stringify([mark, match?.[mark], mark === 'client_id' ? match?.provider : undefined]);
  };
  for (const [name, agent, other] of repeated(entriesOf(draft.agents), value)) {
    const message = `agent ${quote(other)} has this already; keep one agent, with the roles of both`;
    report.add(['agents', name, 'match', markOf(agent) ?? ''], message);
  }
}

/** Whether two providers have the same issuer, so that an agent of one can also send tokens of the other. */
export function shareIssuer({ providers = {} }: DraftPolicy, one: string | undefined, other: string): boolean {
  const issuer = one === undefined ? undefined : providers[one]?.issuer;
  return issuer !== undefined && issuer === providers[other]?.issuer;
}

/** Checks that people do not sign in with an agent's client, and that the provider accepts tokens of this client. */
function checkClients(report: Report, draft: DraftPolicy): void {
  const only = Object.keys(draft.providers ?? {});
  for (const [agent, { match }] of entriesOf(draft.agents)) {
    const id = match?.client_id;
    const name = match?.provider ?? (only.length === 1 ? only[0] : undefined);
    const provider = name === undefined ? undefined : draft.providers?.[name];
    if (id === undefined || name === undefined || !provider || report.touches(['providers', name])) continue;
    const path = ['agents', agent, 'match', 'client_id'];
    const { clients } = provider;
    const signsIn = entriesOf(draft.providers).some(
      ([other, { client }]) => client?.id === id && (other === name || shareIssuer(draft, other, name)),
    );
    if (signsIn) {
      report.add(path, 'people sign in with this client; register another one for the agent at the provider');
    } else if (clients && !clients.includes(undefined) && !clients.includes(id)) {
      report.add(path, `no effect: provider ${quote(name)} accepts only tokens of its clients; add this client there`);
    }
  }
}
