import { TO_CHECK } from '../../internal-headers.ts';
import { PROOF_BURST_S, PROOF_BYTES } from '../../limits.ts';
import type { Policy } from '../../policy/types.ts';
import { commented, type Directive, line, variable } from './directive.ts';
import type { Scene } from './scene.ts';

/** The headers for the check of a proof. A header that a client sends twice arrives as one, joined by a comma. */
export function proofHeaders({ policy }: Pick<Scene, 'policy'>): readonly Directive[] {
  if (policy.gateway.proof === undefined) return [];
  return [
    line('proxy_set_header', 'DPoP', variable('http_dpop')),
    line('proxy_set_header', TO_CHECK.uri, variable('request_uri')),
  ];
}

export const givesNonces = ({ policy }: Pick<Scene, 'policy'>): boolean => policy.gateway.proof?.nonce === true;

/** The nonce for a client's next proof (RFC 9449 section 8). */
export function nonceHeader(scene: Pick<Scene, 'policy'>): readonly Directive[] {
  if (!givesNonces(scene)) return [];
  return [line('add_header', 'DPoP-Nonce', variable('meshgate_dpop_nonce'), 'always')];
}

const PAGE = 64 * 1024;

/** Shared memory for all proofs that are valid at one time: each until it is too old, and some from the future. */
export function proofZoneBytes({ proof, clockSkew }: Policy['gateway']): number {
  if (proof === undefined) return 0;
  const entries = Math.ceil(proof.rate * (proof.age + clockSkew + 1));
  return (Math.ceil((entries * PROOF_BYTES) / PAGE) + 1) * PAGE;
}

/** Shared memory for the counters of all callers and keys that can use a proof while one counts. */
function keysZoneBytes({ proof }: Policy['gateway']): number {
  const entries = 2 * (proof?.rate ?? 0) * (PROOF_BURST_S + 1);
  return (Math.ceil((entries * PROOF_BYTES) / PAGE) + 1) * PAGE;
}

/** The zone of used proofs. Nothing is evicted: when it is full, proofs are refused. */
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
