import { DEFAULTS } from './bounds.ts';
import { type DraftPolicy, entriesOf, writes } from './draft.ts';
import type { BoundBy } from './facts/bound.ts';
import type { Report } from './report.ts';

type DraftGateway = NonNullable<DraftPolicy['gateway']>;

/** Checks the settings of proofs, and that the gateway accepts tokens at all. */
export function checkProof(report: Report, draft: DraftPolicy): void {
  const { gateway } = draft;
  if (gateway && writes(gateway, 'proof')) {
    checkKeys(report, gateway);
    checkUse(report, draft);
  }
}

/**
 * Says what the policy lacks so that the gateway could accept a token that is bound in this way.
 *
 * @param value how the token must be bound
 * @returns undefined if nothing is missing
 */
export function wantsProofs(report: Report, { gateway, hosts }: DraftPolicy, value: BoundBy): string | undefined {
  if (report.touches(['gateway']) || report.has(['gateway', 'proof'])) return undefined;
  const proofs = gateway !== undefined && writes(gateway, 'proof');
  const certificates = [gateway, ...entriesOf(hosts).map(([, host]) => host)].some(
    (it) => it?.tls !== undefined && writes(it.tls, 'client_ca_file'),
  );
  if (value !== 'certificate' && proofs) return undefined;
  if (value !== 'dpop' && certificates) return undefined;
  const write = { dpop: `proof: { rate: ${DEFAULTS.proofRate}/s }`, certificate: 'tls: { client_ca_file: … }' };
  if (value === 'certificate')
    return `no certificates of clients are accepted; write ${write.certificate} under gateway`;
  return `no proofs are accepted; write ${write.dpop} under gateway`;
}

function checkKeys(report: Report, { proof }: DraftGateway): void {
  if (proof === undefined || report.touches(['gateway', 'proof'])) return;
  const path = ['gateway', 'proof'];
  if (writes(proof, 'keys_file') && !writes(proof, 'nonce')) {
    const message = 'no effect without nonce: the keys are for nonces; write nonce: true, or remove this';
    report.add([...path, 'keys_file'], message, 'key');
  }
}

/** Checks that at least one provider has audiences. Otherwise the gateway accepts no tokens, and the settings of proofs
 * have no effect. */
function checkUse(report: Report, draft: DraftPolicy): void {
  if (report.touches(['providers']) || report.touches(['gateway', 'proof'])) return;
  const providers = entriesOf(draft.providers);
  const taken = providers.some(
    ([name, it]) => report.touches(['providers', name]) || writes(it, 'audiences', 'insecure_any_audience'),
  );
  if (taken || providers.length === 0) return;
  const message = 'no effect: no provider has audiences, so no tokens are accepted; add some to one, or remove this';
  report.add(['gateway', 'proof'], message, 'key');
}
