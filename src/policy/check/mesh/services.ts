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

/** Checks that nginx can reach each service, and can tell it from others. */
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
  const names = Object.keys(draft.meshes ?? {});
  if (names.length === 0 || names.some((name) => name === 'default' || report.has(['meshes', name]))) return;
  for (const [name] of servicesOf(draft, { name: 'default' })) {
    if (report.touches(['services', name])) continue;
    report.lack('mesh');
    report.missing(['services', name], 'mesh', `mesh: ${oneOf(names)}, or name one of them default`);
  }
}

function checkService(report: Report, draft: DraftPolicy, path: Path, service: DraftService): void {
  if (report.touches(path)) return;
  if (!isDirect(service)) checkMeshService(report, draft, path, service);
  else if (writes(service, 'url')) checkServerName(report, path, service);
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
      ingressNamesOf(it).map(
        (ingress) => [name, `${meshNameOf(it)} ${ingress} ${it.authority?.toLowerCase()}`] as const,
      ),
    );
  for (const [name, , other] of repeated(inMesh, (text) => text)) {
    if (name === other) continue;
    const message = `service ${quote(other)} has this authority, so the ingress cannot distinguish the two; write another`;
    report.add(['services', name, 'authority'], message);
  }
}
