import { formatPath, type Path, quote } from '../../forms/path.ts';
import {
  type DraftPolicy,
  type DraftRule,
  ingressesOf,
  ingressNamesOf,
  isDirect,
  meshesOf,
  meshNameOf,
  type RouteAt,
  routesOf,
  serviceOf,
  writes,
} from '../../read/draft.ts';
import { implied, providersOf, restsOnNetwork } from '../../read/draft-facts.ts';
import type { Report } from '../../read/report.ts';
import { namesOf } from '../../read/sections.ts';
import { spelledOnce } from './given-headers.ts';

interface Known {
  readonly who: string;
  readonly methods?: readonly string[];
  readonly index: number;
  readonly tools?: true;
}

/** Checks that each rule can match a caller that no earlier rule allows. */
export function checkRules(report: Report, draft: DraftPolicy): void {
  for (const route of routesOf(draft)) {
    const before = new Map<string, Known[]>();
    checkRuleServices(report, draft, route);
    for (const [index, rule] of (route.route.allow ?? []).entries()) {
      const path = [...route.path, 'allow', index];
      if (rule === undefined) continue;
      if (typeof rule === 'object') checkForm(report, draft, route, rule, path);
      const known = read(rule, index);
      if (!known || report.has(path)) continue;
      checkReach(report, draft, route, known, path);
      const first = coveredBy(draft, known, before);
      if (first) {
        const allowed = formatPath([...route.path.slice(-1), 'allow', first.index]);
        const message = `no effect: ${allowed} above, ${first.who}, already allows all of these; put this rule before it, or remove this rule`;
        report.key(path, message);
      }
      if (known.tools) continue;
      const same = before.get(known.who) ?? [];
      same.push(known);
      before.set(known.who, same);
    }
  }
}

/** Whether a rule is for an agent. Names of roles contain no space. */
const isAgent = (who: string): boolean => who.startsWith('agent ');

const isRole = (who: string): boolean => who !== 'anyone' && who !== 'authenticated' && !isAgent(who);

function read(rule: NonNullable<DraftRule>, index: number): Known | undefined {
  if (typeof rule === 'string') return { who: rule, index };
  const who = rule.agent === undefined ? (rule.who ?? rule.role) : `agent ${rule.agent}`;
  if (who === undefined) return undefined;
  if (writes(rule, 'tools')) return { who, index, methods: ['POST'], tools: true };
  const methods = rule.methods?.flatMap((it) => (it === 'GET' ? ['GET', 'HEAD'] : [it]));
  if (!methods) return writes(rule, 'methods') ? undefined : { who, index };
  const known = methods.filter((it) => it !== undefined);
  return known.length < methods.length ? undefined : { who, index, methods: known };
}

type DraftForm = Exclude<NonNullable<DraftRule>, string>;

function checkForm(report: Report, draft: DraftPolicy, { route }: RouteAt, rule: DraftForm, path: Path): void {
  const { methods = [], as } = rule;
  if (methods.includes('GET') && methods.includes('HEAD')) {
    report.add([...path, 'methods', methods.indexOf('HEAD')], 'no effect: GET includes HEAD; remove it');
  }
  checkTools(report, rule, path);
  const name = serviceOf(route, rule) ?? '';
  const service = draft.services?.[name];
  if (as !== undefined && as !== 'default' && service && isDirect(service)) {
    const why = `nginx connects to service ${quote(name)} by its url, without an identity`;
    report.key([...path, 'as'], `no effect: ${why}; remove it`);
  }
}

function checkTools(report: Report, rule: DraftForm, path: Path): void {
  if (!writes(rule, 'tools')) return;
  const other = rule.methods?.findIndex((it) => it !== undefined && it !== 'POST') ?? -1;
  if (other >= 0) {
    report.add([...path, 'methods', other], 'no effect together with tools: an MCP message is a POST; remove it');
  }
}

/** Rejects a role if the host accepts none of the providers whose tokens give it. */
function checkReach(report: Report, draft: DraftPolicy, at: RouteAt, { who }: Known, path: Path): void {
  const accepted = at.host.providers;
  if (!accepted || accepted.includes(undefined) || namesOf(report, 'provider') === undefined) return;
  const giving = isRole(who) ? providersOf(draft).role(who) : undefined;
  if (!giving || giving.size === 0 || [...giving].some((it) => accepted.includes(it))) return;
  const names = [...giving].join(' or ');
  const why = `only tokens of ${names} give role ${quote(who)}`;
  report.key(path, `no effect: ${why}; add it to providers, or remove this`);
}

/** The earlier rule that allows everything that this rule allows, if there is one. */
function coveredBy(draft: DraftPolicy, rule: Known, before: ReadonlyMap<string, Known[]>): Known | undefined {
  const wider = widerThan(draft, rule.who).flatMap((who) => before.get(who) ?? []);
  wider.sort((a, b) => a.index - b.index);
  const all = wider.find((it) => it.methods === undefined);
  if (all || rule.methods === undefined) return all;
  const left = new Set(rule.methods);
  for (const other of wider) {
    for (const method of other.methods ?? []) left.delete(method);
    if (left.size === 0) return other;
  }
  return undefined;
}

/** Returns the callers of rules that also allow all of these callers. */
function widerThan(draft: DraftPolicy, who: string): readonly string[] {
  // Only rules for agents allow agents, and such rules allow no other callers.
  if (isAgent(who)) return [who];
  if (who === 'anyone') return ['anyone'];
  if (who === 'authenticated') return ['anyone', 'authenticated'];
  // A network may also give a role to an anonymous caller.
  const everyone = restsOnNetwork(draft).role(who) ? ['anyone'] : ['anyone', 'authenticated'];
  return [...everyone, ...implied(draft, who)];
}

/** Returns the CA with which nginx verifies a service; undefined if there is none, or if an error hides it. */
function trustOf(draft: DraftPolicy, name: string): string | undefined {
  const service = draft.services?.[name];
  if (service === undefined) return undefined;
  if (!isDirect(service)) {
    const [mesh, [named]] = [meshNameOf(service), ingressNamesOf(service)];
    const ingresses = meshesOf(draft).flatMap((it) => (it.name === mesh ? ingressesOf(it) : []));
    return ingresses.find(({ name }) => name === named)?.ingress.ca_file;
  }
  if (!writes(service, 'url')) return undefined;
  return writes(service, 'ca_file') ? service.ca_file : 'the system’s CAs';
}

/** The protocol of a service; undefined if an error hides it. */
function protocolOf({ services }: DraftPolicy, name: string): string | undefined {
  const service = services?.[name];
  return service && (writes(service, 'protocol') ? service.protocol : 'http1');
}

/** Whether nginx uses another ingress of a service if the connection to one fails. */
const hasSeveral = ({ services }: DraftPolicy, name: string): boolean => writes(services?.[name] ?? {}, 'ingresses');

/** Whether two services receive the same request headers; also true if an error hides the lists. */
function sameHeaders({ services }: DraftPolicy, one: string, other: string): boolean {
  const [a, b] = [services?.[one], services?.[other]];
  if (a === undefined || b === undefined) return true;
  return spelledOnce(a.request_headers) === spelledOnce(b.request_headers);
}

/** All services of a route have one CA, protocol and header list: nginx chooses them before it knows the caller. */
export function checkRuleServices(report: Report, draft: DraftPolicy, { route, path }: RouteAt): void {
  const { service: routed, allow = [] } = route;
  if (routed === undefined) return;
  let known = { name: routed, ca: trustOf(draft, routed) };
  for (const [index, rule] of allow.entries()) {
    const own = typeof rule === 'object' ? rule.service : undefined;
    if (own === undefined) continue;
    const here = [...path, 'allow', index, 'service'];
    const ca = trustOf(draft, own);
    if (own === routed) {
      report.key(here, 'no effect: the route has this service already; write another, or remove this');
    } else if (ca !== undefined && known.ca !== undefined && ca !== known.ca) {
      const message = `${quote(own)} is verified by ${ca}, and ${quote(known.name)} by ${known.ca}, but nginx has one CA for a route; give both the same CA, or write another route for ${quote(own)}`;
      report.add(here, message);
    }
    const [speaks, others] = [protocolOf(draft, own), protocolOf(draft, routed)];
    if (speaks !== undefined && others !== undefined && speaks !== others) {
      const message = `${quote(own)} speaks ${speaks}, and ${quote(routed)} ${others}, but nginx has one protocol for a route; write another route for ${quote(own)}`;
      report.add(here, message);
    }
    if (own !== routed && hasSeveral(draft, own) !== hasSeveral(draft, routed)) {
      const [one, all] = hasSeveral(draft, own) ? [routed, own] : [own, routed];
      const alone = draft.services?.[one] ?? {};
      const write =
        isDirect(alone) || writes(alone, 'service_account')
          ? `write another route for ${quote(own)}`
          : `write ingresses: [NAME] for ${quote(one)}, or another route for ${quote(own)}`;
      const message = `${quote(all)} has ingresses, and ${quote(one)} does not, but nginx sends the requests of a route to other addresses for all its services or for none; ${write}`;
      report.add(here, message);
    }
    if (own !== routed && !sameHeaders(draft, own, routed)) {
      const message = `${quote(own)} and ${quote(routed)} receive different request headers, but nginx has one list for a route; give both the same request_headers, or write another route for ${quote(own)}`;
      report.add(here, message);
    }
    if (known.ca === undefined) known = { name: own, ca };
  }
}
