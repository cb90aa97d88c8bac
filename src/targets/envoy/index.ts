import type { Policy } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { envoyGuards } from '../kit/guards.ts';
import { defineMesh } from '../kit/mesh.ts';
import { meshRules } from '../kit/rules.ts';
import { documents } from '../kit/yaml.ts';
import type { Emitted } from '../types.ts';
import { verifies } from './assertion.ts';
import { bootstrap } from './bootstrap.ts';
import { envoyDrift } from './drift.ts';
import { enforcedByEnvoy, envoyGaps, envoyToolGaps } from './gaps.ts';
import { envoyProjection, readEnvoy } from './read.ts';

/** What the policy lacks to be rendered for Envoy; undefined if it is complete. */
function missing(policy: Policy, rules: readonly Rule[]): string | undefined {
  if (policy.mesh === undefined) return 'the policy has no mesh, so there is nothing for Envoy to enforce';
  if (policy.mesh.ingress.host === '') return 'nginx connects to the workloads themselves, so there is no ingress';
  if (policy.mesh.ingress.own === undefined) {
    return 'Envoy is the ingress, and the policy lacks its own settings; write mesh.ingress.own: { cert_file, key_file, client_ca_file, listen }';
  }
  if (meshRules(policy, rules).length === 0) return 'nginx reaches every service directly, not through Envoy';
  return undefined;
}

/** Renders envoy.yaml for an Envoy that is the ingress of the mesh: listener, mTLS, rules and clusters. */
const render = (policy: Policy, rules: readonly Rule[]): Emitted => ({
  files: { 'envoy.yaml': documents([bootstrap(policy, rules)]) },
  gaps: envoyGaps(policy, rules),
});

export const envoy = defineMesh({
  name: 'envoy',
  title: 'Envoy',
  takesJwks: false,
  refuses: 'Envoy matches paths without decoding them, so it refuses a path',
  seesAssertion: (policy) => verifies(policy) !== undefined,
  missing,
  render,
  toolGaps: envoyToolGaps,
  enforces: enforcedByEnvoy,
  notEnforced: () => undefined,
  read: readEnvoy,
  project: envoyProjection,
  drift: envoyDrift,
  guards: envoyGuards,
});
