import { type Path, quote } from '../../forms/path.ts';
import { hostPort } from '../../forms/units.ts';
import { GATEWAY_CLASS, isAgentgateway, LABEL_KEY } from '../../forms/workload-names.ts';
import {
  type DraftIngress,
  type DraftPolicy,
  entriesOf,
  ingressesOf,
  ingressNamesOf,
  isDirect,
  type MeshAt,
  meshesOf,
  needsDefault,
  needsServerName,
  repeated,
  servicesOf,
  writes,
} from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { nearest, oneOf } from '../../read/suggest.ts';

/** Checks each mesh. */
export function checkMeshes(report: Report, draft: DraftPolicy): void {
  for (const mesh of meshesOf(draft)) if (!report.has(mesh.path)) checkMesh(report, draft, mesh);
}

/** Checks that nginx can verify the ingress, and that each identity has one certificate of the trust domain. */
function checkMesh(report: Report, draft: DraftPolicy, at: MeshAt): void {
  const { mesh } = at;
  checkIngresses(report, draft, at);
  for (const { ingress, path } of ingressesOf(at)) {
    checkIngress(report, path, ingress, mesh.kind);
  }
  const others = otherDomain(at);
  if (others !== undefined) {
    const message = `every identity is in ${quote(others)} instead; did you mean ${quote(others)}?`;
    report.add([...at.path, 'trust_domain'], message);
  }
  const identities = entriesOf(mesh.identities);
  const domain = others === undefined ? mesh.trust_domain : undefined;
  for (const [name, identity] of identities) {
    const path = [...at.path, 'identities', name];
    const { spiffe } = identity;
    if (spiffe === undefined || domain === undefined || domainOf(spiffe) === domain) continue;
    const better = spiffe.replace(`//${domainOf(spiffe)}`, `//${domain}`);
    report.add([...path, 'spiffe'], `not in the trust domain ${quote(domain)}; write ${quote(better)}`);
  }
  checkDefault(report, draft, at);
}

const domainOf = (spiffe: string) => spiffe.split('/')[2] ?? '';

/** The trust domain of all identities, if all have the same one and it is not `trust_domain`. */
function otherDomain({ mesh }: MeshAt): string | undefined {
  const domains = entriesOf(mesh.identities).map(([, { spiffe }]) => spiffe && domainOf(spiffe));
  const [first] = domains;
  const agree = domains.length > 1 && domains.every((it) => it === first);
  return agree && mesh.trust_domain !== undefined && first !== mesh.trust_domain ? first : undefined;
}

function checkDefault(report: Report, draft: DraftPolicy, mesh: MeshAt): void {
  const { identities } = mesh.mesh;
  if (!identities || writes(identities, 'default') || !needsDefault(draft, mesh)) return;
  const path = [...mesh.path, 'identities'];
  if (Object.keys(identities).some((name) => report.has([...path, name]))) return;
  const meant = nearest('default', Object.keys(identities));
  if (meant === undefined) {
    report.missing(path, 'default', 'default: { spiffe: …, pem_file: … }, or "as" in every rule');
  } else {
    report.key([...path, meant], 'rules without "as" need the identity "default"; did you mean "default"?');
  }
}

/** Checks that there is one ingress or named ones, and that each service in the mesh uses one of them. */
function checkIngresses(report: Report, draft: DraftPolicy, at: MeshAt): void {
  const { mesh } = at;
  const path = [...at.path, 'ingresses'];
  const names = Object.keys(mesh.ingresses ?? {});
  if (!writes(mesh, 'ingress', 'ingresses')) {
    const write = 'ingress: { address: ingress.mesh:8443, ca_file: /run/mesh/ca.pem }';
    if (!report.touches(at.path)) report.missing(at.path, 'ingress', write);
  } else if (
    !writes(mesh, 'ingress') &&
    names.length > 0 &&
    !names.some((name) => name === 'default' || report.has([...path, name]))
  ) {
    for (const [name, service] of servicesOf(draft, at)) {
      if (mesh.kind === 'linkerd' && writes(service, 'service_account')) continue;
      if (ingressNamesOf(service).join() !== 'default' || report.touches(['services', name])) continue;
      report.lack('ingress');
      report.missing(['services', name], 'ingress', `ingress: ${oneOf(names)}, or name one of them default`);
    }
  }
}

function checkIngress(report: Report, path: Path, ingress: DraftIngress, kind: string | undefined): void {
  if (!writes(ingress, 'address')) {
    // The check of Linkerd says when an ingress needs no address.
    if (kind !== 'linkerd') report.missing(path, 'address', 'a name or address and a port, as in ingress.mesh:8443');
    return;
  }
  if (ingress.address === undefined || writes(ingress, 'server_name')) return;
  if (!needsServerName(hostPort(ingress.address, 443).host)) return;
  report.missing(path, 'server_name', 'the DNS name in the ingress’s certificate');
}

interface Workload {
  readonly labels?: Readonly<Record<string, string | undefined>>;
}

/** Checks that the keys which say where ingresses and services run fit the meshes of the policy. */
export function checkWorkloads(report: Report, draft: DraftPolicy): void {
  const meshes = meshesOf(draft);
  for (const at of meshes.filter(({ path }) => !report.has(path))) {
    const isIstio = at.mesh.kind === 'istio';
    const ingresses = ingressesOf(at);
    for (const { ingress, path } of ingresses) {
      checkPlace(report, path, ingress as Workload);
      if (isIstio) checkIstio(report, path, ingress);
    }
    if (isIstio) checkNamespaces(report, ingresses);
  }
  for (const [name, service] of entriesOf(draft.services)) {
    if (!isDirect(service)) checkPlace(report, ['services', name], service as Workload);
  }
}

function checkPlace(report: Report, path: Path, workload: Workload): void {
  if (!writes(workload, 'labels')) return;
  if (workload.labels === undefined || report.touches([...path, 'labels'])) return;
  const names = Object.keys(workload.labels);
  for (const name of names.filter((it) => !LABEL_KEY.test(it))) {
    const write = 'write letters, digits and - _ . in between, as in app or app.kubernetes.io/name';
    report.key([...path, 'labels', name], `${quote(name)} is not the key of a Kubernetes label; ${write}`);
  }
}

/** Istio's policies select the ingress by its labels. */
function checkIstio(report: Report, path: Path, ingress: DraftIngress): void {
  const name = ingress.labels?.[GATEWAY_CLASS];
  if (!isAgentgateway(name)) return;
  const message = `${quote(String(name))} is another proxy than Envoy, and reads none of the rendered objects, so it would allow every request; write the labels of an ingress gateway that is Envoy`;
  report.add([...path, 'labels', GATEWAY_CLASS], message);
}

/** Objects that are rendered for two ingresses have the same names, so each needs its own namespace. */
function checkNamespaces(report: Report, ingresses: ReturnType<typeof ingressesOf>): void {
  const named = ingresses.map((ingressItem) => [ingressItem.name, ingressItem] as const);
  for (const [, { path }, other] of repeated(named, ({ ingress }) => ingress.namespace)) {
    const message = `ingress ${quote(other)} is in this namespace, so Istio's objects of both would have the same names; give each its own namespace`;
    report.add([...path, 'namespace'], message);
  }
}
