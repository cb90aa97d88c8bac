import type { Policy } from '../../../../src/policy/checked/types.ts';

/** A random policy of test/unit/rules as one for Istio: with places, and mostly with an assertion. */
export function meshed(policy: Policy, assertion = true): Policy {
  const { mesh, services, gateway } = policy;
  const ingress = {
    ...mesh!.ingress,
    namespace: 'edge',
    labels: { istio: 'meshgate-ingress' },
    serviceAccount: 'meshgate-ingress',
  };
  return {
    ...policy,
    gateway: {
      ...gateway,
      ...(assertion && { assertion: { issuer: 'https://gw.test', keysFile: '/run/keys', lifetime: 60 } }),
    },
    mesh: { ...mesh!, kind: 'istio', ingress },
    services: Object.fromEntries(
      Object.entries(services).map(([name, service]) => [name, { ...service, namespace: name, labels: { app: name } }]),
    ),
  };
}
