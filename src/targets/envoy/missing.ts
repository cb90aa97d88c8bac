import type { Policy } from '../../policy/types.ts';
import type { Rule } from '../../rules/types.ts';
import { meshRules } from '../indistinct.ts';

/** Why a policy says too little for Envoy; undefined if it says enough. */
export function missing(policy: Policy, rules: readonly Rule[]): string | undefined {
  if (policy.mesh === undefined) return 'the policy has no mesh, so there is nothing for Envoy to enforce';
  if (policy.mesh.ingress.own === undefined) {
    return 'Envoy needs its own side of the ingress; write mesh.ingress.own: { cert_file, key_file, client_ca_file, listen }';
  }
  if (meshRules(policy, rules).length === 0) return 'every service is reached directly, so nothing passes Envoy';
  return undefined;
}
