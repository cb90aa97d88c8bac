import { type DraftPolicy, entriesOf, ingressesOf, isDirect, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';

/** The SPIFFE id of a Consul service in the default namespace; the first group is the name of the service. The name
 * must not contain a dot: Consul puts it into a regular expression, where a dot matches any character. */
export const CONSUL_SPIFFE = /^spiffe:\/\/[^/]+\/ns\/default\/dc\/[^/]+\/svc\/([^/.]+)$/;

/** Checks the names of services, because Consul identifies source and destination only by name. */
export function checkConsul(report: Report, draft: DraftPolicy): void {
  const { mesh } = draft;
  if (!mesh || mesh.kind === undefined || report.has(['mesh'])) return;
  if (mesh.kind !== 'consul') {
    checkOther(report, draft, mesh.kind);
    return;
  }
  checkIdle(report, draft);
  const domain = mesh.trust_domain;
  if (domain !== undefined && !/[^.]\.consul$/.test(domain)) {
    const message = `${quote(domain)} does not end in .consul, as Consul’s trust domains do; write the TrustDomain of /v1/connect/ca/roots`;
    report.add(['mesh', 'trust_domain'], message);
  }
  const doors = ingressesOf(draft);
  if (doors.some(({ ingress }) => !writes(ingress, 'consul_service'))) checkIdentities(report, draft);
  checkNames(report, draft);
}

/** Rejects keys that only Consul uses, if the mesh is not Consul. */
function checkOther(report: Report, draft: DraftPolicy, kind: string): void {
  const idle = (path: Path, record: object | undefined, key: string) => {
    if (record === undefined || !writes(record, key)) return;
    report.add([...path, key], `no effect: the mesh is ${kind}, not consul; remove it`, 'key');
  };
  idle(['mesh'], draft.mesh, 'assertion_ca_file');
  for (const { ingress, path } of ingressesOf(draft)) idle(path, ingress, 'consul_service');
  for (const [name, service] of entriesOf(draft.services)) {
    if (!isDirect(service)) idle(['services', name], service, 'consul_service');
  }
}

/** Rejects keys that have no effect with Consul. */
function checkIdle(report: Report, draft: DraftPolicy): void {
  const { mesh, services, gateway } = draft;
  const idle = (path: Path, record: object | undefined, key: string, why: string) => {
    if (record === undefined || !writes(record, key) || report.touches([...path, key])) return;
    report.add([...path, key], `no effect: ${why}`, 'key');
  };
  for (const key of ['namespace', 'labels', 'service_account']) {
    const why = 'Consul knows the ingress by its service; write consul_service instead, or remove it';
    for (const { ingress, path } of ingressesOf(draft)) idle(path, ingress, key, why);
  }
  for (const [name, service] of entriesOf(services)) {
    if (isDirect(service)) continue;
    const why = 'Consul knows a workload by its service; write consul_service if it has another name, or remove it';
    for (const key of ['namespace', 'labels', 'port']) idle(['services', name], service, key, why);
  }
  if (!writes(gateway ?? {}, 'assertion')) {
    const why = 'the gateway signs nothing; write gateway.assertion, or remove this';
    idle(['mesh'], mesh, 'assertion_ca_file', why);
  }
}

/** Checks identities. If nginx connects without an ingress, its identity is the source in the intentions. */
function checkIdentities(report: Report, { mesh }: DraftPolicy): void {
  for (const [name, { spiffe }] of entriesOf(mesh?.identities)) {
    const path = ['mesh', 'identities', name, 'spiffe'];
    if (spiffe === undefined || CONSUL_SPIFFE.test(spiffe) || report.touches(path)) continue;
    const form = `spiffe://${mesh?.trust_domain ?? 'TRUST_DOMAIN'}/ns/default/dc/DATACENTER/svc/${name}`;
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

/** Checks that the names are unique, because an intention names its destination. */
function checkNames(report: Report, { services }: DraftPolicy): void {
  const seen = new Map<string, string>();
  for (const [name, service] of entriesOf(services)) {
    if (isDirect(service)) continue;
    const own = service.consul_service ?? name;
    const other = seen.get(own);
    if (other !== undefined) {
      const message = `service ${quote(other)} is ${quote(own)} in Consul already, which would not tell them apart; register one under another name`;
      const path = ['services', name];
      if (writes(service, 'consul_service')) report.add([...path, 'consul_service'], message);
      else report.add(path, message, 'key');
    }
    seen.set(own, name);
  }
}
