/** THREATS.md, "Which request was decided": one credential, one host, one request; text of the policy stays text. */
import { beforeAll, describe, expect, test } from 'vitest';
import { reasons } from '../../src/base/reasons.ts';
import {
  type Answer,
  expectCleanLog,
  gatewayCase,
  plainRequest,
  ready,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('framing');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: reader }
  quoted: { group: "\\";} server { listen 1; } #" }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Quote: { first_role: { quoted: "\\"; evil on; '\\\\" }, else: "$request_uri $http_cookie {}" }
hosts:
  wiki.test:
    /rest/*: { service: wiki, allow: [reader] }
    /open/*: { service: wiki, allow: [anyone] }
    /quoted: { service: wiki, allow: [quoted] }
  "*.wild.test":
    /open/*: { service: wiki, allow: [anyone] }
  all.test:
    /*: { service: wiki, allow: [anyone] }
    /secret/*: { service: wiki, allow: [reader] }
`,
});
const host = 'wiki.test';
const reader = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['reader'] });
const setup = { gateway, echoes: [echo] };

beforeAll(() => ready(gateway, host, { path: '/rest/x', token: reader }));

const reasonOf = (answer: Answer) => /"reason":"(\w+)"/.exec(answer.text)?.[1];

describe('one Authorization header with one scheme', () => {
  for (const [what, lines] of Object.entries({
    'two, the good one first': [`Bearer ${reader}`, 'Bearer x'],
    'two, the good one last': ['Bearer x', `Bearer ${reader}`],
    'the good one twice': [`Bearer ${reader}`, `Bearer ${reader}`],
    'Basic beside it': [`Bearer ${reader}`, 'Basic YTpi'],
  })) {
    gatewayCase(setup, {
      name: what,
      host,
      request: {
        path: '/open/x',
        headers: [['Host', host], ...lines.map((line): [string, string] => ['Authorization', line])],
      },
      status: 400,
      reason: 'request_malformed',
      upstream: 'never',
    });
  }

  for (const [what, value, reason] of [
    ['another scheme', 'Basic YTpi', 'credential_unsupported'],
    ['no scheme', reader, 'credential_unsupported'],
    ['empty', '', 'credential_missing'],
    ['the scheme alone', 'Bearer', 'credential_unsupported'],
    ['a TAB', `Bearer\t${reader}`, 'credential_unsupported'],
    ['two in one, by a comma', `Bearer ${reader}, Bearer ${reader}`, 'token_malformed'],
    ['two in one, by a space', `Bearer ${reader} ${reader}`, 'token_malformed'],
    ['a control byte', `Bearer ${reader}\x01`, 'token_malformed'],
    ['invalid UTF-8', `Bearer ${reader}\xff`, 'token_malformed'],
  ] as const) {
    test(`${what}: refused with a reason, and not treated as anonymous on a route that is open to anyone`, async () => {
      await echo.clear();
      const mark = await waitForWorkers(gateway);
      const raw = `GET /rest/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${value}\r\n\r\n`;
      const { answers } = await gateway.sendRaw(host, raw);
      expect([answers[0]?.status, reasonOf(answers[0]!)]).toEqual([401, reason]);
      const { answers: open } = await gateway.sendRaw(host, raw.replace('/rest/', '/open/'));
      // A missing credential is anonymous; an invalid one is not.
      expect(open[0]?.status).toBe(value === '' ? 200 : 401);
      expect((await echo.requests()).length).toBe(value === '' ? 1 : 0);
      await expectCleanLog(gateway, mark);
    });
  }
});

describe('the host', () => {
  const outcomes: readonly (readonly [string, string, number, string])[] = [
    ['another name', 'GET /open/x HTTP/1.1\r\nHost: evil.test\r\n\r\n', 421, 'host_unknown'],
    [
      'an absolute target of another name',
      `GET http://evil.test/open/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      421,
      'host_unknown',
    ],
    ['no Host', 'GET /open/x HTTP/1.1\r\n\r\n', 400, 'request_malformed'],
    ['an empty Host', 'GET /open/x HTTP/1.1\r\nHost:\r\n\r\n', 400, 'request_malformed'],
    ['two', `GET /open/x HTTP/1.1\r\nHost: ${host}\r\nHost: all.test\r\n\r\n`, 400, 'request_malformed'],
    ['a user name in it', `GET /open/x HTTP/1.1\r\nHost: ${host}@evil.test\r\n\r\n`, 400, 'request_malformed'],
    ['a path in it', `GET /open/x HTTP/1.1\r\nHost: ${host}/rest\r\n\r\n`, 400, 'request_malformed'],
    ['a suffix', `GET /open/x HTTP/1.1\r\nHost: ${host}.evil.test\r\n\r\n`, 421, 'host_unknown'],
    ['a prefix', `GET /open/x HTTP/1.1\r\nHost: evil${host}\r\n\r\n`, 421, 'host_unknown'],
    ['the wildcard itself', 'GET /open/x HTTP/1.1\r\nHost: wild.test\r\n\r\n', 421, 'host_unknown'],
    ['the default server by name', 'GET /open/x HTTP/1.1\r\nHost: _\r\n\r\n', 421, 'host_unknown'],
    ['HTTP/1.0 without one', 'GET /open/x HTTP/1.0\r\n\r\n', 421, 'host_unknown'],
    ['HTTP/0.9', 'GET /open/x\r\n', 421, 'host_unknown'],
  ];
  test.each(outcomes)('%s', async (_, raw, status, reason) => {
    await echo.clear();
    // The server name of the connection is not in the policy, so that only Host counts.
    const { text } = await gateway.sendRaw(host, raw, { untilClosed: /HTTP\/(1\.0|0)|x\r\n$/.test(raw) });
    expect(text).toContain(`"reason":"${reason}"`);
    expect(text).toContain(`"status":${status}`);
    expect(await echo.requests()).toEqual([]);
  });

  test.each([
    ['in upper case', 'GET /rest/x HTTP/1.1\r\nHost: WIKI.TEST\r\n\r\n'],
    ['with a port', `GET /rest/x HTTP/1.1\r\nHost: ${host}:1\r\n\r\n`],
    ['with a final dot', `GET /rest/x HTTP/1.1\r\nHost: ${host}.\r\n\r\n`],
    ['in an absolute target', 'GET https://wiki.test/rest/x HTTP/1.1\r\nHost: all.test\r\n\r\n'],
    ['HTTP/1.0', `GET /rest/x HTTP/1.0\r\nHost: ${host}\r\n\r\n`],
  ])('%s it is the same host', async (_, raw) => {
    const { answers } = await gateway.sendRaw(host, raw, { untilClosed: raw.includes('HTTP/1.0') });
    expect([answers[0]?.status, reasonOf(answers[0]!)]).toEqual([401, 'credential_missing']);
  });

  test('the server name of the connection decides nothing, only Host does', async () => {
    const { answers } = await gateway.sendRaw('all.test', `GET /rest/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(answers[0]?.status).toBe(401);
    const { answers: other } = await gateway.sendRaw(host, 'GET /secret/x HTTP/1.1\r\nHost: all.test\r\n\r\n');
    expect(other[0]?.status).toBe(401);
  });

  test('the service receives the host name of the policy, or the requested one below its wildcard', async () => {
    await echo.clear();
    await gateway.sendRaw(host, `GET http://${host}:99/open/x HTTP/1.1\r\nHost: evil.test:1\r\n\r\n`);
    await gateway.sendRaw('a.wild.test', 'GET /open/x HTTP/1.1\r\nHost: A.b.wild.test:99\r\n\r\n');
    const [one, two] = await echo.requests();
    expect([valuesOf(one!, 'Host'), valuesOf(one!, 'X-Forwarded-Host')]).toEqual([[host], [host]]);
    expect([valuesOf(two!, 'Host'), valuesOf(two!, 'X-Forwarded-Host')]).toEqual([
      ['a.b.wild.test'],
      ['a.b.wild.test'],
    ]);
  });
});

describe('one request stays one request', () => {
  const smuggled = `GET /rest/x HTTP/1.1\r\nHost: wiki\r\nX-Forwarded-User: root\r\n\r\n`;
  const post = (headers: string, body: string) => `POST /open/x HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n\r\n${body}`;
  /** The end of what is sent: nginx closes after the answer, if it has not closed before. */
  const end = plainRequest(host, { path: '/open/end', headers: { Connection: 'close' } });
  test.each([
    [
      'Content-Length and Transfer-Encoding',
      post(`Content-Length: ${smuggled.length + 5}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${smuggled}`),
    ],
    [
      'Transfer-Encoding and Content-Length',
      post(`Transfer-Encoding: chunked\r\nContent-Length: 4`, `0\r\n\r\n${smuggled}`),
    ],
    ['two Content-Lengths', post('Content-Length: 0\r\nContent-Length: 5', smuggled)],
    ['a list of Content-Lengths', post('Content-Length: 0, 5', smuggled)],
    ['a signed Content-Length', post('Content-Length: +0', smuggled)],
    ['a hexadecimal Content-Length', post('Content-Length: 0x0', smuggled)],
    [
      'Transfer-Encoding twice',
      post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${smuggled}`),
    ],
    ['an unknown Transfer-Encoding', post('Transfer-Encoding: xchunked', `0\r\n\r\n${smuggled}`)],
    ['a list of Transfer-Encodings', post('Transfer-Encoding: gzip, chunked', `0\r\n\r\n${smuggled}`)],
    [
      'Transfer-Encoding in HTTP/1.0',
      post('Transfer-Encoding: chunked', `0\r\n\r\n${smuggled}`).replace('HTTP/1.1', 'HTTP/1.0'),
    ],
    ['a space before the colon', post(`Content-Length : ${smuggled.length}`, smuggled)],
    ['a chunk size that is too large', post('Transfer-Encoding: chunked', `fffffffffffffffff\r\n${smuggled}`)],
    ['a chunk with a bare LF', post('Transfer-Encoding: chunked', `1;\nx\r\n0\r\n\r\n`)],
  ])('%s: no request that is hidden in a body reaches the service', async (_, raw) => {
    await echo.clear();
    const { answers } = await gateway.sendRaw(host, raw + end, { untilClosed: true });
    const received = (await echo.requests()).filter(({ url }) => url !== '/open/end');
    expect(received.filter(({ url }) => url !== '/open/x')).toEqual([]);
    expect(JSON.stringify(received.map(({ headers }) => headers))).not.toContain('root');
    expect(await echo.malformed()).toEqual([]);
    expect(answers.filter(({ status }) => status !== 200).length + received.length).toBeGreaterThan(0);
  });

  test('each pipelined request has its own decision', async () => {
    await echo.clear();
    const lines = ['/open/1', '/rest/2', '/open/3', '/rest/4', '/nothing'].map((path) => plainRequest(host, { path }));
    const { answers } = await gateway.sendRaw(host, lines.join(''), { answers: 5 });
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 401, 404]);
    expect((await echo.requests()).map(({ url }) => url)).toEqual(['/open/1', '/open/3']);
  });

  test('a request inside a body stays part of the body', async () => {
    await echo.clear();
    const answer = await gateway.send(host, { method: 'POST', path: '/open/x', body: smuggled });
    expect(answer.status).toBe(200);
    const received = await echo.requests();
    expect(received.map(({ url, body }) => [url, body?.text])).toEqual([['/open/x', smuggled]]);
  });

  test('a WebSocket opens only on a route that allows its request', async () => {
    const upgrade = (path: string, token?: string) =>
      plainRequest(host, {
        path,
        ...(token === undefined ? {} : { token }),
        headers: [
          ['Host', host],
          ['Connection', 'Upgrade'],
          ['Upgrade', 'websocket'],
          ['Sec-WebSocket-Version', '13'],
          ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
        ],
      });
    for (const [path, token, status] of [
      ['/rest/x', undefined, 401],
      ['/rest/x', reader, 101],
      ['/open/x', undefined, 101],
    ] as const) {
      const { answers } = await gateway.sendRaw(host, upgrade(path, token));
      expect(answers[0]?.status, path).toBe(status);
    }
  });
});

describe('text of the policy stays text', () => {
  test('in the value of a header', async () => {
    await echo.clear();
    const quoted = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['";} server { listen 1; } #'] });
    expect((await gateway.send(host, { path: '/quoted', token: quoted })).status).toBe(200);
    expect((await gateway.send(host, { path: '/open/x', token: reader })).status).toBe(200);
    const values = (await echo.requests()).flatMap((request) => valuesOf(request, 'X-Quote'));
    expect(values).toEqual(['"; evil on; \'\\', '$request_uri $http_cookie {}']);
  });

  test('a refusal shows only the help text of its reason', async () => {
    const answer = await gateway.send(host, {
      path: '/nothing?"}{<script>',
      headers: { 'User-Agent': '"}\n{'.replace('\n', '') },
    });
    expect(answer.json().detail).toBe(reasons.route_unknown.help);
    expect(answer.header('Content-Type')).toBe('application/problem+json');
    expect(answer.header('X-Content-Type-Options')).toBe('nosniff');
  });
});
