import { type Path, quote } from '../../forms/path.ts';
import { hostPort } from '../../forms/units.ts';
import {
  type DraftPolicy,
  type DraftService,
  entriesOf,
  ingressNamesOf,
  isDirect,
  meshNameOf,
  needsServerName,
  repeated,
  servicesOf,
  writes,
} from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { oneOf } from '../../read/suggest.ts';

const MESH_ONLY = [
  ...['endpoint', 'mesh', 'ingress', 'ingresses', 'namespace', 'labels', 'port'],
  ...['service_account', 'consul_service'],
];

/** Checks that there is one way to reach each service, and that the service has only keys that have an effect for it. */
export function checkServices(report: Report, draft: DraftPolicy): void {
  const services = entriesOf(draft.services);
  for (const [name, service] of services) checkService(report, draft, ['services', name], service);
  checkAuthorities(report, services);
  checkMeshNames(report, draft);
  const all = services.length > 0 && services.every(([, service]) => isDirect(service));
  for (const key of ['mesh', 'meshes'] as const) {
    if (!draft[key] || !all) continue;
    report.key([key], `no effect: every service has a url of its own; remove ${key}, or the url of a service`);
  }
}

/** Checks that there is one mesh or named ones, and that each service is in one of them. */
function checkMeshNames(report: Report, draft: DraftPolicy): void {
  if (!writes(draft, 'meshes')) return;
  if (writes(draft, 'mesh')) report.key(['meshes'], 'mesh is there as well; keep one of the two');
  const names = Object.keys(draft.meshes ?? {});
  if (draft.meshes !== undefined && names.length === 0 && !report.touches(['meshes'])) {
    report.key(['meshes'], 'no mesh; write { east: { kind: istio, … } }');
  }
  if (names.length === 0 || names.some((name) => name === 'default' || report.has(['meshes', name]))) return;
  for (const [name] of servicesOf(draft, { name: 'default' })) {
    if (report.touches(['services', name])) continue;
    report.lack('mesh');
    report.missing(['services', name], 'mesh', `mesh: ${oneOf(names)}, or name one of them default`);
  }
}

function checkService(report: Report, draft: DraftPolicy, path: Path, service: DraftService): void {
  if (writes(service, 'url') && writes(service, 'insecure_url')) {
    report.key([...path, 'insecure_url'], 'the service has url as well; keep one of the two');
  }
  if (report.touches(path)) return;
  const idle = (key: string, why: string) => {
    if (writes(service, key)) report.key([...path, key], `no effect: ${why}; remove it`);
  };
  if (isDirect(service)) for (const key of MESH_ONLY) idle(key, 'nginx reaches the service by its url');
  else checkMeshService(report, draft, path, service);
  if (writes(service, 'url')) {
    checkServerName(report, path, service);
    return;
  }
  const why = isDirect(service) ? 'plain http has no certificate' : 'nginx verifies the ingress of the mesh';
  for (const key of ['ca_file', 'server_name']) idle(key, why);
}

function checkMeshService(report: Report, draft: DraftPolicy, path: Path, service: DraftService): void {
  if (!draft.mesh && !draft.meshes && !report.has(['mesh']) && !report.has(['meshes'])) {
    const found = writes(service, 'authority') ? 'the policy has no mesh' : 'the service has no address';
    report.key(path, `${found}; write url: https://HOST:PORT, or a mesh section`);
  } else if (!writes(service, 'authority')) {
    report.missing(path, 'authority', 'the Host that the service expects');
  }
}

/** Checks the server name: nginx verifies names, never addresses. */
function checkServerName(report: Report, path: Path, { url, ...service }: DraftService): void {
  if (url === undefined || writes(service, 'server_name')) return;
  if (!needsServerName(hostPort(url.slice('https://'.length), 443).host)) return;
  report.missing(path, 'server_name', 'the DNS name in the certificate');
}

/** Checks that authorities differ, because a mesh ingress distinguishes services only by authority. */
function checkAuthorities(report: Report, services: readonly [string, DraftService][]): void {
  const inMesh = services
    .filter(([, service]) => !isDirect(service) && service.authority !== undefined)
    .flatMap(([name, it]) =>
      ingressNamesOf(it).map((door) => [name, `${meshNameOf(it)} ${door} ${it.authority?.toLowerCase()}`] as const),
    );
  for (const [name, , other] of repeated(inMesh, (text) => text)) {
    if (name === other) continue;
    const message = `service ${quote(other)} has this authority, so the ingress cannot distinguish the two; write another`;
    report.add(['services', name, 'authority'], message);
  }
}
