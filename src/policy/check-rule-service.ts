import { type DraftPolicy, ingressesOf, ingressNameOf, isDirect, type RouteAt, writes } from './draft.ts';
import { quote } from './path.ts';
import type { Report } from './report.ts';
import { spelledOnce } from './request-headers.ts';

/** The file of the CA with which nginx verifies a service's certificate; undefined if there is no CA, or an error hides
 * it. */
function trustOf(draft: DraftPolicy, name: string): string | undefined {
  const service = draft.services?.[name];
  if (service === undefined) return undefined;
  if (!isDirect(service)) {
    const named = ingressNameOf(service);
    return ingressesOf(draft).find(({ name }) => name === named)?.ingress.ca_file;
  }
  if (!writes(service, 'url')) return undefined;
  return writes(service, 'ca_file') ? service.ca_file : 'the system’s CAs';
}

/** The protocol of a service; undefined if an error hides it. */
function protocolOf({ services }: DraftPolicy, name: string): string | undefined {
  const service = services?.[name];
  return service && (writes(service, 'protocol') ? service.protocol : 'http1');
}

/** Whether two services receive the same request headers from clients; also true if an error hides the lists. */
function sameHeaders({ services }: DraftPolicy, one: string, other: string): boolean {
  const [a, b] = [services?.[one], services?.[other]];
  if (a === undefined || b === undefined) return true;
  return spelledOnce(a.request_headers) === spelledOnce(b.request_headers);
}

/** Checks that the service of a rule differs from the service of the route. Also checks that all services of a route
 * have the same CA: a location of nginx has one CA, which nginx chooses before it knows the caller. */
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
      report.add(here, 'no effect: it is the route’s own service; remove it, or write another', 'key');
    } else if (ca !== undefined && known.ca !== undefined && ca !== known.ca) {
      const message = `${quote(own)} is verified by ${ca}, and ${quote(known.name)} by ${known.ca}, but nginx has one CA for a route; give both the same one, or write another route for it`;
      report.add(here, message);
    }
    const [speaks, others] = [protocolOf(draft, own), protocolOf(draft, routed)];
    if (speaks !== undefined && others !== undefined && speaks !== others) {
      const message = `${quote(own)} speaks ${speaks}, and ${quote(routed)} ${others}, but nginx has one protocol for a route; write another route for it`;
      report.add(here, message);
    }
    if (own !== routed && !sameHeaders(draft, own, routed)) {
      const message = `${quote(own)} and ${quote(routed)} receive other request headers, but nginx has one list for a route; give both the same request_headers, or write another route for it`;
      report.add(here, message);
    }
    if (known.ca === undefined) known = { name: own, ca };
  }
}
