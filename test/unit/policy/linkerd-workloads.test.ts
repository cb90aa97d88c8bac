import { describe, expect, test } from 'vitest';
import type { Service } from '../../../src/policy/checked/types.ts';
import { clusterAddress, workloadOf } from '../../../src/policy/checked/workload.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const WIKI = 'authority: confluence.wiki.svc.cluster.local:8090, namespace: wiki, labels: { app: a }, port: 8090';

const parse = (ingress: string, service = `${WIKI}, service_account: confluence`, kind = 'linkerd') =>
  policyOf(`ingress: { ca_file: /run/anchors.pem${ingress} }`, service, kind);

const several = (service: string) => policyOf('ingresses: { east: { ca_file: /run/anchors.pem } }', service, 'linkerd');

const policyOf = (ingress: string, service: string, kind: string) =>
  parsePolicy(
    `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
mesh:
  kind: ${kind}
  trust_domain: cluster.local
  ${ingress}
  identities: { default: { spiffe: spiffe://cluster.local/ns/edge/sa/gateway, pem_file: /run/gateway.pem } }
services: { wiki: { ${service} } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }
`,
    'p.yaml',
  );

describe('a Linkerd workload with a service account', () => {
  test('needs no ingress: nginx connects to its address, and verifies its name in Linkerd with the trust anchors', () => {
    const { policy, errors } = parse('');
    expect(errors.map(formatError)).toEqual([]);
    expect(workloadOf(policy!.mesh!, policy!.services.wiki!)).toMatchObject({
      host: 'confluence.wiki.svc.cluster.local',
      port: 8090,
      serverName: 'confluence.wiki.serviceaccount.identity.linkerd.cluster.local',
      caFile: '/run/anchors.pem',
    });
  });

  test('has an endpoint, if nginx reaches it at another address than its authority', () => {
    const { policy } = parse('', `${WIKI}, service_account: confluence, endpoint: "10.0.0.7:443"`);
    expect(workloadOf(policy!.mesh!, policy!.services.wiki!)).toMatchObject({ host: '10.0.0.7', port: 443 });
  });
});

test.each([
  [
    'an address of an ingress that no service uses',
    parse(', address: "ingress.edge:8443"'),
    'mesh.ingress.address: no effect: each service has a service_account, so nginx connects to no ingress; remove it',
  ],
  [
    'an ingress that is not named, for a service that uses it',
    parse(', service_account: ingress, namespace: edge', WIKI),
    'mesh.ingress.address: missing key "address": write a name or address and a port, as in ingress.mesh:8443; or write the service_account of each service, and nginx connects to the workloads themselves',
  ],
  [
    'an ingress whose service account is not known',
    parse(', address: "ingress.edge:8443"', WIKI),
    'mesh.ingress.service_account: missing key "service_account": workloads accept only the service account of the meshed ingress; write it, as in ingress; or write the service_account of each service, and nginx connects to the workloads themselves',
  ],
  [
    'an ingress of a workload to which nginx connects itself',
    several(`${WIKI}, service_account: confluence, ingress: east`),
    'services.wiki.ingress: no effect: with service_account, nginx connects to the workload itself; remove one of the two',
  ],
  [
    'a service account in another mesh',
    parse(', address: "ingress.edge:8443"', 'authority: a.mesh, service_account: confluence', 'envoy'),
    'services.wiki.service_account: no effect: nginx reaches only workloads of Linkerd without an ingress; remove it',
  ],
  [
    'an ingress without an address in another mesh',
    parse('', 'authority: a.mesh', 'envoy'),
    'mesh.ingress.address: missing key "address"; write a name or address and a port, as in ingress.mesh:8443',
  ],
] as const)('reports %s', (_, { errors }, expected) => {
  expect(errors.map(formatError).map((it) => it.replace(/^\S+ /, ''))).toEqual([expected]);
});

test.each([
  ['confluence', 'confluence.wiki.svc.cluster.local:80'],
  ['confluence.wiki', 'confluence.wiki.svc.cluster.local:80'],
  ['Confluence.wiki.svc', 'confluence.wiki.svc.cluster.local:80'],
  ['confluence.wiki.svc:8090', 'confluence.wiki.svc.cluster.local:8090'],
  ['confluence.wiki.svc.k8s.example.org', 'confluence.wiki.svc.k8s.example.org:80'],
  ['wiki.example.com', 'wiki.example.com:80'],
])('%s is %s for a proxy in ingress mode', (authority, expected) => {
  const endpoint = { host: authority.replace(/:.*/, ''), port: 80 };
  expect(clusterAddress({ authority, endpoint, namespace: 'wiki' } as Service)).toBe(expected);
});
