import {
  type DraftPolicy,
  entriesOf,
  ingressesOf,
  type MeshAt,
  meshesOf,
  repeated,
  servicesOf,
  writes,
} from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';

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
  const doors = ingressesOf(at);
  if (doors.some(({ ingress }) => !writes(ingress, 'consul_service'))) checkIdentities(report, at);
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

/** If nginx connects without an ingress, its identity is the source in the intentions. */
function checkIdentities(report: Report, { mesh, path: here }: MeshAt): void {
  for (const [name, { spiffe }] of entriesOf(mesh.identities)) {
    const path = [...here, 'identities', name, 'spiffe'];
    if (spiffe === undefined || CONSUL_SPIFFE.test(spiffe) || report.touches(path)) continue;
    const form = `spiffe://${mesh.trust_domain ?? 'TRUST_DOMAIN'}/ns/default/dc/DATACENTER/svc/${name}`;
    const dotted = /\/svc\/([^/.]*\.[^/]*)$/.exec(spiffe)?.[1];
    if (dotted !== undefined) {
      const why = `the dot in ${quote(dotted)} matches any character in Consul’s filter, so that ${quote(dotted.replace(/\./g, '-'))} passes as well; register the service under a name without dots`;
      report.add(path, why);
      continue;
    }
    const message = `not the id of a service in Consul’s default namespace; write ${quote(form)}, or mesh.ingress.consul_service if an ingress connects to the services`;
    report.add(path, message);
  }
}

function checkNames(report: Report, draft: DraftPolicy, at: MeshAt): void {
  for (const [name, service, other] of repeated(servicesOf(draft, at), (it, key) => it.consul_service ?? key)) {
    const own = quote(service.consul_service ?? name);
    const message = `service ${quote(other)} is ${own} in Consul already, so Consul could not tell the two apart; register one under another name`;
    if (writes(service, 'consul_service')) report.add(['services', name, 'consul_service'], message);
    else report.key(['services', name], message);
  }
}
