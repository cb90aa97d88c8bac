/** Traffic that is not one request and one response of HTTP/1.1: WebSockets, events, HTTP/2 and gRPC, through the
 * mesh's ingress. */
import { request as httpsRequest } from 'node:https';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  callClient,
  callStream,
  callUnary,
  expectCleanLog,
  gatewayCase,
  ready,
  releaseStreams,
  replaceIn,
  startCalls,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('protocols');
const [wiki, calls, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startCalls(stage, 'calls'),
  startIssuer(stage),
]);
const acme = await issuers.create('acme');
const spiffe = (name: string) => `spiffe://example.org/ns/edge/sa/${name}`;
const common = `
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
  beta: { group: beta }
`;
const policy = `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key } }
${common}
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/ca.pem, listen: 8443 }
  identities:
    default: { spiffe: "${spiffe('gateway')}", pem_file: /run/mesh/gateway.pem }
    beta: { spiffe: "${spiffe('beta')}", pem_file: /run/mesh/beta.pem }
services:
  wiki: { authority: wiki.mesh, endpoint: "wiki:8080" }
  assets: { authority: assets.mesh, endpoint: "calls:8082", protocol: http2 }
  pages: { authority: pages.mesh, endpoint: "calls:50051", protocol: grpc }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff] }
    /live/*: { service: wiki, allow: [staff], proxy: { stream: true } }
    /assets/*: { service: assets, allow: [{ role: beta, as: beta }, staff] }
    /test.Echo/*: { service: pages, allow: [{ role: beta, as: beta }, staff] }
`;
const direct = `
version: 1
gateway: { insecure_http: true, listen: 8080, credential_header: X-Gateway-Authorization }
${common}
services:
  pages: { insecure_url: "http://calls:50051", protocol: grpc }
  assets: { insecure_url: "http://calls:8082", protocol: http2 }
hosts:
  wiki.test:
    /test.Echo/*: { service: pages, service_credential: { schemes: [token] }, allow: [beta, staff] }
    /assets/*: { service: assets, allow: [staff] }
`;
const [envoy, gateway, plain, dead, naked] = await Promise.all([
  startEnvoy(stage, { policy }),
  startGateway(stage, { policy }),
  startGateway(stage, { policy: direct, alias: 'plain' }),
  startGateway(stage, {
    policy: direct,
    alias: 'dead',
    mutate: (files) =>
      replaceIn(files, 'http.conf', 'server unix:/run/meshgate/check.sock', 'server unix:/run/meshgate/no.sock'),
  }),
  startGateway(stage, {
    policy: direct,
    alias: 'naked',
    // Headers that the module for HTTP/1.1 erases are not erased by the module for gRPC.
    mutate: (files) => replaceIn(files, 'erase-grpc.conf', 'grpc_set_header X-Remote-User "";', ''),
  }),
]);
const setup = { gateway, echoes: [wiki, calls] };
const host = 'wiki.test';
const sign = (...groups: string[]) => acme.sign({ aud: 'wiki', sub: 'ada', groups });
const [staff, beta, withoutRole] = [await sign('staff'), await sign('beta'), await sign()];

beforeAll(async () => {
  for (const one of [gateway, plain]) {
    await ready(one, host, { path: '/assets/x', token: staff });
  }
});

/** Headers that a client must not be able to set. */
const FORGED: readonly (readonly [string, string])[] = [
  ['X-Forwarded-User', 'root'],
  ['X-Forwarded-Roles', 'admin'],
  ['X-Remote-User', 'root'],
  ['X-Meshgate-Rule', 'mine'],
  ['X-Meshgate-Identity', 'mine'],
  ['X-Forwarded-For', '10.1.1.1'],
  ['X-Envoy-Original-Path', '/other'],
  ['L5d-Dst-Override', 'other:80'],
];
const ABSENT = ['Authorization', 'X-Remote-User', 'X-Envoy-Original-Path', 'L5d-Dst-Override'];

describe('WebSocket', () => {
  test.each(['first', 'second'])('carries a message in both directions, through the ingress (%s run)', async (run) => {
    await wiki.clear();
    const mark = await waitForWorkers(gateway, host);
    // "hello", masked with zeros (RFC 6455 section 5.2).
    const frame = Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]);
    const handshake = [
      `GET /live/${run} HTTP/1.1`,
      `Host: ${host}`,
      `Authorization: Bearer ${staff}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'X-Forwarded-User: root',
      '\r\n',
    ].join('\r\n');
    const { answers, text } = await gateway.sendRaw(host, [handshake, frame], { untilText: '\x81\x05hello' });
    expect(answers[0]?.status).toBe(101);
    expect(text.endsWith('\x81\x05hello')).toBe(true);
    const [received] = await wiki.requests();
    expect([received?.upgrade, valuesOf(received!, 'X-Forwarded-User')]).toEqual(['websocket', ['ada']]);
    // nginx writes the line when the tunnel has ended.
    await gateway.box.logs.waitFor(new RegExp(`"url.path":"/live/${run}".*"http.response.status_code":101`), mark);
    await expectCleanLog(gateway, mark, [], run);
  });
});

describe('event stream', () => {
  test.each(['first', 'second'])('arrives event by event, through the ingress (%s run)', async (run) => {
    const { host: address, port, ca } = gateway.target(host);
    let seen = '';
    let ended = false;
    const headers = { Host: host, Authorization: `Bearer ${staff}` };
    const path = `/live/x?echo-events=2&echo-hold=events-${run}`;
    httpsRequest({ host: address, port, path, ca, servername: host, agent: false, headers }, (answer) => {
      answer.setEncoding('utf8').on('data', (text: string) => {
        seen += text;
      });
      answer.on('end', () => {
        ended = true;
      });
    }).end();
    await until(() => seen.includes('data: 2\n\n'), { what: 'two events at the client' });
    expect([seen, ended, await wiki.held(`events-${run}`)]).toEqual(['data: 1\n\ndata: 2\n\n', false, 1]);
    await wiki.release(`events-${run}`);
    await until(() => ended, { what: 'the end of the answer' });
  });
});

describe('HTTP/2', () => {
  for (const { who, token, as } of [
    { who: 'staff', token: staff, as: 'default' },
    { who: 'beta', token: beta, as: 'beta' },
  ]) {
    gatewayCase(setup, {
      name: `${who}: the service is called by HTTP/2, and receives only the gateway’s headers`,
      host,
      request: { method: 'POST', path: '/assets/x?q=1', headers: FORGED, token, body: 'x' },
      status: 200,
      upstream: {
        service: 'calls',
        method: 'POST',
        url: '/assets/x?q=1',
        headers: {
          Host: 'assets.mesh',
          'X-Forwarded-User': 'ada',
          'X-Forwarded-Roles': who,
          'X-Meshgate-Route': 'wiki.test/assets/*',
          'X-Meshgate-Identity': as,
        },
        absent: ABSENT,
      },
      log: { fields: { 'meshgate.service': 'assets', 'meshgate.identity': as } },
    });
  }

  test('each identity has its own connections', async () => {
    const mark = envoy.box.logs.mark();
    const all = Array.from({ length: 100 }, (_, i) =>
      gateway.send(host, { path: `/assets/crowd-${i}`, token: i % 2 === 0 ? staff : beta }),
    );
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
    const crowd = () => envoy.access(mark).filter(({ path }) => /crowd-/.test(String(path)));
    await until(() => crowd().length >= 100, { what: 'a line of the ingress for each of 100 requests' });
    for (const { path, downstream_peer_uri_san } of crowd()) {
      const index = Number(String(path).split('-').at(-1));
      expect(downstream_peer_uri_san).toBe(spiffe(index % 2 === 0 ? 'gateway' : 'beta'));
    }
  });

  gatewayCase(setup, {
    name: 'an Upgrade header has no effect: HTTP/2 has no such header',
    host,
    request: {
      path: '/assets/x',
      token: staff,
      headers: [
        ['Host', host],
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ],
    },
    status: 200,
    upstream: { service: 'calls', absent: ['Upgrade', 'Connection'] },
  });

  gatewayCase(setup, {
    name: 'an anonymous caller',
    host,
    request: { path: '/assets/x' },
    status: 401,
    reason: 'credential_missing',
  });

  gatewayCase(
    { gateway: plain, echoes: [calls] },
    {
      name: 'without the mesh, over plain TCP',
      host,
      request: { path: '/assets/x', headers: FORGED, token: staff },
      status: 200,
      upstream: { service: 'calls', headers: { Host: host, 'X-Forwarded-User': 'ada' }, absent: ABSENT },
    },
  );
});

const clients = {
  gateway: callClient(gateway.target(host)),
  plain: callClient(plain.target(host)),
  dead: callClient(dead.target(host)),
  naked: callClient(naked.target(host)),
};
afterAll(() => {
  for (const client of Object.values(clients)) client.close();
});

function metadata(token?: string): Metadata {
  const all = new Metadata();
  for (const [name, value] of FORGED) all.set(name.toLowerCase(), value);
  all.set('x-page', 'mine');
  if (token !== undefined) all.set('authorization', `Bearer ${token}`);
  return all;
}

/** Runs a call twice, from a settled log. */
function twice(name: string, run: (mark: number, which: string) => Promise<void>): void {
  test(name, async () => {
    for (const which of ['first run', 'second run']) {
      const mark = await waitForWorkers(gateway, host);
      await calls.clear();
      await run(mark, which);
      await expectCleanLog(gateway, mark, [], which);
    }
  });
}

describe('gRPC', () => {
  for (const { who, token, as } of [
    { who: 'staff', token: staff, as: 'default' },
    { who: 'beta', token: beta, as: 'beta' },
  ]) {
    twice(`${who}: a call, with what is ours alone in its metadata`, async (mark) => {
      const ingress = envoy.box.logs.mark();
      expect(await callUnary(clients.gateway, '/test.Echo/Unary', 'hello', metadata(token))).toEqual({
        message: 'hello',
      });
      const [received] = await calls.requests();
      const values = (name: string) => valuesOf(received!, name);
      expect([values('x-forwarded-user'), values('x-forwarded-roles'), values('x-page')]).toEqual([
        ['ada'],
        [who],
        ['mine'],
      ]);
      expect([values('x-meshgate-identity'), values('x-meshgate-route')]).toEqual([[as], ['wiki.test/test.Echo/*']]);
      for (const name of ABSENT) expect(values(name), name).toEqual([]);
      // nginx's line of the call, which may come after its answer.
      const [line] = await gateway.box.logs.waitForJson(1, mark);
      expect(line).toMatchObject({
        'http.request.method': 'POST',
        'url.path': '/test.Echo/Unary',
        'http.response.status_code': 200,
        'meshgate.service': 'pages',
        'meshgate.identity': as,
        'meshgate.reason': '',
      });
      // And the line of the ingress.
      await envoy.box.logs.waitFor(/"\/test\.Echo\/Unary"/, ingress);
      const seen = envoy.access(ingress).find(({ path }) => path === '/test.Echo/Unary');
      expect([seen?.authority, seen?.downstream_peer_uri_san]).toEqual([
        'pages.mesh',
        spiffe(as === 'default' ? 'gateway' : as),
      ]);
    });
  }

  twice('a stream, message by message', async () => {
    const seen: string[] = [];
    let ended = false;
    const stream = callStream(clients.gateway, '/test.Echo/Stream', 'tick', metadata(staff));
    stream.on('data', (bytes: Buffer) => seen.push(bytes.toString()));
    stream.on('end', () => {
      ended = true;
    });
    await until(() => seen.length > 0, { what: 'the first message at the client' });
    expect([seen, ended]).toEqual([['1 tick'], false]);
    expect(await releaseStreams(calls)).toBe(1);
    await until(() => ended, { what: 'the end of the answer' });
    expect(seen).toEqual(['1 tick', '2 tick', '3 tick']);
  });

  twice('a status of the service passes as it is', async () => {
    const called = await callUnary(clients.gateway, '/test.Echo/Refuse', 'not today', metadata(staff));
    expect(called).toEqual({ code: 'FAILED_PRECONDITION', details: 'not today' });
  });

  for (const [what, token, code, reason] of [
    ['an anonymous caller', undefined, 'UNAUTHENTICATED', 'credential_missing'],
    ['a bad token', 'a.b.c', 'UNAUTHENTICATED', 'token_malformed'],
    ['no role', withoutRole, 'PERMISSION_DENIED', 'role_missing'],
  ] as const) {
    twice(`refused, ${what}: a status of gRPC, with the reason`, async (mark) => {
      const called = await callUnary(clients.gateway, '/test.Echo/Unary', 'hello', metadata(token));
      expect(called).toEqual({
        code,
        details: expect.stringMatching(new RegExp(`^${reason} \\(request [0-9a-f]{32}\\)$`)),
      });
      expect(await calls.requests()).toEqual([]);
      // nginx's line of the call, which may come after its answer.
      const [line] = await gateway.box.logs.waitForJson(1, mark);
      expect(line).toMatchObject({ 'http.route': 'wiki.test/test.Echo/*', 'meshgate.reason': reason });
    });
  }

  gatewayCase(setup, {
    name: 'a request that is not a call is refused as everywhere, on the same route',
    host,
    request: { path: '/test.Echo/Unary' },
    status: 401,
    reason: 'credential_missing',
    answer: { 'Content-Type': 'application/problem+json', 'grpc-status': null, 'WWW-Authenticate': /^Bearer/ },
  });

  gatewayCase(setup, {
    name: 'a call on another route is a request like all others',
    host,
    over: 'http2',
    request: { method: 'POST', path: '/page', headers: { 'Content-Type': 'application/grpc' }, body: 'x' },
    status: 401,
    reason: 'credential_missing',
    answer: { 'grpc-status': null },
  });

  test('passes without the mesh, by HTTP/2 over plain TCP in both directions', async () => {
    await calls.clear();
    for (const token of [staff, beta]) {
      expect(await callUnary(clients.plain, '/test.Echo/Unary', 'hello', metadata(token))).toEqual({
        message: 'hello',
      });
    }
    const received = await calls.requests();
    expect(received.map((one) => valuesOf(one, 'x-forwarded-user'))).toEqual([['ada'], ['ada']]);
    for (const name of ABSENT)
      expect(
        received.flatMap((one) => valuesOf(one, name)),
        name,
      ).toEqual([]);
  });

  test('a credential of the service arrives beside a token for the gateway, which does not arrive', async () => {
    await calls.clear();
    const both = metadata();
    both.set('authorization', 'token abc');
    both.set('x-gateway-authorization', `Bearer ${staff}`);
    expect(await callUnary(clients.plain, '/test.Echo/Unary', 'hello', both)).toEqual({ message: 'hello' });
    const [received] = await calls.requests();
    const values = (name: string) => valuesOf(received!, name);
    expect([values('authorization'), values('x-forwarded-user')]).toEqual([['token abc'], ['ada']]);
    expect(values('x-gateway-authorization')).toEqual([]);
  });

  test('without its own list of headers a forged one arrives: the other module’s list does not apply', async () => {
    await until(
      async () => 'message' in (await callUnary(clients.naked, '/test.Echo/Unary', 'hello', metadata(staff))),
      {
        what: 'the road',
      },
    );
    const received = await calls.requests();
    expect(valuesOf(received.at(-1)!, 'x-remote-user')).toEqual(['root']);
  });

  test('a check that does not answer allows no request', async () => {
    await calls.clear();
    for (const run of ['first', 'second']) {
      const called = await callUnary(clients.dead, '/test.Echo/Unary', 'hello', metadata(staff));
      expect(called, run).toEqual({
        code: 'UNAVAILABLE',
        details: expect.stringMatching(/^check_unavailable \(request /),
      });
    }
    expect(await calls.requests()).toEqual([]);
  });
});
