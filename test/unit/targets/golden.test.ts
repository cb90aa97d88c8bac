import { compile } from '../../../src/rules/compile.ts';
import { consul } from '../../../src/targets/consul/index.ts';
import { envoy } from '../../../src/targets/envoy/index.ts';
import { istio } from '../../../src/targets/istio/index.ts';
import { linkerd } from '../../../src/targets/linkerd/index.ts';
import { JWKS } from './consul/samples.ts';
import { testGoldens } from './goldens.ts';
import { policyOf } from './istio/golden.ts';

/** The meshes; nginx's golden folders leave out what most of them share, and have a test of their own. */
const TARGETS = { consul, envoy, istio, linkerd };

for (const [target, { emit }] of Object.entries(TARGETS)) {
  testGoldens(target, (_, text) => {
    const policy = policyOf(text, 'policy.yaml');
    // Consul's proxies have the keys in an entry, unless they fetch them.
    const hasKeys = target === 'consul' && policy.mesh?.assertionCaFile === undefined;
    return emit(policy, compile(policy), hasKeys ? { assertionJwks: JWKS } : {});
  });
}
