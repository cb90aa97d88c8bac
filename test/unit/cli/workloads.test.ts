/** Services to whose workloads nginx connects itself, in the commands that say or compare how it reaches a service. */
import { expect, test } from 'vitest';
import { meshgate } from './fake.ts';

const INGRESS = 'address: "ingress.mesh:8443", namespace: edge, service_account: ingress, ';

const policyOf = ({ account = 'wiki', ingress = '', search = 'service_account: search' } = {}) => `version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: "https://login.example.com", audiences: [wiki] } }
roles: { staff: { group: staff } }
mesh:
  kind: linkerd
  trust_domain: example.org
  ingress: { ${ingress}ca_file: /ca.pem }
  identities: { default: { spiffe: spiffe://example.org/ns/edge/sa/gateway, pem_file: /gateway.pem } }
services:
  wiki: { authority: "wiki.apps.svc:8090", namespace: apps, labels: { app: wiki }, port: 8090, service_account: ${account} }
  search: { authority: search.apps.svc, namespace: apps, labels: { app: search }, port: 8090, ${search} }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
    /search/*: { service: search, allow: [staff] }
tests:
  - { as: { roles: [staff] }, GET: "https://wiki.example.com/x", expect: allowed }
`;

const run = (args: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  meshgate(args, {
    files: { 'p.yaml': policyOf(), '/ca.pem': 'CA', '/gateway.pem': 'CERT', ...files },
    ask: () => Promise.resolve({ status: 200, headers: {}, body: '' }),
  });

test('explain says that nginx connects to the workloads, and where', async () => {
  const args = ['explain', '--as', 'staff', '--policy', 'p.yaml', 'GET', 'https://wiki.example.com/x'];
  expect((await run(args)).out).toContain('service   wiki, at its workloads, wiki.apps.svc:8090 (wiki.apps.svc:8090)');
});

test.each([
  ['its workloads have another service account', policyOf({ account: 'other' })],
  ['an ingress leads to it from now on', policyOf({ ingress: INGRESS, search: 'protocol: http1' })],
])('prove: two policies differ if nginx reaches a service in another way: %s', async (_, text) => {
  const { code, out } = await run(['prove', 'p.yaml', 'new.yaml'], { 'new.yaml': text });
  expect(out).toContain('p.yaml and new.yaml differ');
  expect(code).toBe(1);
});

test('test --mesh says that there is no ingress to which it could send the tests', async () => {
  const { code, err } = await run(['test', '--mesh', 'localhost:10443', 'p.yaml']);
  expect([code, err]).toEqual([2, expect.stringContaining('the mesh has no ingress')]);
});

test('test --mesh sends an ingress no test of a service to whose workloads nginx connects', async () => {
  const { out } = await run(['test', '--mesh', 'localhost:10443', 'p.yaml'], {
    'p.yaml': policyOf({ ingress: INGRESS, search: 'protocol: http1' }),
  });
  expect(out).toContain('nginx connects to the workloads of its service themselves');
});
