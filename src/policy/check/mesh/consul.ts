import { type Path, quote } from '../../forms/path.ts';
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
  if (kind === undefined) return;
  checkIdle(report, draft, at, kind);
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

/** Rejects keys that have no effect with Consul, or that only Consul uses. */
function checkIdle(report: Report, draft: DraftPolicy, at: MeshAt, kind: string): void {
  const idle = (path: Path, record: object, keys: readonly string[], why: string) => {
    for (const key of keys.filter((it) => writes(record, it) && !report.touches([...path, it]))) {
      report.key([...path, key], `no effect: ${why}`);
    }
  };
  const other = kind === 'consul' ? undefined : `the mesh is ${kind}, not consul; remove it`;
  const ofIngress = 'Consul identifies the ingress by its service name; write consul_service instead, or remove this';
  for (const { ingress, path } of ingressesOf(at)) {
    if (other) idle(path, ingress, ['consul_service'], other);
    else idle(path, ingress, ['namespace', 'labels', 'service_account'], ofIngress);
  }
  const ofWorkload =
    'Consul identifies a workload by its service name; write consul_service if this name differs, or remove this';
  for (const [name, service] of servicesOf(draft, at)) {
    if (other) idle(['services', name], service, ['consul_service'], other);
    else idle(['services', name], service, ['namespace', 'labels', 'port'], ofWorkload);
  }
  const signs = writes(draft.gateway ?? {}, 'assertion');
  const unsigned = signs ? undefined : 'the gateway signs nothing; write gateway.assertion, or remove this';
  const why = other ?? unsigned;
  if (why) idle(at.path, at.mesh, ['assertion_ca_file'], why);
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
