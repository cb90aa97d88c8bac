/** THREATS.md, "Which request was decided": the decided request is the one that is proxied. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Answer,
  expectCleanLog,
  plainRequest,
  ready,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('request');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const odd = '/a(b)!c,d=e+f:g@h~i&j';
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: reader }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test:
    /rest/*: { service: wiki, allow: [reader] }
    /open/*: { service: wiki, allow: [anyone] }
    /read/*: { service: wiki, allow: [{ role: reader, methods: [GET] }] }
    "${odd}": { service: wiki, allow: [anyone] }
  "*.wild.test":
    /open/*: { service: wiki, allow: [anyone] }
  all.test:
    /*: { service: wiki, allow: [anyone] }
`,
});
const host = 'wiki.test';
const reader = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['reader'] });

beforeAll(() => ready(gateway, host, { path: '/rest/x', token: reader }));

const reasonOf = (answer: Answer) => /"reason":"(\w+)"/.exec(answer.text)?.[1];

/** Paths that a service may read as another one. */
const nonCanonicalPaths = [
  '//rest/x',
  '/open//rest/x',
  '/open/../rest/x',
  '/open/./x',
  '/open/..',
  '/open/.',
  '/open/..?x',
  '/open/x/%2e%2e/%2e%2e/rest/x',
  '/open/%2E%2E/rest/x',
  '/open/.%2e/rest/x',
  '/open/..%2frest/x',
  '/open/..%5crest/x',
  '/open/..\\rest\\x',
  '/open\\..\\rest/x',
  '/open/x%2fy',
  '/open/x%2Fy',
  '/open/x%5Cy',
  '/open/x;a=b',
  '/open;/../rest/x',
  '/open/x;/y',
  '/open/x%3bjsessionid=1',
  '/open/x%3B',
  '/open/..;/rest/x',
  '/open/#/../rest/x',
  '/open/x#',
  '/%6fpen/x',
  '/op%65n/x',
  '/%72est/x',
  '/open/%41',
  '/open/%30',
  '/open/%2d',
  '/open/%5f',
] as const;

/** Requests that nginx cannot read at all. */
const brokenPaths = [
  '/open/%00',
  '/open/%0',
  '/open/%zz',
  '/open/%',
  '/../rest/x',
  '/open/../../rest/x',
  '/open/x y',
  'open/x',
  '*',
  '?x',
  '\\open\\x',
  'wiki.test:443',
] as const;

describe('raw paths that a service may read as another path never reach it', () => {
  test.each(nonCanonicalPaths)('%s', async (path) => {
    await echo.clear();
    const mark = await waitForWorkers(gateway);
    for (const token of [undefined, reader]) {
      const bearer: [string, string][] = token === undefined ? [] : [['Authorization', `Bearer ${token}`]];
      const { answers } = await gateway.sendRaw(
        host,
        plainRequest(host, { path, headers: [['Host', host], ...bearer] }),
      );
      expect([answers[0]?.status, reasonOf(answers[0]!)], 'HTTP/1.1').toEqual([400, 'path_not_canonical']);
    }
    // The route that it seems to name has no part in it, nor has the host's own "everything".
    for (const name of ['all.test', 'a.wild.test']) {
      const { answers } = await gateway.sendRaw(name, plainRequest(name, { path }));
      expect([answers[0]?.status, reasonOf(answers[0]!)], name).toEqual([400, 'path_not_canonical']);
    }
    const [over2] = await gateway.sendHttp2(host, { path, token: reader });
    expect([over2?.status, reasonOf(over2!)], 'HTTP/2').toEqual([400, 'path_not_canonical']);
    expect(await echo.requests()).toEqual([]);
    await expectCleanLog(gateway, mark);
  });

  test('with thousands of segments', async () => {
    const mark = await waitForWorkers(gateway);
    const long = `/open/${'a/'.repeat(5000)}`;
    const answerTo = async (path: string) => (await gateway.sendRaw(host, plainRequest(host, { path }))).answers[0]!;
    for (const path of [`${long}../../rest/x`, `${long}/rest/x`, `${long}x%2fy`, `${long}%61/;x`]) {
      const answer = await answerTo(path);
      expect([answer.status, reasonOf(answer)]).toEqual([400, 'path_not_canonical']);
    }
    expect((await answerTo(long)).status).toBe((await answerTo('/open/x')).status);
    await expectCleanLog(gateway, mark);
  });

  test.each(brokenPaths)('%s: nginx itself rejects it', async (path) => {
    await echo.clear();
    const { answers } = await gateway.sendRaw(
      host,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${reader}\r\n\r\n`,
    );
    expect([answers[0]?.status, reasonOf(answers[0]!)]).toEqual([400, 'request_malformed']);
    expect(await echo.requests()).toEqual([]);
  });
});

describe('all other paths and queries arrive unchanged, under the route of the decision', () => {
  test.each([
    '/open/a%20b',
    '/open/%C3%A9%c3%a9',
    '/open/a+b',
    "/open/!$&'()*,=:@~",
    '/open/%24%26%3d%40',
    '/open/...',
    '/open/.hidden',
    '/open/a..b',
    '/open/x.',
    '/open/x?a=//../;%00\\%2f..&b=%zz',
    '/open/x??',
    '/open/x?',
    '/open/x?a#b',
    '/open/x?token=abc',
    `/open/${'a'.repeat(8000)}`,
    `/open/x?${'a'.repeat(8000)}`,
    odd,
    `${odd}?x`,
  ])('%s', async (path) => {
    await echo.clear();
    const { answers } = await gateway.sendRaw(host, plainRequest(host, { path }));
    expect(answers[0]?.status, answers[0]?.text).toBe(200);
    const [request] = await echo.requests();
    expect(request!.url).toBe(path);
    expect(valuesOf(request!, 'X-Meshgate-Route')).toEqual([`wiki.test${path.startsWith('/open/') ? '/open/*' : odd}`]);
  });

  test('bytes beyond ASCII are forwarded: their meaning is the service’s decision', async () => {
    await echo.clear();
    const { answers } = await gateway.sendRaw(host, plainRequest(host, { path: '/open/\xe9?\xff' }));
    // Node's parser, for example, refuses them.
    expect([answers[0]?.status, answers[0]?.text]).toEqual([400, '']);
    expect((await echo.malformed()).join()).toContain('GET /open/\xe9?\xff HTTP/1.1');
  });

  test('a fragment or a query selects no other route', async () => {
    for (const path of ['/rest/x?/open/x', '/rest/x?/../open/x', '/rest?/open/', '/rest/%3f/open/x']) {
      expect((await gateway.send(host, { path })).status, path).toBe(401);
    }
    for (const path of ['/restx', '/Rest/x', '/openx', '/', '/opens/x', `${odd}/`, `${odd}x`]) {
      const answer = await gateway.send(host, { path, token: reader });
      expect([answer.status, reasonOf(answer)], path).toEqual([404, 'route_unknown']);
    }
  });
});

describe('no header and no method bypasses the check', () => {
  const headers: readonly (readonly [string, string])[] = [
    ['User-Agent', 'kube-probe/1.30'],
    ['User-Agent', 'GoogleHC/1.0'],
    ['User-Agent', 'ELB-HealthChecker/2.0'],
    ['User-Agent', ''],
    ['X-HTTP-Method-Override', 'OPTIONS'],
    ['X-HTTP-Method', 'OPTIONS'],
    ['X-Method-Override', 'OPTIONS'],
    ['X-Original-Method', 'OPTIONS'],
    ['X-Forwarded-Method', 'OPTIONS'],
    ['X-Original-URL', '/open/x'],
    ['X-Original-URI', '/open/x'],
    ['X-Rewrite-URL', '/open/x'],
    ['X-Forwarded-Uri', '/open/x'],
    ['X-Forwarded-Path', '/open/x'],
    ['X-Forwarded-Prefix', '/open'],
    ['X-Forwarded-Host', 'all.test'],
    ['X-Forwarded-Server', 'all.test'],
    ['X-Host', 'all.test'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Real-IP', '127.0.0.1'],
    ['Forwarded', 'for=127.0.0.1;host=all.test;proto=https'],
    ['X-Forwarded-User', 'ada'],
    ['X-Meshgate-Method', 'GET'],
    ['X-Meshgate-Route', 'wiki.test/open/*'],
    ['X-Meshgate-Rule', 'wiki.test/open/*#1'],
    ['X-Meshgate-Status', '204'],
    ['X-Accel-Redirect', '/open/x'],
    ['Origin', 'https://wiki.test'],
    ['Referer', 'https://wiki.test/open/x'],
    ['Access-Control-Request-Method', 'GET'],
    ['Sec-Fetch-Mode', 'cors'],
    ['Content-Type', 'application/grpc'],
    ['Upgrade', 'websocket'],
    ['Upgrade', 'h2c'],
    ['Cookie', 'session=ada; __Host-Http-meshgate=x'],
    ['Range', 'bytes=0-0'],
    ['If-None-Match', '*'],
    ['Expect', '100-continue'],
    ['Proxy-Authorization', `Bearer ${reader}`],
    ['X-Forwarded-Access-Token', reader],
    ['Sec-WebSocket-Protocol', `bearer, ${reader}`],
  ];

  test.each(headers)('%s: %s', async (name, value) => {
    await echo.clear();
    const connection: [string, string][] = name === 'Upgrade' ? [['Connection', 'Upgrade']] : [];
    const answers = [];
    for (const method of ['GET', 'OPTIONS', 'HEAD', 'POST']) {
      const answer = await gateway.send(host, {
        method,
        path: '/rest/x',
        headers: [['Host', host], [name, value], ...connection],
      });
      answers.push(answer.status);
    }
    expect(answers).toEqual([401, 401, 401, 401]);
    // A rule for reading allows no caller to write.
    for (const method of ['POST', 'DELETE', 'OPTIONS']) {
      const answer = await gateway.send(host, {
        method,
        path: '/read/x',
        token: reader,
        headers: [['Host', host], [name, value], ...connection],
      });
      expect([answer.status, reasonOf(answer)], method).toEqual([403, 'role_missing']);
    }
    expect(await echo.requests()).toEqual([]);
  });

  test.each(['TRACE', 'CONNECT', 'PROPFIND', 'get', 'GETT', 'FOO', 'PURGE', 'TRACK'])('%s', async (method) => {
    await echo.clear();
    for (const path of ['/rest/x', '/read/x']) {
      const { answers } = await gateway.sendRaw(
        host,
        `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        { untilClosed: true },
      );
      expect([400, 401, 405], `${method} ${answers[0]?.status}`).toContain(answers[0]?.status);
    }
    expect(await echo.requests()).toEqual([]);
  });

  test('a credential in a query does not count', async () => {
    for (const name of ['access_token', 'token', 'id_token', 'authorization', 'bearer']) {
      const answer = await gateway.send(host, { path: `/rest/x?${name}=${reader}` });
      const reason = name === 'access_token' ? 'credential_unsupported' : 'credential_missing';
      expect([answer.status, reasonOf(answer)]).toEqual([401, reason]);
    }
  });

  test('a credential in a body does not count', async () => {
    const answer = await gateway.send(host, {
      method: 'POST',
      path: '/rest/x',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `access_token=${reader}`,
    });
    expect([answer.status, reasonOf(answer)]).toEqual([401, 'credential_missing']);
  });
});
