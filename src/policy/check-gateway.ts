import { DEFAULTS } from './bounds.ts';
import { type DraftPolicy, entriesOf, writes } from './draft.ts';
import { type Path, quote } from './path.ts';
import type { Report } from './report.ts';
import { seconds } from './units.ts';

/** Checks that the times are consistent, that the ports differ, and that the policy has no TLS keys if the gateway
 * serves plain HTTP. */
export function checkGateway(report: Report, draft: DraftPolicy): void {
  const { gateway } = draft;
  if (gateway?.keys) checkStale(report, gateway.keys);
  checkIssuer(report, draft);
  if (gateway) checkHealth(report, gateway);
  checkTls(report, ['gateway', 'tls'], gateway?.tls);
  for (const [name, host] of entriesOf(draft.hosts)) checkTls(report, ['hosts', name, 'tls'], host.tls);
  if (!gateway?.insecure_http) return;
  const idle = (path: Path) =>
    report.add(path, 'no effect: gateway.insecure_http serves plain HTTP; remove one of the two', 'key');
  if (gateway.tls) idle(['gateway', 'tls']);
  for (const [name, host] of entriesOf(draft.hosts)) if (host.tls) idle(['hosts', name, 'tls']);
}

/** Checks that a certificate has a key. If nginx already has its own certificate, the policy needs only the clients'
 * CA. */
function checkTls(report: Report, path: Path, tls: object | undefined): void {
  if (tls === undefined || report.touches(path)) return;
  const [cert, key] = [writes(tls, 'cert_file'), writes(tls, 'key_file')];
  if (cert ? key : !key && writes(tls, 'client_ca_file')) return;
  const missing = cert ? 'key_file' : 'cert_file';
  report.add([...path, missing], `missing key "${missing}"; write ${missing}: /run/secrets/name.pem`, 'key');
}

/** Rejects a provider whose issuer is the issuer of the gateway: such a provider could issue assertions. */
function checkIssuer(report: Report, { gateway, providers }: DraftPolicy): void {
  const issuer = gateway?.assertion?.issuer;
  const [name] = entriesOf(providers).find(([, provider]) => issuer !== undefined && provider.issuer === issuer) ?? [];
  if (name === undefined) return;
  const message = `provider ${quote(name)} has this issuer; write a URL of the gateway itself, as in https://wiki.example.com`;
  report.add(['gateway', 'assertion', 'issuer'], message);
}

/** Checks that each port has only one listener. */
function checkHealth(report: Report, gateway: NonNullable<DraftPolicy['gateway']>): void {
  const listen = gateway.health?.listen;
  if (listen === undefined) return;
  const port = Number(String(listen).split(':').at(-1));
  const taken = port === (gateway.listen ?? DEFAULTS.listen);
  const inner = gateway.inner && port === (gateway.inner.listen ?? DEFAULTS.innerListen);
  if (!taken && !inner) return;
  const by = taken ? 'gateway.listen' : 'gateway.inner.listen';
  report.add(['gateway', 'health', 'listen'], `${by} has port ${port}; write another, as in 127.0.0.1:8081`);
}

/** Checks `stale`: the gateway must use provider keys at least until it fetches them again. */
function checkStale(
  report: Report,
  { refresh = '5m', stale }: NonNullable<NonNullable<DraftPolicy['gateway']>['keys']>,
): void {
  if (stale === undefined || seconds(stale) >= seconds(refresh)) return;
  const message = `${stale} is too short; write at least the refresh, ${seconds(refresh)}s`;
  report.add(['gateway', 'keys', 'stale'], message);
}
