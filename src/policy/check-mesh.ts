import { type DraftPolicy, entriesOf, needsDefault, needsServerName, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { hostPort } from './units.ts';

/** The ingress can be verified, and each identity is one certificate of the trust domain. */
export function checkMesh(report: Report, draft: DraftPolicy): void {
  const { mesh } = draft;
  if (!mesh || report.has(['mesh'])) return;
  checkIngress(report, draft);
  const seen = new Map<string, string>();
  for (const [name, identity] of entriesOf(mesh.identities)) {
    const path = ['mesh', 'identities', name];
    checkFiles(report, path, identity);
    const { spiffe } = identity;
    if (spiffe === undefined) continue;
    const domain = spiffe.split('/')[2];
    const other = seen.get(spiffe);
    if (mesh.trust_domain !== undefined && domain !== mesh.trust_domain) {
      const better = spiffe.replace(`//${domain}`, `//${mesh.trust_domain}`);
      report.add([...path, 'spiffe'], `not in the trust domain ${quote(mesh.trust_domain)}; write ${quote(better)}`);
    } else if (other !== undefined) {
      report.add(
        [...path, 'spiffe'],
        `identity ${quote(other)} has this SPIFFE id already; write another, or use that one`,
      );
    }
    seen.set(spiffe, name);
  }
  const lacksDefault = mesh.identities && !writes(mesh.identities, 'default') && needsDefault(draft);
  if (lacksDefault && !Object.keys(mesh.identities ?? {}).some((name) => report.has(['mesh', 'identities', name]))) {
    const message = 'missing key "default"; write default: { spiffe: …, pem_file: … }, or "as" in every rule';
    report.add(['mesh', 'identities', 'default'], message, 'key');
  }
}

function checkIngress(report: Report, { mesh }: DraftPolicy): void {
  const ingress = mesh?.ingress;
  if (ingress?.address === undefined || writes(ingress, 'server_name')) return;
  const { host } = hostPort(ingress.address, 443);
  if (!needsServerName(host)) return;
  const message = 'missing key "server_name"; write the DNS name in the ingress’s certificate';
  report.add(['mesh', 'ingress', 'server_name'], message, 'key');
}

function checkFiles(report: Report, path: Path, identity: object): void {
  if (report.touches(path)) return;
  const pem = writes(identity, 'pem_file');
  const cert = writes(identity, 'cert_file');
  const key = writes(identity, 'key_file');
  if (pem && (cert || key)) {
    report.add([...path, cert ? 'cert_file' : 'key_file'], 'pem_file holds both already; remove it', 'key');
  } else if (!pem && !(cert && key)) {
    const what = cert ? 'key_file' : key ? 'cert_file' : 'pem_file';
    const write = cert || key ? 'its absolute path' : 'one file with certificate and key (or cert_file and key_file)';
    report.add([...path, what], `missing key "${what}"; write ${write}`, 'key');
  }
}
