import { TO_CHECK } from '../../../base/internal-headers.ts';
import { PROOF_BURST_S, PROOF_BYTES } from '../../../base/limits.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import type { Context } from '../render-context.ts';
import { conf, type Directive } from '../text/directive.ts';

/** Sends the headers about a proof to the check. A repeated header is sent once, with both values joined by a comma. */
export function proofHeaders({ policy }: Pick<Context, 'policy'>): readonly Directive[] {
  if (policy.gateway.proof === undefined) return [];
  return conf`
    proxy_set_header DPoP $http_dpop;
    proxy_set_header ${TO_CHECK.uri} $request_uri;
  `;
}

export const givesNonces = ({ policy }: Pick<Context, 'policy'>): boolean => policy.gateway.proof?.nonce === true;

/** The header with the nonce for a client's next proof (RFC 9449 section 8). */
export const nonceHeader = (context: Pick<Context, 'policy'>): readonly Directive[] =>
  givesNonces(context) ? conf`add_header DPoP-Nonce $meshgate_dpop_nonce always;` : [];

const PAGE = 64 * 1024;

const zoneBytes = (entries: number): number => (Math.ceil((entries * PROOF_BYTES) / PAGE) + 1) * PAGE;

/** The size in bytes of the memory for all valid proofs, which may be dated slightly in the future. */
export function proofZoneBytes({ proof, clockSkew }: Policy['gateway']): number {
  if (proof === undefined) return 0;
  return zoneBytes(Math.ceil(proof.rate * (proof.age + clockSkew + 1)));
}

/** The zone of used proofs. No entry is evicted: if the zone is full, the gateway rejects proofs. */
export function proofZone({ policy }: Pick<Context, 'policy'>): readonly Directive[] {
  const bytes = proofZoneBytes(policy.gateway);
  if (bytes === 0) return [];
  // The counters of all callers and keys that can use a proof while a counter is kept.
  const keys = zoneBytes(2 * (policy.gateway.proof?.rate ?? 0) * (PROOF_BURST_S + 1));
  return conf`
    # DPoP proofs that were used, and how many each caller and each key has used.
    js_shared_dict_zone zone=meshgate_proofs:${bytes >> 10}k type=string timeout=10m;
    js_shared_dict_zone zone=meshgate_proof_keys:${keys >> 10}k type=number timeout=10m evict;
  `;
}
