import { TO_CHECK } from '../../internal-headers.ts';
import { PROOF_BURST_S, PROOF_BYTES } from '../../limits.ts';
import type { Policy } from '../../policy/types.ts';
import { commented, type Directive, line, variable } from './directive.ts';
import type { Scene } from './scene.ts';

/** Sends the headers about a proof to the check. If a client sends a header twice, the check gets one header, with both
 * values joined by a comma. */
export function proofHeaders({ policy }: Pick<Scene, 'policy'>): readonly Directive[] {
  if (policy.gateway.proof === undefined) return [];
  return [
    line('proxy_set_header', 'DPoP', variable('http_dpop')),
    line('proxy_set_header', TO_CHECK.uri, variable('request_uri')),
  ];
}

export const givesNonces = ({ policy }: Pick<Scene, 'policy'>): boolean => policy.gateway.proof?.nonce === true;

/** The header with the nonce for a client's next proof (RFC 9449 section 8). */
export function nonceHeader(scene: Pick<Scene, 'policy'>): readonly Directive[] {
  if (!givesNonces(scene)) return [];
  return [line('add_header', 'DPoP-Nonce', variable('meshgate_dpop_nonce'), 'always')];
}

const PAGE = 64 * 1024;

/** The size in bytes of the memory for all proofs that are valid at the same time. A proof is kept until it is too old,
 * and may be dated slightly in the future. */
export function proofZoneBytes({ proof, clockSkew }: Policy['gateway']): number {
  if (proof === undefined) return 0;
  const entries = Math.ceil(proof.rate * (proof.age + clockSkew + 1));
  return (Math.ceil((entries * PROOF_BYTES) / PAGE) + 1) * PAGE;
}

/** The size in bytes of the memory for counters, for all callers and keys that can use a proof in the time for which a
 * counter is kept. */
function keysZoneBytes({ proof }: Policy['gateway']): number {
  const entries = 2 * (proof?.rate ?? 0) * (PROOF_BURST_S + 1);
  return (Math.ceil((entries * PROOF_BYTES) / PAGE) + 1) * PAGE;
}

/** The zone of used proofs. No entry is evicted: if the zone is full, the gateway rejects proofs. */
export function proofZone({ policy }: Pick<Scene, 'policy'>): readonly Directive[] {
  const bytes = proofZoneBytes(policy.gateway);
  if (bytes === 0) return [];
  const keys = keysZoneBytes(policy.gateway);
  return [
    commented(
      'DPoP proofs that were used, and how many each caller and each key has used.',
      line('js_shared_dict_zone', `zone=meshgate_proofs:${bytes >> 10}k`, 'type=string', 'timeout=10m'),
    ),
    line('js_shared_dict_zone', `zone=meshgate_proof_keys:${keys >> 10}k`, 'type=number', 'timeout=10m', 'evict'),
  ];
}
