import {
  type DraftIngress,
  type DraftPolicy,
  entriesOf,
  ingressesOf,
  ingressNameOf,
  isDirect,
  needsDefault,
  needsServerName,
  writes,
} from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { nearest, oneOf } from './suggest.ts';
import { hostPort } from './units.ts';

/** Checks that nginx can verify the ingress, and that each identity has one certificate of the trust domain. */
export function checkMesh(report: Report, draft: DraftPolicy): void {
  const { mesh } = draft;
  if (!mesh || report.has(['mesh'])) return;
  checkDoors(report, draft);
  for (const { ingress, path } of ingressesOf(draft)) {
    checkIngress(report, path, ingress);
    checkAssertion(report, draft, path, ingress);
  }
  const others = otherDomain(draft);
  if (others !== undefined) {
    const message = `every identity is in ${quote(others)} instead; did you mean ${quote(others)}?`;
    report.add(['mesh', 'trust_domain'], message);
  }
  const seen = new Map<string, string>();
  for (const [name, identity] of entriesOf(mesh.identities)) {
    const path = ['mesh', 'identities', name];
    checkFiles(report, path, identity);
    const { spiffe } = identity;
    if (spiffe === undefined) continue;
    const other = seen.get(spiffe);
    if (others === undefined && mesh.trust_domain !== undefined && domainOf(spiffe) !== mesh.trust_domain) {
      const better = spiffe.replace(`//${domainOf(spiffe)}`, `//${mesh.trust_domain}`);
      report.add([...path, 'spiffe'], `not in the trust domain ${quote(mesh.trust_domain)}; write ${quote(better)}`);
    } else if (other !== undefined) {
      const message = `identity ${quote(other)} has this SPIFFE id already; write another, or use that one`;
      report.add([...path, 'spiffe'], message);
    }
    seen.set(spiffe, name);
  }
  checkDefault(report, draft);
}

const domainOf = (spiffe: string) => spiffe.split('/')[2] ?? '';

/** If all identities have the same trust domain, and it is not the one in `trust_domain`, returns the trust domain of
 * the identities. */
function otherDomain({ mesh }: DraftPolicy): string | undefined {
  const domains = entriesOf(mesh?.identities).map(([, { spiffe }]) => spiffe && domainOf(spiffe));
  const [first] = domains;
  const agree = domains.length > 1 && domains.every((it) => it === first);
  return agree && mesh?.trust_domain !== undefined && first !== mesh.trust_domain ? first : undefined;
}

function checkDefault(report: Report, draft: DraftPolicy): void {
  const identities = draft.mesh?.identities;
  if (!identities || writes(identities, 'default') || !needsDefault(draft)) return;
  const path = ['mesh', 'identities'];
  if (Object.keys(identities).some((name) => report.has([...path, name]))) return;
  const meant = nearest('default', Object.keys(identities));
  if (meant !== undefined) {
    report.add([...path, meant], 'rules without "as" need the identity "default"; did you mean "default"?', 'key');
    return;
  }
  const message = 'missing key "default"; write default: { spiffe: …, pem_file: … }, or "as" in every rule';
  report.add([...path, 'default'], message, 'key');
}

/** Checks that there is either one ingress or a mapping of named ones, and that each service in the mesh uses one of
 * them. */
function checkDoors(report: Report, draft: DraftPolicy): void {
  const { mesh = {}, services } = draft;
  const path = ['mesh'];
  if (writes(mesh, 'ingress') && writes(mesh, 'ingresses')) {
    report.add([...path, 'ingresses'], 'ingress is there as well; keep one of the two', 'key');
    return;
  }
  if (!writes(mesh, 'ingress', 'ingresses')) {
    if (report.touches(path)) return;
    const write = 'write ingress: { address: ingress.mesh:8443, ca_file: /run/mesh/ca.pem }';
    report.add([...path, 'ingress'], `missing key "ingress"; ${write}`, 'key');
    return;
  }
  const names = Object.keys(mesh.ingresses ?? {});
  if (names.length === 0) {
    if (mesh.ingresses === undefined || report.touches([...path, 'ingresses'])) return;
    report.add([...path, 'ingresses'], 'no ingress; write { east: { address: east.mesh:8443, ca_file: … } }', 'key');
    return;
  }
  if (names.includes('default') || names.some((name) => report.has([...path, 'ingresses', name]))) return;
  for (const [name, service] of entriesOf(services)) {
    if (isDirect(service) || ingressNameOf(service) !== 'default' || report.touches(['services', name])) continue;
    report.lack('ingress');
    const message = `missing key "ingress"; write ingress: ${oneOf(names)}, or call one of them default`;
    report.add(['services', name, 'ingress'], message, 'key');
  }
}

function checkIngress(report: Report, path: Path, ingress: DraftIngress): void {
  if (ingress.address === undefined || writes(ingress, 'server_name')) return;
  const { host } = hostPort(ingress.address, 443);
  if (!needsServerName(host)) return;
  const message = 'missing key "server_name"; write the DNS name in the ingress’s certificate';
  report.add([...path, 'server_name'], message, 'key');
}

/** Checks that the gateway signs assertions if the ingress has a key set to verify them. */
function checkAssertion(report: Report, { gateway }: DraftPolicy, at: Path, { own }: DraftIngress): void {
  if (!own || !writes(own, 'assertion_jwks_file') || writes(gateway ?? {}, 'assertion')) return;
  const path = [...at, 'own', 'assertion_jwks_file'];
  report.add(path, 'no effect: the gateway signs nothing; write gateway.assertion, or remove this', 'key');
}

function checkFiles(report: Report, path: Path, identity: object): void {
  if (report.touches(path)) return;
  const both = ['pem_file', 'svid_dir'].filter((key) => writes(identity, key));
  const pem = both[0];
  const cert = writes(identity, 'cert_file');
  const key = writes(identity, 'key_file');
  if (pem && (cert || key || both[1])) {
    const idle = both[1] ?? (cert ? 'cert_file' : 'key_file');
    report.add([...path, idle], `${pem} has both already; remove it`, 'key');
  } else if (!pem && !(cert && key)) {
    const what = cert ? 'key_file' : key ? 'cert_file' : 'pem_file';
    const write =
      cert || key ? 'its absolute path' : 'one file with certificate and key (or svid_dir, or cert_file and key_file)';
    report.add([...path, what], `missing key "${what}"; write ${write}`, 'key');
  }
}
