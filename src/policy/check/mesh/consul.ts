import { quote } from '../../forms/path.ts';
import {
  type DraftPolicy,
  ingressesOf,
  type MeshAt,
  meshesOf,
  repeated,
  servicesOf,
  writes,
} from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';

/** The id of a Consul service in the default namespace, with its name. A name has no dot: in Consul's expressions, a
 * dot matches any character. */
export const CONSUL_SPIFFE = /^spiffe:\/\/[^/]+\/ns\/default\/dc\/[^/]+\/svc\/([^/.]+)$/;

/** Checks the names of services, because Consul identifies source and destination only by name. */
export function checkConsul(report: Report, draft: DraftPolicy): void {
  for (const at of meshesOf(draft)) if (!report.has(at.path)) checkOne(report, draft, at);
}

function checkOne(report: Report, draft: DraftPolicy, at: MeshAt): void {
  const { kind, trust_domain: domain } = at.mesh;
  if (kind !== 'consul') return;
  if (domain !== undefined && !/[^.]\.consul$/.test(domain)) {
    const message = `${quote(domain)} does not end in .consul, but each trust domain of Consul does; write TrustDomain from /v1/connect/ca/roots`;
    report.add([...at.path, 'trust_domain'], message);
  }
  for (const { ingress, path } of ingressesOf(at)) {
    if (!writes(ingress, 'consul_service') && !report.touches([...path, 'consul_service'])) report.add(path, NAMELESS);
  }
  checkNames(report, draft, at);
}

/** Consul's certificates have a SPIFFE id and no DNS name, and nginx compares DNS names only. */
const NAMELESS =
  'consul_service is missing: nginx cannot connect to Consul’s proxies themselves, because their certificates have no DNS name that nginx could verify; put an ingress before them, such as the one of "meshgate render --target envoy", and write the name under which Consul knows it';

function checkNames(report: Report, draft: DraftPolicy, at: MeshAt): void {
  for (const [name, service, other] of repeated(servicesOf(draft, at), (it, key) => it.consul_service ?? key)) {
    const own = quote(service.consul_service ?? name);
    const message = `service ${quote(other)} is ${own} in Consul already, so Consul could not tell the two apart; register one under another name`;
    if (writes(service, 'consul_service')) report.add(['services', name, 'consul_service'], message);
    else report.key(['services', name], message);
  }
}
