/** The sidecar behind real ingresses: each decides as the gateway does, and each says what it does not do. */
import { beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  type Case,
  createProofKey,
  rawRequest,
  ready,
  runCase,
  Sealer,
  send,
  signProof,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  waitForWorkers,
} from '../harness/index.ts';
import { Behind, ingresses, ingressFilesOf, startSidecar } from './ext-authz-fixture.ts';

const stage = await testStage('ext-authz');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki', aliases: ['next'] }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const policy = `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  trusted_proxies: [172.16.0.0/12, 192.168.0.0/16]
  insecure_proxied_networks: true
  session: { keys_file: /run/secrets/session.jwks }
  proof: {}
providers:
  acme:
    issuer: ${acme.url}
    audiences: [wiki]
    ca_file: /run/provider/ca.pem
    client: { id: gateway }
roles:
  staff: { group: staff }
  office: { network: [10.9.0.0/24] }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Groups: groups
services:
  wiki: { insecure_url: "http://wiki:8080" }
  next: { insecure_url: "http://next:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff] }
    /public/*: { service: wiki, allow: [anyone] }
    /write/*: { service: wiki, allow: [{ role: staff, methods: [GET] }] }
    /api/*: { service: wiki, allow: [staff], accept: [bearer] }
    /office/*: { service: wiki, allow: [office] }
    /next/*: { service: wiki, allow: [{ role: staff, service: next }] }
    /exact: { service: wiki, allow: [anyone] }
  board.test:
    /*: { service: wiki, allow: [anyone], accept: [bearer] }
`;
const ring = newRing(Date.now() / 1000);
const host = 'wiki.test';
const [sidecar, gateway] = await Promise.all([
  startSidecar(stage, policy, ring),
  startGateway(stage, { policy, files: { '/run/secrets/session.jwks': ring } }),
]);
const files = await ingressFilesOf(policy);
const boxes = await Promise.all(
  (['nginx', 'traefik', 'caddy', 'envoy'] as const).map(
    async (name) => [name, new Behind(sidecar, await ingresses[name](stage, files))] as const,
  ),
);
const setups = [['the gateway itself', gateway] as const, ...boxes];
/** An ingress that cleans the path of a request before it asks, and sends the clean path on, as its gap says. */
const CLEANS = 'traefik';

const claims = { sub: 'ada', groups: ['staff', 'berlin'] };
const staff = await acme.sign({ aud: 'wiki', ...claims });
const bob = await acme.sign({ aud: 'wiki', sub: 'bob' });
const sealer = await Sealer.of(sidecar.policy, ring);
const session = await sealer.cookie(host, sealer.session('acme', claims));
const earlier = Math.floor(Date.now() / 1000) - 3 * 3600;
const used = await sealer.cookie(host, sealer.session('acme', claims, { sealed: earlier, since: earlier }));
const opening = {
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
  Accept: 'text/html',
};

beforeAll(async () => {
  for (const [, one] of setups) await ready(one, host, { token: staff });
});

/** Cases of the gateway. Every form of check passes all of them. */
const cases: readonly (Case & { readonly cleaned?: string })[] = [
  {
    name: 'passes a token of staff, without the token, and with the identity headers of its caller',
    host,
    request: {
      path: '/page?x=1&y=%2e',
      token: staff,
      headers: { 'X-Forwarded-User': 'root', 'X-Meshgate-Rule': 'none' },
    },
    status: 200,
    upstream: {
      method: 'GET',
      url: '/page?x=1&y=%2e',
      headers: { 'X-Forwarded-User': 'ada', 'X-Forwarded-Groups': 'staff,berlin', 'X-Meshgate-Rule': 'wiki.test/*#1' },
      absent: ['Authorization'],
    },
    log: { fields: { 'user.id': 'ada', 'url.path': '/page', 'http.request.method': 'GET' } },
  },
  {
    name: 'rejects a request without a credential',
    host,
    request: { path: '/page' },
    status: 401,
    reason: 'credential_missing',
    answer: { 'WWW-Authenticate': /^Bearer / },
  },
  {
    name: 'rejects a caller without the role',
    host,
    request: { path: '/page', token: bob },
    status: 403,
    reason: 'role_missing',
  },
  {
    name: 'rejects a forged token',
    host,
    request: { path: '/page', token: `${staff.slice(0, -6)}AAAAAA` },
    status: 401,
    reason: 'signature_invalid',
  },
  {
    name: 'passes an anonymous caller on a public route, and erases each identity header that the caller sent',
    host,
    request: {
      path: '/public/x',
      headers: { 'X-Forwarded-User': 'root', 'X-Forwarded-Groups': 'staff', 'X-Remote-User': 'root' },
    },
    status: 200,
    upstream: { absent: ['X-Forwarded-User', 'X-Forwarded-Groups', 'X-Remote-User', 'Authorization'] },
  },
  {
    name: 'decides by the method: a POST where only GET is allowed',
    host,
    request: { method: 'POST', path: '/write/x', token: staff, body: 'x' },
    status: 403,
    reason: 'role_missing',
    log: { fields: { 'http.request.method': 'POST' } },
  },
  {
    name: 'passes the body of a POST',
    host,
    request: { method: 'POST', path: '/api/x', token: staff, body: 'hello' },
    status: 200,
    upstream: { method: 'POST' },
  },
  {
    name: 'answers HEAD without a role',
    host,
    request: { method: 'HEAD', path: '/page', token: bob },
    status: 403,
    reason: 'role_missing',
  },
  {
    name: 'passes HEAD of staff',
    host,
    request: { method: 'HEAD', path: '/page', token: staff },
    status: 200,
    upstream: { method: 'HEAD' },
  },
  {
    name: 'passes a session without its cookie',
    host,
    request: { path: '/page', headers: { Cookie: `a=1; ${session}; b=2`, ...opening } },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada', Cookie: 'a=1; b=2' } },
  },
  {
    name: 'removes a Cookie that has only the session',
    host,
    request: { path: '/page', headers: { Cookie: session, ...opening } },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada' }, absent: ['Cookie'] },
  },
  {
    name: 'sends a person without a session to the sign-in, with the URL that was asked for',
    host,
    request: { path: '/page?x=1', headers: opening },
    status: 303,
    answer: { Location: /^(https:\/\/wiki\.test)?\/\.meshgate\/signin\?.*to=\/page\?x=1$/ },
    upstream: 'never',
  },
  {
    name: 'gives the browser the cookie of a session that was sealed again',
    host,
    request: { path: '/page', headers: { Cookie: used, ...opening } },
    status: 200,
    answer: { 'Set-Cookie': /^__Host-Http-meshgate=[\w.-]{100,}; / },
    upstream: { headers: { 'X-Forwarded-User': 'ada' }, absent: ['Cookie'] },
  },
  {
    name: 'deletes the cookie of a session that it cannot read, and sends the person to the sign-in',
    host,
    request: { path: '/page', headers: { Cookie: '__Host-Http-meshgate=x', ...opening } },
    status: 303,
    answer: { 'Set-Cookie': /^__Host-Http-meshgate=; Max-Age=0;/ },
    upstream: 'never',
  },
  {
    name: 'rejects an unsafe request of a session from another origin',
    host,
    request: { method: 'POST', path: '/page', headers: { Cookie: session, Origin: 'https://evil.test' }, body: 'x' },
    status: 403,
    reason: 'origin_refused',
  },
  {
    name: 'rejects the handshake of a WebSocket from another origin',
    host,
    request: {
      path: '/page',
      headers: {
        ...{ Cookie: session, Origin: 'https://evil.test', Connection: 'Upgrade', Upgrade: 'websocket' },
        ...{ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version': '13' },
      },
    },
    status: 403,
    reason: 'origin_refused',
  },
  {
    name: 'leaves conditions to the service',
    host,
    request: { method: 'PUT', path: '/api/x', token: staff, body: 'x', headers: { 'If-Match': '"1"' } },
    status: 200,
    upstream: { method: 'PUT', headers: { 'If-Match': '"1"' } },
  },
  {
    name: 'answers no condition instead of the service',
    host,
    request: { path: '/page', token: staff, headers: { 'If-None-Match': '*' } },
    status: 200,
    upstream: { headers: { 'If-None-Match': '*' } },
  },
  {
    name: 'finds the route of an exact path',
    host,
    request: { path: '/exact' },
    status: 200,
    upstream: { url: '/exact' },
  },
  { name: 'rejects a token in the query', host, request: { path: `/page?access_token=${staff}` }, status: 401 },
  ...(
    [
      ['/public/../page', '/page'],
      ['/public/%2e%2e/page', '/page'],
      ['//page', '/page'],
      ['/pa%67e', '/page'],
      ['/public/..%2fpage'],
      ['/public/;/x'],
    ] as const
  ).map(([path, cleaned]) => ({
    name: `rejects the raw path ${path}`,
    host,
    request: {
      raw: rawRequest(`GET ${path} HTTP/1.1`, [
        ['Host', host],
        ['Authorization', `Bearer ${staff}`],
      ]),
    },
    status: 400,
    reason: 'path_not_canonical',
    ...(cleaned !== undefined && { cleaned }),
  })),
  {
    name: 'ignores what the client says about its request',
    host,
    request: {
      path: '/page',
      headers: {
        'X-Original-URI': '/public/x',
        'X-Original-Method': 'GET',
        'X-Forwarded-Uri': '/public/x',
        'X-Forwarded-Host': 'board.test',
        'X-Forwarded-Method': 'OPTIONS',
        Path: '/public/x',
        Method: 'GET',
      },
    },
    status: 401,
    reason: 'credential_missing',
  },
  {
    name: 'does not answer for its own endpoints in a check',
    host: 'board.test',
    request: { path: '/.Meshgate/whoami' },
    status: 404,
    reason: 'route_unknown',
  },
];

describe.each(setups)('%s', (name, behind) => {
  for (const { cleaned, ...one } of cases) {
    const isCleaned = name === CLEANS && cleaned !== undefined;
    const { reason: _, ...passed } = one;
    const clean = {
      ...passed,
      name: `cleans the path, which the gateway ${one.name}`,
      status: 200,
      upstream: { url: cleaned ?? '' },
    };
    test(isCleaned ? clean.name : one.name, async () => {
      await waitForWorkers(behind, host);
      await runCase({ gateway: behind, echoes: [wiki] }, isCleaned ? clean : one, 'run');
    });
  }

  test('verifies a DPoP proof for the URL that the client requested', async () => {
    const key = await createProofKey();
    const token = await acme.sign({ aud: 'wiki', ...claims, cnf: { jkt: key.jkt } });
    const proof = (url: string, method = 'PUT') => signProof(key, { url, method, token });
    const call = async (proof: string) =>
      behind.send(host, {
        method: 'PUT',
        path: '/api/x',
        body: 'x',
        headers: { Authorization: `DPoP ${token}`, DPoP: proof },
      });
    const passed = await call(await proof('https://wiki.test/api/x'));
    expect(passed.status, passed.text).toBe(200);
    expect((await call(await proof('https://wiki.test/envoy/api/x'))).json().reason).toBe('proof_invalid');
    expect((await call(await proof('https://wiki.test/api/x', 'GET'))).json().reason).toBe('proof_invalid');
  });

  test('lets no client remove the headers of the gateway by Connection', async () => {
    const { answers } = await behind.sendRaw(
      host,
      rawRequest('GET /page HTTP/1.1', [
        ['Host', host],
        ['Authorization', `Bearer ${staff}`],
        ['Connection', 'close'],
        ['Connection', 'x-forwarded-user, X-Meshgate-Rule'],
      ]),
    );
    const { status, text } = answers[0]!;
    if (status === 400) return expect(name).toBe('caddy');
    const received = JSON.parse(text).headers.map(([key, value]: [string, string]) => [key.toLowerCase(), value]);
    expect([status, received]).toEqual([
      200,
      expect.arrayContaining([
        ['x-forwarded-user', 'ada'],
        ['x-meshgate-rule', 'wiki.test/*#1'],
      ]),
    ]);
  });

  test('serves the endpoints of the gateway', async () => {
    const whoami = await behind.send(host, { path: '/.meshgate/whoami', headers: { Cookie: session } });
    expect(whoami.json()).toMatchObject({ subject: 'ada' });
    const metadata = await behind.send(host, { path: '/.well-known/oauth-protected-resource/api' });
    expect(metadata.json().resource).toBe('https://wiki.test/api');
    const signout = await behind.send(host, { path: '/.meshgate/signout', headers: { Cookie: session, ...opening } });
    expect(signout.status).toBe(200);
    expect(signout.text).toContain('<form');
  });
});

/** Sends a check to the sidecar, as an ingress would. */
const check = (
  path: string,
  headers: Record<string, string> | readonly (readonly [string, string])[],
  method = 'GET',
) => send({ host: sidecar.box.host, port: 8080, tls: false, name: 'sidecar' }, { method, path, headers });
const bearer = { Authorization: `Bearer ${staff}` };

/** How each form says `GET https://wiki.test/TARGET`, and the header with the target. */
const asks = {
  '/auth-request': (uri: string) => ({ Host: host, 'X-Original-Method': 'GET', 'X-Original-URI': uri }),
  '/forward-auth': (uri: string) => ({ 'X-Forwarded-Host': host, 'X-Forwarded-Method': 'GET', 'X-Forwarded-Uri': uri }),
  '/gateway-fabric': (uri: string) => ({ Host: host, Method: 'GET', Path: uri }),
} as const;

describe.each(Object.entries(asks))('a check at %s', (path, ask) => {
  test('is answered with 200 and the identity headers', async () => {
    const answer = await check(path, { ...ask('/page?x'), ...bearer });
    expect([answer.status, answer.header('X-Forwarded-User'), answer.text]).toEqual([200, 'ada', '']);
    expect(answer.header('X-Meshgate-Rule')).toBe('wiki.test/*#1');
  });

  test.each(Object.keys(ask('/')))('is rejected without %s', async (name) => {
    const { [name]: _, ...rest } = ask('/public/x') as Record<string, string>;
    const answer = await check(path, { ...rest, ...bearer });
    expect([400, 403, 421]).toContain(answer.status);
  });

  test.each([
    '',
    'public/x',
    'https://wiki.test/public/x',
    '//wiki.test/public/x',
    '/public/x /y',
    '/public/x\t',
    '*',
    '/public/x#y',
    '/public/../page',
  ])('is rejected for the target %j', async (uri) => {
    expect([400, 403]).toContain((await check(path, { ...ask(uri), ...bearer })).status);
  });

  test('is rejected if a client has sent the header with the target, too', async () => {
    const given = Object.entries(ask('/page'));
    const [name] = given.at(-1)!;
    for (const pairs of [
      [[name, '/public/x'] as const, ...given],
      [...given, [name, '/public/x'] as const],
    ])
      expect([400, 403]).toContain((await check(path, pairs)).status);
  });

  test.each(['get', 'GET, POST', 'G T', 'CONNECT', 'TRACE'])('is rejected for the method %j', async (method) => {
    const requested = Object.entries(ask('/public/x')).map(
      ([name, value]) => [name, /Method$/.test(name) ? method : value] as const,
    );
    expect([400, 403, 405]).toContain((await check(path, requested)).status);
  });

  test('answers a request for the gateway itself with a refusal, and does not carry it out', async () => {
    for (const uri of [
      '/.meshgate/whoami',
      '/.meshgate/signin?to=/',
      '/.meshgate/check/wiki.test/*',
      '/.meshgate/page/x',
    ])
      expect([403, 404]).toContain((await check(path, { ...ask(uri), ...bearer })).status);
  });
});

describe('a brief refusal', () => {
  test.each([
    ['/page', 401, '401', 'credential_missing'],
    ['/exact/x', 401, '401', 'credential_missing'],
    ['/public/../x', 403, '400', 'path_not_canonical'],
  ])('of %s has the status %i, and says the status and the body of the gateway', async (uri, status, real, reason) => {
    const answer = await check('/auth-request', asks['/auth-request'](uri));
    expect([answer.status, answer.header('X-Meshgate-Status'), answer.header('X-Meshgate-Reason')]).toEqual([
      status,
      real,
      reason,
    ]);
    const problem = JSON.parse(answer.header('X-Meshgate-Problem') ?? '');
    const { request_id, ...known } = (await gateway.send(host, { path: uri })).json();
    if (uri !== '/public/../x')
      expect(problem).toEqual({ ...known, request_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(problem).toMatchObject({ reason, status: Number(real) });
    expect(request_id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('of a page says the URL of the sign-in', async () => {
    const answer = await check('/auth-request', { ...asks['/auth-request']('/page'), ...opening });
    expect([answer.status, answer.header('X-Meshgate-Status')]).toEqual([401, '303']);
    expect(answer.header('Location')).toMatch(/^\/\.meshgate\/signin\?.*to=\/page$/);
  });
});

describe('a check at /envoy/', () => {
  test('is for what follows the prefix, with its own method and host', async () => {
    const answer = await check('/envoy/page', { Host: host, ...bearer }, 'POST');
    expect([answer.status, answer.header('X-Forwarded-User')]).toEqual([200, 'ada']);
    expect((await check('/envoy/page', { Host: 'evil.test', ...bearer })).status).toBe(421);
  });

  test('says which headers of the client Envoy removes: those of the gateway that the answer does not have', async () => {
    const removed = async (path: string, headers = {}) =>
      (await check(path, { Host: host, ...headers })).header('X-Envoy-Auth-Headers-To-Remove')?.split(',') ?? [];
    const anonymous = await removed('/envoy/public/x');
    expect(anonymous).toEqual(
      expect.arrayContaining([
        'X-Forwarded-User',
        'X_Forwarded_User',
        'X-Meshgate-Identity',
        'Authorization',
        'Cookie',
        'DPoP',
      ]),
    );
    const known = await removed('/envoy/page', { ...bearer, Cookie: 'a=1' });
    expect(known).toEqual(expect.arrayContaining(['Authorization', 'X_Forwarded_User']));
    for (const name of ['X-Forwarded-User', 'X-Meshgate-Rule', 'Cookie']) expect(known).not.toContain(name);
  });

  test.each([
    '/envoy/.meshgate/whoami',
    '/envoy/../.meshgate/whoami',
    '/envoy/%2e%2e/.meshgate/whoami',
    '/envoy//x',
    '/envoy',
  ])('is rejected for %s', async (path) => {
    expect([400, 404]).toContain((await check(path, { Host: host, ...bearer })).status);
  });
});

test('the address of the client comes from X-Forwarded-For, and a form without it gives no role of a network', async () => {
  const from = { 'X-Forwarded-For': '10.9.0.7' };
  expect((await check('/auth-request', { ...asks['/auth-request']('/office/x'), ...from })).status).toBe(200);
  expect(
    (await check('/auth-request', { ...asks['/auth-request']('/office/x'), 'X-Forwarded-For': '10.9.0.7, 192.0.2.1' }))
      .status,
  ).toBe(403);
  expect((await check('/auth-request', asks['/auth-request']('/office/x'))).status).toBe(403);
  expect((await check('/gateway-fabric', { ...asks['/gateway-fabric']('/office/x'), ...from })).status).toBe(403);
});

test('an ingress that says the address itself lets no client forge it', async () => {
  for (const [name, behind] of boxes.filter(([name]) => name !== 'envoy')) {
    const answer = await behind.send(host, { path: '/office/x', headers: { 'X-Forwarded-For': '10.9.0.7' } });
    expect([answer.status, answer.json().reason], name).toEqual([403, 'network_refused']);
  }
});

test('a rule that leads to another service allows nothing', async () => {
  const answer = await check('/forward-auth', { ...asks['/forward-auth']('/next/x'), ...bearer });
  expect([answer.status, answer.json().reason]).toEqual([403, 'role_missing']);
});

test('an unsafe request of a session needs Origin or Sec-Fetch-Site, because an ingress may have dropped them', async () => {
  const post = { ...asks['/forward-auth']('/page'), 'X-Forwarded-Method': 'POST', Cookie: session };
  expect((await check('/forward-auth', post)).json().reason).toBe('origin_refused');
  expect((await check('/forward-auth', { ...post, Origin: 'https://wiki.test' })).status).toBe(200);
  expect((await check('/forward-auth', { ...post, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200);
});

describe('nginx as the ingress', () => {
  const without = async (edit: string) => {
    const [, behind] = boxes.find(([name]) => name === 'nginx')!;
    const script = `cp -r /etc/nginx /tmp/n && cp -r /etc/meshgate /tmp/m && sed -i s,/etc/meshgate,/tmp/m, /tmp/n/nginx.conf && ${edit} && nginx -t -c /tmp/n/nginx.conf; code=$?; rm -rf /tmp/n /tmp/m; exit $code`;
    return behind.ingress.exec('sh', '-c', script);
  };

  test('a location inside the one that includes the file is closed without the file', async () => {
    const [, behind] = boxes.find(([name]) => name === 'nginx')!;
    const inside = await behind.send(host, { path: '/public/inside/x', headers: { 'X-Forwarded-User': 'root' } });
    expect(inside.status).toBe(403);
    expect((await behind.send(host, { path: '/public/x' })).status).toBe(200);
  });

  test('starts with the rendered files', async () => {
    expect((await without('true')).exitCode).toBe(0);
  });

  test('does not start without the file for the server', async () => {
    expect((await without(': > /tmp/m/server.conf')).exitCode).not.toBe(0);
  });
});

test('without the sidecar, every ingress is closed', async () => {
  await sidecar.box.stop();
  await wiki.clear();
  for (const [name, behind] of boxes) {
    const answer = await behind.send(host, { path: '/public/x' });
    expect(answer.status, name).toBeGreaterThanOrEqual(500);
  }
  expect(await wiki.requests()).toEqual([]);
});
