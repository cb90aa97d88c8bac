/** Services with several ingresses, on real Envoys: one ingress dies under load, and the requests go on to the others. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Envoy,
  type Gateway,
  ready,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  until,
} from '../harness/index.ts';

const stage = await testStage('failover');
// The name of the west ingress has a second address, at which nothing listens.
const [wiki, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki', aliases: ['west.mesh'] }),
  startIssuer(stage),
]);
const acme = await issuers.create('acme');
const spiffe = (name: string) => `spiffe://example.org/ns/edge/sa/${name}`;
const ingress = (name: string) =>
  `${name}: { address: "${name}.mesh:8443", server_name: door.mesh, ca_file: /run/mesh/ca.pem, own: { cert_file: /run/own/tls.crt, key_file: /run/own/tls.key, client_ca_file: /run/own/ca.pem, listen: 8443 } }`;
const policy = `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  assertion: { issuer: https://gateway.test, keys_file: /run/keys/assertion.jwks }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
  beta: { group: beta }
mesh:
  kind: envoy
  trust_domain: example.org
  ingresses:
    ${ingress('east')}
    ${ingress('west')}
    ${ingress('standby')}
    gone: { address: "wiki:1", server_name: door.mesh, ca_file: /run/mesh/ca.pem }
  identities:
    default: { spiffe: "${spiffe('gateway')}", pem_file: /run/mesh/gateway.pem }
    beta: { spiffe: "${spiffe('beta')}", pem_file: /run/mesh/beta.pem }
services:
  wiki: { authority: wiki.mesh, endpoint: "wiki:8080", ingresses: [{ name: east, weight: 3 }, west, { name: standby, backup: true }] }
  half: { authority: half.mesh, endpoint: "wiki:8080", ingresses: [{ name: gone, weight: 100 }, east] }
  slow: { authority: slow.mesh, endpoint: "wiki:8080", ingresses: [east, standby] }
  lost: { authority: lost.mesh, endpoint: "wiki:8080", ingresses: [gone] }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [{ role: beta, as: beta }, staff] }
    /half/*: { service: half, allow: [staff] }
    /slow/*: { service: slow, allow: [staff], proxy: { read_timeout: 1s } }
    /lost/*: { service: lost, allow: [staff] }
`;
const [east, west, standby] = (await Promise.all(
  ['east', 'west', 'standby'].map((name) => startEnvoy(stage, { policy, ingress: name, killable: true })),
)) as [Envoy, Envoy, Envoy];
const gateway: Gateway = await startGateway(stage, { policy, workers: 2 });
const sign = (...groups: string[]) => acme.sign({ aud: 'wiki', sub: 'ada', groups });
const [staff, beta] = [await sign('staff'), await sign('beta')];

beforeAll(() => ready(gateway, 'wiki.test', { token: staff }));

const send = (path: string, method = 'GET', token = staff) =>
  gateway.send('wiki.test', { method, path, token, ...(method === 'GET' ? {} : { body: 'x' }) });

/** The requests with a path that an ingress has logged. */
const seen = (envoy: Envoy, path: RegExp) => envoy.access().filter((line) => path.test(String(line.path)));

/** The line of the gateway's log for a path. */
const lineOf = (path: string) =>
  until(() => gateway.access().find((line) => line['url.path'] === path), { what: `the log line of ${path}` });

/** How often the service received a path. */
const received = async (path: string) => (await wiki.requests()).filter(({ url }) => url.split('?')[0] === path).length;

test('the ingresses share the requests by weight, and the backup has none', async () => {
  const answers = await Promise.all(Array.from({ length: 80 }, (_, i) => send(`/share-${i}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const counts = () => [east, west, standby].map((envoy) => seen(envoy, /^\/share-/).length);
  await until(() => counts().reduce((sum, it) => sum + it, 0) >= 80, { what: 'a line for each of 80 requests' });
  const [atEast = 0, atWest = 0, atStandby] = counts();
  expect(atEast / atWest).toBeGreaterThan(2);
  expect(atEast / atWest).toBeLessThan(4);
  expect(atStandby).toBe(0);
});

test('a request with effects goes on if it was not sent', async () => {
  const { status } = await send('/half/post', 'POST');
  expect(status).toBe(200);
  expect(await received('/half/post')).toBe(1);
  const line = await lineOf('/half/post');
  expect(line['meshgate.ingress']).toBe('gone, east');
  expect(line['meshgate.upstream_status']).toBe('502, 200');
  expect(String(line['meshgate.upstream']).split(', ')).toEqual([`${wiki.box.host}:1`, `${east.box.host}:8443`]);
});

test('a method that no policy can name reaches no service, because nginx could send it twice', async () => {
  expect((await send('/odd', 'PURGE')).status).toBe(501);
  expect(await received('/odd')).toBe(0);
  expect((await send('/report', 'REPORT')).status).toBe(200);
});

test('if no ingress can be reached, the answer is 502 after each was tried', async () => {
  expect((await send('/lost/get')).status).toBe(502);
  const line = await lineOf('/lost/get');
  expect(line['meshgate.upstream_status']).toBe('502, 502');
});

describe('a service that does not answer in time', () => {
  const ask = (path: string, method: string) => send(`${path}?echo-hold=never`, method);

  test('receives a request with effects once', async () => {
    expect((await ask('/slow/post', 'POST')).status).toBe(504);
    expect(await received('/slow/post')).toBe(1);
  });

  test('receives an idempotent request through every ingress', async () => {
    // The request with effects has left one ingress out. In the end, nginx says that none is left.
    expect((await ask('/slow/get', 'GET')).status).toBe(502);
    const line = await lineOf('/slow/get');
    expect(line['meshgate.upstream_status']).toBe('504, 504, 504, 502');
    expect(await received('/slow/get')).toBe(3);
  });

  test('does not cut off the others: with all ingresses left out, nginx uses them all the same', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => send(`/slow/after-${i}`)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
});

test('under load an ingress dies: no idempotent request fails, and no request with effects is sent twice', async () => {
  await wiki.clear();
  const agent = gateway.keepAlive('wiki.test', 8);
  const answers: { readonly path: string; readonly method: string; readonly status: number }[] = [];
  let stopped = false;
  const load = Array.from({ length: 8 }, async (_, n) => {
    for (let i = 0; !stopped; i++) {
      const who = (n + i) % 2 === 0 ? 'staff' : 'beta';
      const method = ['GET', 'POST', 'PUT'][i % 3]!;
      const path = `/${who}-load-${n}-${i}`;
      const sent = {
        method,
        path,
        token: who === 'beta' ? beta : staff,
        agent,
        ...(method !== 'GET' && { body: 'x' }),
      };
      answers.push({ path, method, status: (await gateway.send('wiki.test', sent)).status });
    }
  });
  await until(() => answers.length >= 300, { what: '300 answers before the ingress dies' });
  await east.kill();
  const before = answers.length;
  await until(() => answers.length >= before + 300, { what: '300 answers after the ingress died' });
  stopped = true;
  await Promise.all(load);
  agent.destroy();

  const requests = await wiki.requests();
  const times = new Map<string, number>();
  for (const { url } of requests) times.set(url, (times.get(url) ?? 0) + 1);
  const [effects, idempotent] = [
    answers.filter(({ method }) => method === 'POST'),
    answers.filter(({ method }) => method !== 'POST'),
  ];
  expect(idempotent.filter(({ status }) => status !== 200)).toEqual([]);
  expect(effects.filter(({ path }) => (times.get(path) ?? 0) > 1)).toEqual([]);
  for (const { path, status } of effects) {
    expect([200, 502]).toContain(status);
    if (status === 200) expect(times.get(path)).toBe(1);
  }
  // At most the requests that were on their way on the eight connections.
  expect(effects.filter(({ status }) => status !== 200).length).toBeLessThanOrEqual(8);

  for (const envoy of [east, west, standby]) {
    const lines = seen(envoy, /-load-/);
    for (const { path, downstream_peer_uri_san } of lines) {
      expect(downstream_peer_uri_san).toBe(spiffe(String(path).startsWith('/beta') ? 'beta' : 'gateway'));
    }
  }
  expect(seen(east, /-load-/).length).toBeGreaterThan(100);
  expect(seen(west, /-load-/).length).toBeGreaterThan(100);
  const lines = gateway.access().filter((line) => /-load-/.test(String(line['url.path'])));
  expect(lines.some((line) => /^\d+, 200$/.test(String(line['meshgate.upstream_status'])))).toBe(true);
});

test('the backup is used while no other ingress can be reached', async () => {
  expect(seen(standby, /^\/(share|staff|beta)/)).toEqual([]);
  await west.kill();
  for (const [method, token, as] of [
    ['GET', staff, 'gateway'],
    ['POST', beta, 'beta'],
  ] as const) {
    const path = `/backup-${method}`;
    expect((await send(path, method, token)).status).toBe(200);
    expect(await received(path)).toBe(1);
    const [line] = await until(
      () => {
        const found = seen(standby, new RegExp(path));
        return found.length > 0 && found;
      },
      { what: `a line of the backup for ${path}` },
    );
    expect(line?.downstream_peer_uri_san).toBe(spiffe(as));
  }
});
