/** Two ingresses of a mesh with CAs of their own: each service uses its own ingress, and no request uses the other
 * one. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  createCa,
  gatewayCase,
  ready,
  replaceIn,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('ingresses');
const [wiki, search, issuers, westCa] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startEcho(stage, { alias: 'search' }),
  startIssuer(stage),
  createCa('meshgate test mesh CA of the west'),
]);
const acme = await issuers.create('acme');
const spiffe = (name: string) => `spiffe://example.org/ns/edge/sa/${name}`;
const own = (name: string) =>
  `own: { cert_file: /run/${name}/tls.crt, key_file: /run/${name}/tls.key, client_ca_file: /run/${name}/ca.pem, listen: 8443 }`;
const policy = `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
  beta: { group: beta }
mesh:
  kind: linkerd
  trust_domain: example.org
  ingresses:
    default: { address: "east.mesh:8443", ca_file: /run/mesh/east.pem, namespace: edge, service_account: east, ${own('east')} }
    west: { address: "west.mesh:8443", ca_file: /run/mesh/west.pem, namespace: edge, service_account: west, ${own('west')} }
  identities:
    default: { spiffe: "${spiffe('gateway')}", pem_file: /run/mesh/gateway.pem }
    beta: { spiffe: "${spiffe('beta')}", pem_file: /run/mesh/beta.pem }
services:
  wiki: { authority: app.mesh, endpoint: "wiki:8080", namespace: apps, labels: { app: wiki }, port: 8080 }
  search: { authority: app.mesh, endpoint: "search:8080", ingress: west, namespace: apps, labels: { app: search }, port: 8080 }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [{ role: beta, as: beta }, staff] }
    /search/*: { service: search, allow: [{ role: beta, as: beta }, staff] }
`;
const files = { '/run/mesh/west.pem': westCa.cert };
const [east, west] = await Promise.all([
  startEnvoy(stage, { policy, ingress: 'default' }),
  startEnvoy(stage, { policy, ingress: 'west', ca: westCa }),
]);
// The gateway starts after the ingresses: nginx looks up an unknown name again only seconds later.
const gateway = await startGateway(stage, { policy, files });
const setup = { gateway, echoes: [wiki, search] };
const sign = (...groups: string[]) => acme.sign({ aud: 'wiki', sub: 'ada', groups });
const [staff, beta] = [await sign('staff'), await sign('beta')];

beforeAll(async () => {
  for (const path of ['/', '/search/']) await ready(gateway, 'wiki.test', { path, token: staff });
});

describe('each service is reached through its own ingress', () => {
  for (const { who, token, as, rule } of [
    { who: 'staff', token: staff, as: 'default', rule: 2 },
    { who: 'beta', token: beta, as: 'beta', rule: 1 },
  ]) {
    gatewayCase(setup, {
      name: `${who} to the wiki, in the east`,
      host: 'wiki.test',
      request: { path: '/page', token, headers: { 'l5d-dst-override': 'other:80' } },
      status: 200,
      upstream: {
        service: 'wiki',
        headers: {
          Host: 'app.mesh',
          'l5d-dst-override': 'wiki.apps.svc.cluster.local:8080',
          'X-Meshgate-Rule': `wiki.test/*#${rule}`,
        },
      },
      log: { fields: { 'meshgate.service': 'wiki', 'meshgate.ingress': 'default', 'meshgate.identity': as } },
    });

    gatewayCase(setup, {
      name: `${who} to the search, in the west`,
      host: 'wiki.test',
      request: { path: '/search/page', token },
      status: 200,
      upstream: { service: 'search', headers: { Host: 'app.mesh', 'X-Meshgate-Rule': `wiki.test/search/*#${rule}` } },
      log: { fields: { 'meshgate.service': 'search', 'meshgate.ingress': 'west', 'meshgate.identity': as } },
    });
  }

  test('hundreds of concurrent requests of both identities to both ingresses keep their own connections', async () => {
    const marks = [east.box.logs.mark(), west.box.logs.mark()] as const;
    const agent = gateway.keepAlive('wiki.test', 32);
    const all = Array.from({ length: 200 }, (_, i) => {
      const [path, token] = [i % 2 === 0 ? '/' : '/search/', i % 4 < 2 ? staff : beta];
      return gateway.send('wiki.test', { path: `${path}crowd-${i}`, token, agent });
    });
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
    agent.destroy();
    for (const [envoy, mark, start] of [
      [east, marks[0], /^\/crowd-/],
      [west, marks[1], /^\/search\/crowd-/],
    ] as const) {
      const crowd = () => envoy.access(mark).filter(({ path }) => /crowd-/.test(String(path)));
      await until(() => crowd().length >= 100, { what: 'a line of the ingress for each of 100 requests' });
      for (const { path, downstream_peer_uri_san } of crowd()) {
        expect(path).toMatch(start);
        const index = Number(String(path).split('-').at(-1));
        expect(downstream_peer_uri_san).toBe(spiffe(index % 4 < 2 ? 'gateway' : 'beta'));
      }
    }
  });
});

test('a certificate of another ingress’s CA is refused', async () => {
  const other = await startGateway(stage, {
    policy,
    files,
    alias: 'gateway-2',
    // Both addresses lead to the west ingress, whose certificate is for west.mesh and of another CA.
    mutate: (rendered) =>
      replaceIn(
        replaceIn(rendered, 'http.conf', 'server east.mesh:8443', 'server west.mesh:8443'),
        /^(services\/|ingress)/,
        'proxy_ssl_name east.mesh',
        'proxy_ssl_name west.mesh',
      ),
  });
  await ready(other, 'wiki.test', { path: '/search/x', token: staff });
  await search.clear();
  for (const run of ['first', 'second']) {
    const mark = await waitForWorkers(other);
    expect((await other.send('wiki.test', { path: '/page', token: staff })).status, run).toBe(502);
    await other.box.logs.waitFor(/certificate verify error/, mark);
  }
  expect(await search.requests()).toEqual([]);
});

test('a changed bundle of any ingress is loaded', async () => {
  const mark = await waitForWorkers(gateway);
  const next = await createCa('the next mesh CA of the west');
  await gateway.box.write({ '/run/mesh/west.pem': westCa.cert + next.cert });
  await gateway.box.logs.waitFor(/CA of the ingress \(\/run\/mesh\/west\.pem\): ca_changed: .* so nginx reloads/, mark);
  await gateway.box.logs.waitFor(/start worker process \d+/, mark);
  expect((await gateway.send('wiki.test', { path: '/search/x', token: staff })).status).toBe(200);
});

describe('each ingress enforces only its own rules', () => {
  test.each([
    ['east', east, '/page', 200],
    ['east', east, '/search/x', 403],
    ['west', west, '/search/x', 200],
    ['west', west, '/page', 403],
  ] as const)('%s, case %#', async (_, envoy, path, status) => {
    const { pem } = await stage.meshCa.client(spiffe('gateway'));
    expect((await envoy.send(pem, 'app.mesh', { path })).status).toBe(status);
  });
});
