/** Rules of one route that lead to several services: through the mesh and outside it, each with its own assertion. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import {
  gatewayCase,
  ready,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  valuesOf,
} from '../harness/index.ts';

const stage = await testStage('canary');
const [wiki, canary, old, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startEcho(stage, { alias: 'wiki-canary' }),
  startEcho(stage, { alias: 'wiki-old' }),
  startIssuer(stage),
]);
const acme = await issuers.create('acme');
const spiffe = (name: string) => `spiffe://example.org/ns/edge/sa/${name}`;
const KEYS = '/run/keys/assertion.jwks';
const policy = `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  assertion: { issuer: https://gateway.test, keys_file: ${KEYS} }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
  beta: { group: beta }
  legacy: { group: legacy }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/ca.pem, listen: 8443 }
  identities:
    default: { spiffe: "${spiffe('gateway')}", pem_file: /run/mesh/gateway.pem }
    wiki-beta: { spiffe: "${spiffe('wiki-beta')}", pem_file: /run/mesh/wiki-beta.pem }
services:
  wiki: { authority: wiki.mesh, endpoint: "wiki:8080" }
  wiki-canary: { authority: canary.mesh, endpoint: "wiki-canary:8080" }
  wiki-old: { insecure_url: "http://wiki-old:8080", authority: old.example.com }
hosts:
  wiki.test:
    /*:
      service: wiki
      allow:
        - { role: beta, service: wiki-canary, as: wiki-beta }
        - { role: legacy, service: wiki-old, methods: [GET] }
        - staff
`;
const keys = await newSigningKeys(Date.now() / 1000);
const [envoy, gateway] = await Promise.all([
  startEnvoy(stage, { policy, alias: 'ingress.mesh' }),
  startGateway(stage, { policy, files: { [KEYS]: keys } }),
]);
const setup = { gateway, echoes: [wiki, canary, old] };
const sign = (...groups: string[]) => acme.sign({ aud: 'wiki', sub: 'ada', groups });
const [staff, beta, legacy, withoutRole] = [
  await sign('staff'),
  await sign('beta', 'staff'),
  await sign('legacy', 'staff'),
  await sign(),
];

beforeAll(() => ready(gateway, 'wiki.test', { token: staff }));

const roads = [
  { who: 'staff', token: staff, service: 'wiki', host: 'wiki.mesh', as: 'default', rule: 3 },
  { who: 'beta', token: beta, service: 'wiki-canary', host: 'canary.mesh', as: 'wiki-beta', rule: 1 },
  { who: 'legacy', token: legacy, service: 'wiki-old', host: 'old.example.com', as: '', rule: 2 },
] as const;

describe('sends each caller to the service of the first matching rule', () => {
  for (const { who, token, service, host, as, rule } of roads) {
    gatewayCase(setup, {
      name: `${who} to ${service}`,
      host: 'wiki.test',
      request: { path: '/page', token },
      status: 200,
      upstream: { service, headers: { Host: host, 'X-Meshgate-Rule': `wiki.test/*#${rule}` } },
      log: { fields: { 'meshgate.service': service, 'meshgate.identity': as } },
    });

    test(`${who}: the assertion is for ${service} and names the identity of the connection`, async () => {
      const echo = [wiki, canary, old].find((it) => it.box.alias === service)!;
      await echo.clear();
      const mark = envoy.box.logs.mark();
      expect((await gateway.send('wiki.test', { path: `/of-${who}`, token })).status).toBe(200);
      const [request] = await echo.requests();
      const claims = decodeJwt(valuesOf(request!, 'X-Meshgate-Assertion')[0]!);
      expect([claims.aud, claims.as ?? '']).toEqual([service, as]);
      if (as === '') return;
      await envoy.box.logs.waitFor(new RegExp(`/of-${who}"`), mark);
      const line = envoy.access(mark).find((it) => it.path === `/of-${who}`);
      expect(line?.downstream_peer_uri_san).toBe(spiffe(as === 'default' ? 'gateway' : as));
    });
  }

  gatewayCase(setup, {
    name: 'a rule that does not match by its method leaves the request to the next',
    host: 'wiki.test',
    request: { method: 'POST', path: '/page', token: legacy, body: 'x' },
    status: 200,
    upstream: { service: 'wiki', headers: { Host: 'wiki.mesh' } },
  });

  gatewayCase(setup, {
    name: 'a caller without a matching rule reaches none of them',
    host: 'wiki.test',
    request: { path: '/page', token: withoutRole },
    status: 403,
    reason: 'role_missing',
    log: { fields: { 'meshgate.service': 'wiki-canary' } },
  });

  gatewayCase(setup, {
    name: 'an anonymous caller: the log names the route’s service',
    host: 'wiki.test',
    request: { path: '/page', token: 'a.b.c' },
    status: 401,
    reason: 'token_malformed',
    log: { fields: { 'meshgate.service': 'wiki' } },
  });
});

describe('the ingress accepts for each authority only the identities of its own rules', () => {
  test.each([
    ['wiki.mesh', 'gateway', 200],
    ['wiki.mesh', 'wiki-beta', 403],
    ['canary.mesh', 'wiki-beta', 200],
    ['canary.mesh', 'gateway', 403],
    ['old.example.com', 'gateway', 403],
  ])('%s as %s: %i', async (authority, identity, status) => {
    const { pem } = await stage.meshCa.client(spiffe(identity));
    expect((await envoy.send(pem, authority, { path: '/page' })).status).toBe(status);
  });
});
