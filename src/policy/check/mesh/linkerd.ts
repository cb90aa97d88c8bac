import { quote } from '../../forms/path.ts';
import { LINKERD_HOST } from '../../forms/workload-names.ts';
import {
  type DraftPolicy,
  type DraftService,
  ingressesOf,
  ingressNamesOf,
  type MeshAt,
  meshesOf,
  servicesOf,
  writes,
} from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';

/** Linkerd enforces the rules at the workloads, so the policy must say where each workload runs, and its DNS name. */
export function checkLinkerd(report: Report, draft: DraftPolicy): void {
  for (const at of meshesOf(draft)) {
    if (at.mesh.kind === 'linkerd') checkOne(report, at, servicesOf(draft, at));
  }
}

function checkOne(report: Report, at: MeshAt, services: readonly [string, DraftService][]): void {
  const domain = at.mesh.trust_domain;
  if (domain !== undefined && !LINKERD_HOST.test(domain)) {
    const message = `${quote(domain)} is not a DNS name, but the trust domain of Linkerd is one; write a name such as cluster.local`;
    report.add([...at.path, 'trust_domain'], message);
  }
  for (const { ingress, path } of ingressesOf(at)) {
    if (!writes(ingress, 'service_account') || writes(ingress, 'namespace') || report.touches(path)) continue;
    report.missing(path, 'namespace', 'the namespace that the ingress runs in');
  }
  for (const [name, service] of services) checkService(report, name, service);
  checkIngresses(report, services);
  checkIngressPaths(report, at, services);
}

/** The keys of an ingress that have an effect only if nginx connects to it. */
const OF_INGRESS = ['address', 'server_name', 'own', 'namespace', 'labels', 'service_account'];

/** nginx connects to the workloads of a service, or else to an ingress whose service account the workloads accept. */
function checkIngressPaths(report: Report, at: MeshAt, services: readonly [string, DraftService][]): void {
  for (const [name, service] of services) {
    for (const key of ['ingress', 'ingresses']) {
      if (!writes(service, 'service_account') || !writes(service, key)) continue;
      const message = 'no effect: with service_account, nginx connects to the workload itself; remove one of the two';
      report.key(['services', name, key], message);
    }
  }
  const reached = services.filter(([, service]) => !writes(service, 'service_account'));
  const used = new Set(reached.flatMap(([, service]) => ingressNamesOf(service)));
  for (const { name, ingress, path } of ingressesOf(at)) {
    if (report.touches(path)) continue;
    if (used.has(name)) {
      const missing = ['address', 'service_account'].filter((key) => !writes(ingress, key));
      for (const key of missing) {
        const message = `missing key "${key}": ${NEEDS_OF_INGRESS[key as 'address']}; or write the service_account of each service, and nginx connects to the workloads themselves`;
        report.key([...path, key], message);
      }
    } else if (name === 'default' && services.length > 0) {
      for (const key of OF_INGRESS.filter((it) => writes(ingress, it))) {
        const message = 'no effect: each service has a service_account, so nginx connects to no ingress; remove it';
        report.key([...path, key], message);
      }
    }
  }
}

const NEEDS_OF_INGRESS = {
  address: 'write a name or address and a port, as in ingress.mesh:8443',
  service_account: 'workloads accept only the service account of the meshed ingress; write it, as in ingress',
} as const;

const ingressKeyOf = (service: DraftService): string => [...ingressNamesOf(service)].sort().join();

/** A workload has one `Server`, which is for one ingress. So all services of a workload must use the same ingress. */
function checkIngresses(report: Report, inMesh: readonly [string, DraftService][]): void {
  for (const [index, [name, service]] of inMesh.entries()) {
    const other = inMesh
      .slice(0, index)
      .find(([, it]) => ingressKeyOf(it) !== ingressKeyOf(service) && isSamePlace(it, service));
    if (other === undefined || report.touches(['services', name])) continue;
    const message = `its pods are also pods of ${quote(other[0])}, a service with another ingress; give both services the same ingress`;
    report.key(['services', name, writes(service, 'ingresses') ? 'ingresses' : 'ingress'], message);
  }
}

type Place = Pick<DraftService, 'namespace' | 'labels' | 'port'>;

/** Whether the same pod may have the labels of both places. */
function isSamePlace(a: Place, b: Place): boolean {
  if (a.namespace === undefined || a.labels === undefined || a.port === undefined || b.labels === undefined)
    return false;
  const { labels } = b;
  const agree = Object.entries(a.labels).every(([key, value]) => labels[key] === undefined || labels[key] === value);
  return agree && a.namespace === b.namespace && a.port === b.port;
}

function checkService(report: Report, name: string, service: { readonly authority?: string | undefined }): void {
  const path = ['services', name];
  if (report.touches(path)) return;
  const host = service.authority?.replace(/:\d+$/, '').toLowerCase();
  if (host !== undefined && !LINKERD_HOST.test(host)) {
    const message = `${quote(host)} is not a DNS name, which Linkerd's routes need; write the DNS name of the service, as in wiki.wiki.svc.cluster.local`;
    report.add([...path, 'authority'], message);
  }
}
