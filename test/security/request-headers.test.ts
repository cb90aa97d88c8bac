/** `request_headers`: a service receives the headers that it lists, those that always pass and those of the gateway; no
 * others. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  expectCleanLog,
  type Received,
  ready,
  startCalls,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('request-headers');
const [echo, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startIssuer(stage),
  startCalls(stage, 'calls'),
]);
const acme = await issuers.create('acme');
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  acme:
    issuer: ${acme.url}
    audiences: [wiki]
    ca_file: /run/provider/ca.pem
    client: { id: gateway }
roles:
  reader: { group: reader }
services:
  wiki: { insecure_url: "http://wiki:8080", request_headers: [Accept, Cookie, X-Own] }
  open: { insecure_url: "http://wiki:8080" }
  assets: { insecure_url: "http://calls:8082", protocol: http2, request_headers: [X-Own] }
headers:
  X-WEBAUTH-USER: subject
  X-WEBAUTH-ROLE: { first_role: { reader: Editor } }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [reader] }
    /any/*: { service: wiki, allow: [anyone] }
    /open/*: { service: open, allow: [reader] }
    /assets/*: { service: assets, allow: [reader] }
`,
});
const host = 'wiki.test';
const token = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['reader'] });

beforeAll(() => ready(gateway, host, { token }));

/** Names that are in no list of documented headers. */
const MADE_UP = ['X-WEBAUTH-SHOE-SIZE', 'Impersonate-Extra-Anything', 'X-Auth-Anything', 'Whatever', 'Accept-Language'];
const forged = MADE_UP.map((name): [string, string] => [name, 'forged']);

/** Headers of HTTP, browsers and MCP, as a client may send them. */
const MEANT: readonly (readonly [string, string])[] = [
  ['Content-Type', 'text/plain'],
  ['Content-Encoding', 'identity'],
  ['Content-Range', 'bytes 0-4/10'],
  ['If-Match', '"a"'],
  ['If-None-Match', '"b"'],
  ['If-Modified-Since', 'Fri, 27 Nov 2026 20:00:00 GMT'],
  ['If-Unmodified-Since', 'Fri, 27 Nov 2026 20:00:00 GMT'],
  ['If-Range', '"c"'],
  ['Range', 'bytes=0-4'],
  ['Origin', 'https://elsewhere.example'],
  ['Sec-Fetch-Site', 'cross-site'],
  ['Sec-Fetch-Mode', 'cors'],
  ['Sec-Fetch-Dest', 'empty'],
  ['Sec-Fetch-User', '?1'],
  ['Mcp-Protocol-Version', '2026-07-28'],
  ['Mcp-Method', 'tools/call'],
  ['Mcp-Name', 'search'],
];

/** The gateway's headers for every service. */
const OWN = [
  ...['host', 'content-length', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
  ...['x-forwarded-port', 'x-request-id', 'traceparent', 'x-meshgate-route', 'x-meshgate-rule'],
];

const namesOf = ({ headers }: Received) => headers.map(([name]) => name.toLowerCase()).sort();

async function received(path: string, headers: readonly (readonly [string, string])[], known = true) {
  await echo.clear();
  const answer = await gateway.send(host, {
    method: 'POST',
    path,
    headers: [['Host', host], ...headers],
    body: 'hello',
    ...(known && { token }),
  });
  expect(answer.status).toBe(200);
  return (await echo.requests())[0] as Received;
}

describe('a service that lists its request headers', () => {
  test('receives these, the headers of HTTP itself, and those of the gateway; no others', async () => {
    const mark = await waitForWorkers(gateway);
    const listed = [
      ['Accept', 'text/html'],
      ['X-Own', 'mine'],
    ] as const;
    const request = await received('/x', [...forged, ...listed, ...MEANT]);
    const all = [...OWN, 'x-webauth-user', 'x-webauth-role', ...[...listed, ...MEANT].map(([name]) => name)];
    expect(namesOf(request)).toEqual(all.map((name) => name.toLowerCase()).sort());
    for (const [name, value] of [...listed, ...MEANT]) expect([name, valuesOf(request, name)]).toEqual([name, [value]]);
    expect(valuesOf(request, 'X-WEBAUTH-USER')).toEqual(['ada']);
    expect(request.body?.text).toBe('hello');
    await expectCleanLog(gateway, mark);
  });

  test('receives none of them from an anonymous caller either', async () => {
    const request = await received('/any/x', [...forged, ['X-WEBAUTH-USER', 'forged']], false);
    expect(namesOf(request)).toEqual([...OWN, 'x-meshgate-erased'].sort());
    expect(valuesOf(request, 'X-Meshgate-Erased')).toEqual(['X-WEBAUTH-USER']);
  });

  test('receives a listed header that is sent twice as one list', async () => {
    const request = await received('/x', [
      ['X-Own', 'one'],
      ['X-Own', 'two'],
    ]);
    expect(valuesOf(request, 'X-Own')).toEqual(['one, two']);
  });

  test('receives cookies, if it lists them, without those of the gateway', async () => {
    const cookies = '__Host-Http-meshgate=gone; app=kept; __Host-Http-meshgate-a1=gone';
    expect(valuesOf(await received('/any/x', [['Cookie', cookies]], false), 'Cookie')).toEqual(['app=kept']);
  });

  test('receives a body without a length', async () => {
    await echo.clear();
    const { answers } = await gateway.sendRaw(host, [
      `POST /x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '5\r\nhello\r\n0\r\n\r\n',
    ]);
    expect(answers[0]?.status).toBe(200);
    expect((await echo.requests())[0]?.body?.text).toBe('hello');
  });

  test('opens WebSockets', async () => {
    await echo.clear();
    const { answers } = await gateway.sendRaw(
      host,
      [
        'GET /x HTTP/1.1',
        `Host: ${host}`,
        `Authorization: Bearer ${token}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol: chat',
        'Whatever: forged',
        '\r\n',
      ].join('\r\n'),
    );
    expect(answers[0]?.status).toBe(101);
    const [request] = (await echo.requests()) as [Received];
    expect([request.upgrade, valuesOf(request, 'Whatever')]).toEqual(['websocket', []]);
  });

  test('receives the same over HTTP/2, from the client and to the service', async () => {
    const headers = [...forged, ['X-Own', 'mine']].map(([name = '', value = '']): [string, string] => [
      name.toLowerCase(),
      value,
    ]);
    const [answer] = await gateway.sendHttp2(host, {
      method: 'POST',
      path: '/assets/x',
      headers,
      token,
      body: 'hello',
    });
    expect(answer?.status).toBe(200);
    const names = namesOf(answer?.json());
    expect(names).toEqual(expect.arrayContaining(['x-own', 'x-webauth-user', 'content-length']));
    expect(names.filter((name) => MADE_UP.some((it) => it.toLowerCase() === name))).toEqual([]);
  });
});

test('a service without a list receives all headers that no rule erases', async () => {
  expect(namesOf(await received('/open/x', forged))).toEqual(
    expect.arrayContaining(MADE_UP.map((name) => name.toLowerCase())),
  );
});
