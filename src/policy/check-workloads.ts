import { type DraftPolicy, entriesOf, ingressesOf, isDirect, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { LABEL_KEY } from './workload-names.ts';

interface Workload {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string | undefined>>;
}

/** Checks that the keys which say where the ingress and the services run fit the policy's mesh. */
export function checkWorkloads(report: Report, draft: DraftPolicy): void {
  const { mesh } = draft;
  const doors = report.has(['mesh']) ? [] : ingressesOf(draft);
  for (const { ingress, path } of doors) {
    checkPlace(report, path, ingress as Workload);
    if (mesh?.kind === 'istio') checkIstio(report, path, ingress);
  }
  if (mesh?.kind === 'istio') checkNamespaces(report, doors);
  for (const [name, service] of entriesOf(draft.services)) {
    if (!isDirect(service)) checkPlace(report, ['services', name], service as Workload);
  }
}

/** Checks that labels are well formed, and that there is a namespace with them. */
function checkPlace(report: Report, path: Path, workload: Workload): void {
  if (!writes(workload, 'labels')) return;
  if (!writes(workload, 'namespace') && !report.touches(path)) {
    const message = 'missing key "namespace"; write the namespace that the labels select in';
    report.add([...path, 'namespace'], message, 'key');
  }
  if (workload.labels === undefined || report.touches([...path, 'labels'])) return;
  const names = Object.keys(workload.labels);
  if (names.length === 0) {
    report.add([...path, 'labels'], 'no label selects every pod of the namespace; write { app: confluence }', 'key');
  }
  for (const name of names.filter((it) => !LABEL_KEY.test(it))) {
    const write = 'write letters, digits and - _ . in between, as in app or app.kubernetes.io/name';
    report.add([...path, 'labels', name], `${quote(name)} is not the key of a Kubernetes label; ${write}`, 'key');
  }
}

const ISTIO_NEEDS = {
  namespace: 'the namespace that the ingress runs in, as in istio-system',
  labels: 'the labels of its pods, as in { istio: ingressgateway }',
  service_account: 'the service account that it runs as',
} as const;

/** Checks the ingress for Istio: Istio's policies select it by its labels, and workloads identify it by its service
 * account. */
function checkIstio(report: Report, path: Path, ingress: object): void {
  if (report.touches(path)) return;
  for (const [key, what] of Object.entries(ISTIO_NEEDS)) {
    if (writes(ingress, key)) continue;
    report.add([...path, key], `missing key "${key}", which Istio needs; write ${what}`, 'key');
  }
}

/** Checks that each ingress has its own namespace, because the objects that are rendered for an ingress have the same
 * names for each ingress. */
function checkNamespaces(report: Report, doors: ReturnType<typeof ingressesOf>): void {
  const seen = new Map<string, string>();
  for (const { name, ingress, path } of doors) {
    const { namespace } = ingress;
    if (namespace === undefined) continue;
    const other = seen.get(namespace);
    if (other !== undefined) {
      const message = `ingress ${quote(other)} is in this namespace, and Istio's objects of both would be one; give each its own`;
      report.add([...path, 'namespace'], message);
    }
    seen.set(namespace, name);
  }
}
