import { isWildcard } from '../../base/host-name.ts';
import type { BoundBy } from '../facts/bound.ts';
import { DEFAULTS } from '../forms/bounds.ts';
import { quote } from '../forms/path.ts';
import { seconds } from '../forms/units.ts';
import { type DraftPolicy, entriesOf, writes } from '../read/draft.ts';
import type { Report } from '../read/report.ts';

/** Checks times and ports. */
export function checkGateway(report: Report, draft: DraftPolicy): void {
  const { gateway } = draft;
  if (gateway?.keys) checkStale(report, gateway.keys);
  checkIssuer(report, draft);
  if (gateway) checkHealth(report, gateway);
}

/** Rejects a provider that has the issuer of the gateway, because it could issue assertions. */
function checkIssuer(report: Report, { gateway, providers }: DraftPolicy): void {
  const issuer = gateway?.assertion?.issuer;
  const [name] = entriesOf(providers).find(([, provider]) => issuer !== undefined && provider.issuer === issuer) ?? [];
  if (name === undefined) return;
  const message = `provider ${quote(name)} has this issuer; write a URL of the gateway itself, as in https://wiki.example.com`;
  report.add(['gateway', 'assertion', 'issuer'], message);
}

function checkHealth(report: Report, gateway: DraftGateway): void {
  const listen = gateway.health?.listen;
  if (listen === undefined) return;
  const port = Number(String(listen).split(':').at(-1));
  const taken = port === (gateway.listen ?? DEFAULTS.listen);
  const inner = gateway.inner && port === (gateway.inner.listen ?? DEFAULTS.innerListen);
  if (!taken && !inner) return;
  const by = taken ? 'gateway.listen' : 'gateway.inner.listen';
  report.add(['gateway', 'health', 'listen'], `${by} has port ${port}; write another, as in 127.0.0.1:8081`);
}

/** The gateway must use provider keys at least until it fetches them again. */
function checkStale(report: Report, { refresh = '5m', stale }: NonNullable<DraftGateway['keys']>): void {
  if (stale === undefined || seconds(stale) >= seconds(refresh)) return;
  report.add(['gateway', 'keys', 'stale'], `${stale} is shorter than refresh; write at least ${seconds(refresh)}s`);
}

type DraftGateway = NonNullable<DraftPolicy['gateway']>;

export function checkProof(report: Report, draft: DraftPolicy): void {
  const { gateway } = draft;
  if (!gateway || !writes(gateway, 'proof')) return;
  checkUse(report, draft);
}

/** Returns what the policy lacks to accept tokens that are bound in this way; undefined if it lacks nothing. */
export function wantsProofs(report: Report, { gateway, hosts }: DraftPolicy, value: BoundBy): string | undefined {
  if (report.touches(['gateway']) || report.has(['gateway', 'proof'])) return undefined;
  const proofs = gateway !== undefined && writes(gateway, 'proof');
  const certificates = [gateway, ...entriesOf(hosts).map(([, host]) => host)].some(
    (it) => it?.tls !== undefined && writes(it.tls, 'client_ca_file'),
  );
  if (value !== 'certificate' && proofs) return undefined;
  if (value !== 'dpop' && certificates) return undefined;
  return value === 'certificate'
    ? 'the gateway accepts no client certificates; write tls: { client_ca_file: … } under gateway'
    : `the gateway accepts no proofs; write proof: { rate: ${DEFAULTS.proofRate}/s } under gateway`;
}

/** Reports proofs that have no effect: the gateway accepts no tokens unless a provider has audiences. */
function checkUse(report: Report, draft: DraftPolicy): void {
  if (report.touches(['providers']) || report.touches(['gateway', 'proof'])) return;
  const providers = entriesOf(draft.providers);
  const taken = providers.some(
    ([name, it]) => report.touches(['providers', name]) || writes(it, 'audiences', 'insecure_any_audience'),
  );
  if (taken || providers.length === 0) return;
  const message = 'no effect without tokens, which need audiences; add audiences to a provider, or remove this';
  report.key(['gateway', 'proof'], message);
}

const PATH = ['gateway', 'audit'];

/** Checks the files of the sealed log, its name and its witnesses. */
export function checkAudit(report: Report, draft: DraftPolicy): void {
  const audit = draft.gateway?.audit;
  if (audit === undefined) return;
  const { log = DEFAULTS.auditLog, folder = DEFAULTS.auditFolder, witnesses = [] } = audit;
  if (log.startsWith('/dev/')) {
    const message = `the sealer cannot read ${log}; write a file, as in ${DEFAULTS.auditLog}`;
    report.add([...PATH, 'log'], message);
  } else if (`${log}/`.startsWith(`${folder}/`)) {
    const key = writes(audit, 'log') ? 'log' : 'folder';
    report.add(
      [...PATH, key],
      `the log is in the folder of the sealed log; write another place, as in ${DEFAULTS.auditLog}`,
    );
  }
  for (const [i, one] of witnesses.entries()) {
    if (one?.url?.startsWith('http:') && writes(one, 'ca_file'))
      report.key([...PATH, 'witnesses', i, 'ca_file'], 'no effect: plain http has no certificate; remove it');
  }
  const names = entriesOf(draft.hosts).map(([name]) => name);
  if (writes(audit, 'host') || report.touches(['hosts']) || names.some((name) => !isWildcard(name))) return;
  const [first = ''] = names;
  const write = `host: gateway${first.slice(1) || '.example.com'}`;
  report.key(
    PATH,
    `the log has no name, because ${names.length > 0 ? `${quote(first)} is a wildcard` : 'there are no hosts'}; write ${write}`,
  );
}
