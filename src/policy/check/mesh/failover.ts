import { type Path, quote } from '../../forms/path.ts';
import { hostPort, seconds } from '../../forms/units.ts';
import {
  type DraftIngress,
  type DraftPolicy,
  type DraftService,
  entriesOf,
  ingressesOf,
  ingressNamesOf,
  isDirect,
  meshesOf,
  meshNameOf,
  repeated,
  routesOf,
  serviceOf,
  writes,
} from '../../read/draft.ts';
import type { Report } from '../../read/report.ts';
import { mostConnect } from '../../schema/failover.ts';

/** Checks the services with several ingresses: nginx verifies all of them alike, and must have time for the next one. */
export function checkFailover(report: Report, draft: DraftPolicy): void {
  for (const [name, service] of entriesOf(draft.services)) {
    const path = ['services', name, 'ingresses'];
    if (!writes(service, 'ingresses') || isDirect(service) || report.touches(path)) continue;
    checkChoices(report, draft, path, service);
  }
  checkTimes(report, draft);
}

function checkChoices(report: Report, draft: DraftPolicy, path: Path, service: DraftService): void {
  const choices = (service.ingresses ?? []).map((it) => (typeof it === 'object' ? it : { name: it }));
  const isBackup = (it: object) => writes(it, 'backup');
  for (const [index, { name = '' }] of repeated(choices.entries(), (it) => it.name)) {
    report.add([...path, index], `${quote(name)} is in this list twice; remove one`);
  }
  if (choices.length > 0 && choices.every(isBackup)) {
    report.key(path, 'every ingress is a backup; remove backup from the one that nginx uses first');
  }
  for (const [index, it] of choices.entries()) {
    if (writes(it, 'weight') && choices.filter((other) => isBackup(other) === isBackup(it)).length < 2) {
      report.key([...path, index, 'weight'], 'no effect: no other ingress shares the requests with it; remove it');
    }
  }
  const ingresses = meshesOf(draft).flatMap((mesh) => (mesh.name === meshNameOf(service) ? ingressesOf(mesh) : []));
  checkSameTls(report, ingresses, path, ingressNamesOf(service));
}

const nameOf = (ingress: DraftIngress): string | undefined =>
  writes(ingress, 'server_name') ? ingress.server_name : ingress.address && hostPort(ingress.address, 443).host;

/** All ingresses of a service have one CA and one name in their certificates: nginx chooses them before the ingress. */
function checkSameTls(
  report: Report,
  all: ReturnType<typeof ingressesOf>,
  path: Path,
  names: readonly (string | undefined)[],
): void {
  const found = names.map((name) => all.find((it) => it.name === name));
  const [first] = found;
  if (first === undefined) return;
  for (const [index, other] of found.entries()) {
    if (other === undefined) continue;
    const differs = (what: string, one: string | undefined, own: string | undefined, write: string) => {
      if (one === undefined || own === undefined || one === own) return;
      const message = `${quote(other.name)} has the ${what} ${own}, and ${quote(first.name)} has ${one}, but nginx verifies all ingresses of a service alike; ${write}`;
      report.add([...path, index], message);
    };
    differs(
      'CA',
      first.ingress.ca_file,
      other.ingress.ca_file,
      'write one ca_file for both, which may contain both CAs',
    );
    const write = 'give both certificates a DNS name in common, and write it as server_name of both';
    differs('server_name', nameOf(first.ingress), nameOf(other.ingress), write);
  }
}

/** Rejects a time-out that leaves no time to reach another ingress while the assertion of the request is valid. */
function checkTimes(report: Report, draft: DraftPolicy): void {
  const assertion = draft.gateway?.assertion;
  const declared = assertion && writes(assertion, 'lifetime') ? assertion.lifetime : '60s';
  if (report.has(['gateway', 'assertion', 'lifetime']) || declared === undefined) return;
  const lifetime = assertion && seconds(declared);
  const most = mostConnect(lifetime);
  const why = assertion ? ` while the assertion is valid, for half of gateway.assertion.lifetime (${declared})` : '';
  for (const { host, hostName, route, path } of routesOf(draft)) {
    const names = [route.service, ...(route.allow ?? []).map((rule) => rule && serviceOf(route, rule))];
    if (!names.some((name) => writes(draft.services?.[name ?? ''] ?? {}, 'ingresses'))) continue;
    const own = route.proxy !== undefined && writes(route.proxy, 'connect_timeout');
    const written = own ? route.proxy?.connect_timeout : host.proxy?.connect_timeout;
    if (written === undefined || seconds(written) <= most) continue;
    const place = own ? path : ['hosts', hostName];
    const message = `too long for ${quote(path.at(-1) as string)}, whose service has several ingresses: nginx could not try another one${why}; write at most ${most}s`;
    report.add([...place, 'proxy', 'connect_timeout'], message);
  }
}
