import {
  type DraftPolicy,
  type DraftService,
  ingressesOf,
  ingressNamesOf,
  type MeshAt,
  meshesOf,
  servicesOf,
  writes,
} from './draft.ts';
import { quote } from './path.ts';
import type { Report } from './report.ts';
import { LINKERD_HOST } from './workload-names.ts';

const NEEDS = {
  namespace: 'the namespace that the workload runs in',
  labels: 'the labels of its pods, as in { app: confluence }',
  port: 'the port that the workload itself listens on',
} as const;

/** Linkerd enforces the rules at the workloads, so the policy must say where each workload runs, and its DNS name. */
export function checkLinkerd(report: Report, draft: DraftPolicy): void {
  for (const at of meshesOf(draft)) if (at.mesh.kind === 'linkerd') checkOne(report, at, servicesOf(draft, at));
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
  checkDoors(report, services);
}

const doorsOf = (service: DraftService): string => [...ingressNamesOf(service)].sort().join();

/** A workload has one `Server`, which is for one ingress. So all services of a workload must use the same ingress. */
function checkDoors(report: Report, inMesh: readonly [string, DraftService][]): void {
  for (const [index, [name, service]] of inMesh.entries()) {
    const other = inMesh.slice(0, index).find(([, it]) => doorsOf(it) !== doorsOf(service) && isSamePlace(it, service));
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
  for (const [key, what] of Object.entries(NEEDS).filter(([it]) => !writes(service, it))) {
    report.key([...path, key], `missing key "${key}", which Linkerd needs; write ${what}`);
  }
  const host = service.authority?.replace(/:\d+$/, '').toLowerCase();
  if (host !== undefined && !LINKERD_HOST.test(host)) {
    const message = `${quote(host)} is not a DNS name, which Linkerd's routes need; write the DNS name of the service, as in wiki.wiki.svc.cluster.local`;
    report.add([...path, 'authority'], message);
  }
}
