import { type DraftPolicy, entriesOf, isDirect, writes } from './draft.ts';
import { quote } from './path.ts';
import type { Report } from './report.ts';
import { LINKERD_HOST } from './scalars.ts';

const NEEDS = {
  namespace: 'the namespace that the workload runs in',
  labels: 'the labels of its pods, as in { app: confluence }',
  port: 'the port that the workload itself listens on',
} as const;

/** Linkerd guards workloads: it has to know where each service runs, and its proxies know everybody by DNS names. */
export function checkLinkerd(report: Report, draft: DraftPolicy): void {
  const { mesh } = draft;
  if (mesh?.kind !== 'linkerd') return;
  const domain = mesh.trust_domain;
  if (domain !== undefined && !LINKERD_HOST.test(domain)) {
    const message = `${quote(domain)} is not a DNS name, as Linkerd's trust domain is; write one, as in cluster.local`;
    report.add(['mesh', 'trust_domain'], message);
  }
  const ingress = ['mesh', 'ingress'];
  if (mesh.ingress && writes(mesh.ingress, 'service_account') && !report.touches(ingress)) {
    if (!writes(mesh.ingress, 'namespace')) {
      const message = 'missing key "namespace"; write the namespace that the ingress runs in';
      report.add([...ingress, 'namespace'], message, 'key');
    }
  }
  for (const [name, service] of entriesOf(draft.services)) checkService(report, name, service);
}

function checkService(report: Report, name: string, service: { readonly authority?: string | undefined }): void {
  const path = ['services', name];
  if (isDirect(service) || report.touches(path)) return;
  for (const [key, what] of Object.entries(NEEDS)) {
    if (writes(service, key)) continue;
    report.add([...path, key], `missing key "${key}", which Linkerd needs; write ${what}`, 'key');
  }
  const host = service.authority?.replace(/:\d+$/, '').toLowerCase();
  if (host !== undefined && !LINKERD_HOST.test(host)) {
    const message = `${quote(host)} is not a DNS name, and Linkerd's routes name services by one; write it, as in wiki.wiki.svc.cluster.local`;
    report.add([...path, 'authority'], message);
  }
}
