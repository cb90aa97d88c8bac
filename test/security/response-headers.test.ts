/** Which response headers of a service reach a browser, on each kind of route. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Answer,
  expectCleanLog,
  plainRequest,
  ready,
  startCalls,
  startEcho,
  startGateway,
  testStage,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('response-headers');
await Promise.all([startEcho(stage, { alias: 'wiki' }), startCalls(stage, 'calls')]);
const [host, api] = ['wiki.test', 'api.test'];
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  idp: { issuer: "https://idp.test/main", client: { id: gateway, secret_file: /run/secrets/idp } }
  ci: { issuer: "https://ci.test/main", audiences: [wiki] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  open: { insecure_url: "http://wiki:8080", response_headers: [Alt-Svc, WWW-Authenticate] }
  fast: { insecure_url: "http://calls:8082", protocol: http2 }
  calls: { insecure_url: "http://calls:8082", protocol: grpc }
hosts:
  ${host}:
    providers: [idp]
    /*: { service: wiki, allow: [anyone] }
    /shared/*: { service: wiki, allow: [anyone], cors: { origins: ["https://app.test"] } }
    /stream/*: { service: wiki, allow: [anyone], proxy: { stream: true } }
    /open/*: { service: open, allow: [anyone] }
    /fast/*: { service: fast, allow: [anyone] }
    /calls/*: { service: calls, allow: [anyone] }
    /shared-calls/*: { service: calls, allow: [anyone], cors: { origins: ["*"] } }
  ${api}: { providers: [ci], /*: { service: wiki, allow: [anyone] } }
`,
  files: { '/run/secrets/idp': 'secret' },
});

let mark = 0;
/** Lines of the error log that a test expects. */
let expected: RegExp[] = [];
beforeAll(async () => {
  await ready(gateway, host, { path: '/x' });
  mark = await waitForWorkers(gateway, host);
});
afterEach(async () => {
  const since = mark;
  mark = await waitForWorkers(gateway, host);
  await expectCleanLog(gateway, since, expected);
  expected = [];
});

/** They frame the response, and a client cannot read it if they are wrong. HTTP/2 has none of them. */
const FRAMES =
  /^(connection|content-(encoding|length)|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|http2-settings|host)$/;

const ROWS = readFileSync(new URL('../unit/policy/fixtures/field-names.tsv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t') as [name: string, source: string, decision: string])
  .map(([name, , decision]) => [name.toLowerCase(), decision] as const)
  .filter(([name]) => !FRAMES.test(name));
const names = ROWS.map(([name]) => name);

/** Names that the gateway or nginx sends itself. */
const OWN = new Set(['date', 'server', 'traceresponse', 'set-cookie', 'vary']);

/** The names of headers that reach the client over both versions of HTTP, of all that the service sends. */
async function reaching(at: string, path: string, status = 200): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let i = 0; i < names.length; i += 40) {
    const wishes = names.slice(i, i + 40).map((name) => `echo-header=${encodeURIComponent(`${name}:hostile`)}`);
    const sent = { path: `${path}x?${wishes.join('&')}${status === 200 ? '' : `&echo-status=${status}`}` };
    for (const answer of [await gateway.send(at, sent), ...(await gateway.sendHttp2(at, sent))]) {
      expect([path, answer.status]).toEqual([path, status]);
      for (const name of names) if (answer.all(name).includes('hostile')) found.add(name);
    }
  }
  return found;
}

const passing = (...decisions: readonly string[]) =>
  ROWS.flatMap(([name, decision]) => (decisions.includes(decision) && !OWN.has(name) ? [name] : [])).sort();
const without = (found: ReadonlySet<string>) => [...found].filter((name) => !OWN.has(name)).sort();
/** With CORS of the gateway, those of the service are dropped. */
const notCors = (name: string) => !/^access-control-(allow|expose|max)/.test(name);
/** A `Link` without a target is no link. */
const LINK = ['link'];

describe('a service', () => {
  test.each(['/', '/stream/', '/fast/'])('drops every header that the list does not allow: %s', async (path) => {
    expect(without(await reaching(host, path))).toEqual([...passing('passes'), ...LINK, 'clear-site-data'].sort());
  });

  test.each(['302', '404', '500'])('drops them in a response with status %s', async (status) => {
    expect(without(await reaching(host, '/', Number(status)))).toEqual(
      [...passing('passes'), ...LINK, 'clear-site-data'].sort(),
    );
  });

  test('drops them on a route with CORS', async () => {
    expect(without(await reaching(host, '/shared/'))).toEqual(
      [...passing('passes').filter(notCors), ...LINK, 'clear-site-data'].sort(),
    );
  });

  test('may ask for a password on a host without sign-in', async () => {
    expect(without(await reaching(api, '/'))).toEqual(
      [...passing('passes', 'passes unless people sign in'), ...LINK, 'clear-site-data'].sort(),
    );
  });

  test('sends a header that the policy names for it, and no other', async () => {
    expect(without(await reaching(host, '/open/'))).toEqual(
      [...passing('passes'), ...LINK, 'clear-site-data', 'alt-svc', 'www-authenticate'].sort(),
    );
  });

  test.each([
    ['Bearer realm="a"', ['/x', '/shared/x', '/stream/x', '/open/x', '/fast/x']],
    ['OAuth realm="a", oauth_problem="b"', ['/x', '/open/x']],
    ['Basic realm="a"', ['/open/x']],
  ])('sends each challenge once: %s', async (value, paths) => {
    for (const path of paths) {
      const sent = { path: `${path}?echo-status=401&echo-header=${encodeURIComponent(`WWW-Authenticate:${value}`)}` };
      for (const answer of [await gateway.send(host, sent), ...(await gateway.sendHttp2(host, sent))])
        expect([path, answer.all('WWW-Authenticate')]).toEqual([path, [value]]);
    }
  });

  test.each(['/calls/', '/shared-calls/'])('that speaks gRPC sends none on which a browser acts: %s', async (path) => {
    const found = await reaching(host, path);
    const acted = ['nel', 'report-to', 'reporting-endpoints', 'alt-svc', 'set-login', 'service-worker-allowed'];
    expect([...acted, 'www-authenticate', 'secure-session-registration'].filter((name) => found.has(name))).toEqual([]);
    expect(found.has('etag')).toBe(true);
  });

  test('sends a header that is in no list', async () => {
    const answer = await gateway.send(host, { path: '/x?echo-header=X-Confluence-Request-Time:1' });
    expect(answer.header('X-Confluence-Request-Time')).toBe('1');
  });
});

describe('a service that answers with an informational status', () => {
  const hidden = 'HTTP/1.1 200 OK\r\nNEL: {}\r\nContent-Length: 2\r\n\r\nok';
  const path = (at: string, status: string) =>
    `${at}x?echo-raw=${Buffer.from(`HTTP/1.1 ${status} X\r\n\r\n${hidden}`).toString('base64url')}`;
  const statuses = ['000', '099', '100', '101', '102', '104', '199'];

  beforeEach(() => {
    expected = [/meshgate: wiki answered with the status \d+/];
  });

  test.each(statuses)('sends no response of its own after it: %s', async (status) => {
    for (const [at, name] of [
      [host, '/'],
      [host, '/shared/'],
      [host, '/stream/'],
      [api, '/'],
    ] as const)
      for (const method of ['GET', 'HEAD', 'POST']) {
        const first = plainRequest(at, { method, path: path(name, status), ...(method === 'POST' && { body: 'x' }) });
        // nginx itself answers this one.
        const second = plainRequest(at, { path: '//' });
        const { answers } = await gateway.sendRaw(at, first + second, { answers: 2, methods: [method, 'GET'] });
        expect(answers.map((answer) => [answer.status, answer.all('NEL')])).toEqual([
          [502, []],
          [400, []],
        ]);
      }
  });

  test.each(['\r\n', '\n', ' ', 'x\r\n', ''])('nor after a beginning that is no status line: %j', async (beginning) => {
    expected.push(/upstream sent no valid HTTP\/1.0 header/);
    const raw = `${beginning}${beginning === '' ? hidden.replace('HTTP', 'http') : hidden}`;
    const at = `/x?echo-raw=${Buffer.from(raw).toString('base64url')}`;
    const { text } = await gateway.sendRaw(host, plainRequest(host, { path: at }), { untilText: 'NEL' });
    expect(text).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n/);
    const [answer] = await gateway.sendHttp2(host, { path: at });
    expect([answer?.status, answer?.all('NEL')]).toEqual([502, []]);
  });

  test.each(statuses)('does so over HTTP/2 too: %s', async (status) => {
    const [answer] = await gateway.sendHttp2(host, { path: path('/', status) });
    expect([answer?.status, answer?.all('NEL')]).toEqual([502, []]);
  });
});

describe('the gateway', () => {
  const values: readonly (readonly [string, string, boolean])[] = [
    ['Link', '</x.css>; rel=preload; as=style', true],
    ['Link', '</x>; rel=next, <https://other.test/y>; rel="prev"', true],
    ['Link', '<https://api.w.org/>; rel="https://api.w.org/"', true],
    ['Link', '<https://evil.test>; rel=preconnect', false],
    ['Link', '<//evil.test>; rel="dns-prefetch"', false],
    ['Link', '</a>; rel=next, <https://evil.test/x.js>; rel=MODULEPRELOAD', false],
    ['Link', '<https://evil.test/x>; rel="pre\\connect"', false],
    ['Link', '</\t/evil.test/x>; rel=prefetch', false],
    ['Link', '<\\\\evil.test/x>; rel=prefetch', false],
    ['Link', '< https://evil.test/x>; rel=prefetch', false],
    ['Link', '</x>; rel=preload; as=image; ImageSrcSet="https://evil.test/x 1x"', false],
    ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains', true],
    ['Strict-Transport-Security', 'max-age=0', false],
    ['Strict-Transport-Security', 'max-age=1', false],
    ['Strict-Transport-Security', 'max-age=31536000; max-age=0', false],
    ['Strict-Transport-Security', 'max-age=00000000', false],
  ];
  test.each(values)('removes values of %s: %s', async (name, value, passes) => {
    const header = `echo-header=${encodeURIComponent(`${name}:${value}`)}`;
    for (const path of ['/x', '/shared/x', '/stream/x', '/calls/x']) {
      // HTTP/2 allows no tab at an end, and Node sends the value as it is.
      const sent = { path: `${path}?${header}` };
      const answers: readonly Answer[] = [await gateway.send(host, sent), ...(await gateway.sendHttp2(host, sent))];
      for (const answer of answers) expect([path, answer.all(name)]).toEqual([path, passes ? [value] : []]);
    }
  });
});
