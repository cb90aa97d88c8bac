import { checkAgentMatch, type DraftAgent, isService, shareIssuer } from './check-agent-match.ts';
import { kindOfDraft } from './check-kinds.ts';
import { type DraftPolicy, type DraftRule, entriesOf, type RouteAt, routesOf, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';

/** Checks that each agent is identified and can send requests, and that a rule allows a person for whom it acts. */
export function checkAgents(report: Report, draft: DraftPolicy): void {
  checkAgentMatch(report, draft);
  checkInner(report, draft);
  checkServices(report, draft);
  checkSpiffe(report, draft);
  for (const route of routesOf(draft)) checkRoute(report, draft, route);
}

/** Checks the inner listener, to which services send assertions. */
function checkInner(report: Report, draft: DraftPolicy): void {
  const gateway = draft.gateway ?? {};
  const inner = draft.gateway?.inner;
  if (draft.agents && Object.keys(draft.agents).length === 0) {
    report.add(['agents'], 'no agent; write wiki-pages: { match: { service: wiki }, acts_for: [staff] }', 'key');
  }
  if (report.has(['agents'])) return;
  const agents = entriesOf(draft.agents);
  const service = agents.find(([, agent]) => isService(agent))?.[0];
  if (service === undefined) {
    const why = 'no effect: only agents that are services use this listener; write one, or remove this';
    const hidden = agents.some(([name, { match }]) => match === undefined || report.touches(['agents', name, 'match']));
    if (inner && !hidden) report.add(['gateway', 'inner'], why, 'key');
    return;
  }
  if (report.touches(['gateway'])) return;
  const needs = (key: string, write: string) => {
    if (writes(gateway, key)) return;
    const path = ['agents', service, 'match', 'service'];
    report.add(path, `an agent that is a service needs gateway.${key}; write ${key}: ${write} under gateway`, 'key');
  };
  needs('assertion', '{ issuer: https://wiki.example.com, keys_file: … }');
  needs('inner', '{ client_ca_file: … }');
  if (!inner || report.touches(['gateway', 'inner'])) return;
  if ((inner.listen ?? 8444) === (gateway.listen ?? 8443)) {
    const message = `port ${inner.listen ?? 8444} is the gateway's own; write another`;
    report.add(['gateway', 'inner', 'listen'], message);
  }
  if (gateway.insecure_http && !writes(inner, 'tls')) {
    const message = 'missing key "tls"; the inner listener has TLS even if the gateway serves plain HTTP';
    report.add(['gateway', 'inner', 'tls'], message, 'key');
  }
}

/** Checks that an agent which is a service can be identified by the certificate of this service, and that no two agents
 * are the same service. */
function checkServices(report: Report, draft: DraftPolicy): void {
  const seen = new Map<string, string>();
  for (const [name, { match }] of entriesOf(draft.agents)) {
    const path = ['agents', name, 'match', 'service'];
    const service = match?.service;
    if (service === undefined) continue;
    const other = seen.get(service);
    if (other !== undefined) {
      report.add(path, `agent ${quote(other)} is this service already; keep one, with the roles of both`);
    }
    seen.set(service, name);
    const definition = draft.services?.[service];
    if (definition && !writes(definition, 'spiffe') && !report.touches(['services', service])) {
      const write = 'write the SPIFFE id of its workload, which identifies the agent';
      report.add(['services', service, 'spiffe'], `missing key "spiffe"; ${write}`, 'key');
    }
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
  const seen = new Map<string, string>();
  for (const [name, { spiffe }] of entriesOf(draft.services)) {
    if (spiffe === undefined) continue;
    const path = ['services', name, 'spiffe'];
    const other = seen.get(spiffe);
    if (other !== undefined) {
      report.add(path, `service ${quote(other)} has this SPIFFE id, and could act in its place; write another`);
    }
    seen.set(spiffe, name);
    if (unknown || agents.some(([, { match }]) => match?.service === name)) continue;
    report.add(path, 'no effect: no agent is this service; write an agent that matches it, or remove this', 'key');
  }
}

/** The people whom a rule allows; undefined if the rule is for an agent, or if an error hides it. */
function personOf(rule: DraftRule): { readonly who: string; readonly methods?: readonly string[] } | undefined {
  if (typeof rule === 'string') return { who: rule };
  const who = rule?.who ?? rule?.role;
  const methods = rule?.methods?.filter((it) => it !== undefined);
  return who === undefined ? undefined : { who, ...(methods && { methods }) };
}

type Methods = readonly (string | undefined)[] | undefined;

const withHead = (methods: NonNullable<Methods>) => methods.flatMap((it) => (it === 'GET' ? ['GET', 'HEAD'] : [it]));

function meet(one: Methods, other: Methods): boolean {
  if (!one || !other || one.includes(undefined)) return true;
  const names = withHead(other);
  return withHead(one).some((it) => names.includes(it));
}

/** If an agent's rule cannot allow any person, returns what is wrong; otherwise undefined. */
function idle(draft: DraftPolicy, { host, route }: RouteAt, agent: DraftAgent): string | undefined {
  if (isService(agent)) return undefined;
  const { accept } = route;
  const bySpiffe = agent.match !== undefined && writes(agent.match, 'spiffe');
  if (bySpiffe && accept?.includes('certificate')) return undefined;
  if (accept && !accept.includes(undefined) && !accept.includes('bearer')) {
    return 'this route accepts no tokens, which this agent sends; add bearer to accept, or remove this';
  }
  const provider = agent.match?.provider;
  const accepted = host.providers;
  if (provider === undefined || !accepted || accepted.includes(undefined)) return undefined;
  const comes = (it: string | undefined): boolean =>
    it === provider ||
    shareIssuer(draft, it, provider) ||
    (bySpiffe && it !== undefined && kindOfDraft(draft.providers?.[it]) === 'spiffe');
  if (accepted.some(comes)) return undefined;
  return `this agent sends only tokens of ${provider}; accept it in providers, or remove this`;
}

/** Checks an agent's rule. The route must accept the agent's tokens. Unless the agent may be alone, another rule must
 * allow the person for whom it acts. */
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
    if (why !== undefined) report.add(here, `no effect: ${why}`, 'key');
    const actsFor = agent.acts_for;
    if (!actsFor || actsFor.includes(undefined) || agent.alone || people.includes(undefined)) continue;
    const passes = people.some(
      (person) =>
        person !== undefined &&
        (actsFor.includes(person.who) || person.who === 'anyone' || person.who === 'authenticated') &&
        meet(writes(rule, 'tools') ? ['POST'] : rule.methods, person.methods),
    );
    if (passes) continue;
    const roles = actsFor.join(' or ');
    const message = `no effect: no other rule here allows a person with role ${roles}; add one, or remove this`;
    report.add(here, message, 'key');
  }
}
