/**
 * A service has the same origin as the gateway's own pages. It can neither imitate them nor read them, and it cannot
 * use the gateway's cookies.
 */
import { describe, expect, test } from 'vitest';
import { host, opening, startFixture } from '../gateway/session-fixture.ts';
import { gatewayCase, type Sent } from '../harness/index.ts';

const { gateway, setup, ada, bearer } = await startFixture('one-origin');

describe('a path that reads as one of the gateway’s own', () => {
  for (const path of [
    '/.meshgate',
    '/.meshgate?x',
    '/.MESHGATE/signin',
    '/.Meshgate/signout?x',
    '/.mesHgate',
    '/.meshgate/no-such-page',
    '/.MESHGATE/callback/',
    'https://wiki.test/.MESHGATE/signin',
  ]) {
    gatewayCase(setup, {
      name: `reaches no service: ${path}`,
      host,
      request: { path, headers: { Cookie: ada } },
      status: 404,
      reason: 'route_unknown',
      upstream: 'never',
    });
  }

  for (const path of [
    '//.meshgate/signin',
    '/.meshgate//signin',
    '/%2emeshgate/signin',
    '/.%6Deshgate/signin',
    '/x/../.meshgate',
  ]) {
    gatewayCase(setup, {
      name: `reaches no service in another spelling: ${path}`,
      host,
      request: { path, headers: { Cookie: ada } },
      status: 400,
      reason: 'path_not_canonical',
      upstream: 'never',
    });
  }

  gatewayCase(setup, {
    name: 'is a page for a browser, with the gateway’s policy for content',
    host,
    request: { path: '/.MESHGATE/signin', headers: { Cookie: ada, ...opening } },
    status: 404,
    upstream: 'never',
    answer: { 'Content-Security-Policy': /default-src 'none'/ },
  });

  for (const path of ['/.meshgate-not/x', '/x/.meshgate', '/meshgate']) {
    gatewayCase(setup, {
      name: `is another name: ${path}`,
      host,
      request: { path, headers: { Cookie: ada } },
      status: 200,
    });
  }
});

describe('a cookie of the gateway in a service’s response', () => {
  const reported = (lines: readonly string[], more = ''): Sent => ({
    path: `/x?${lines.map((line) => `echo-header=${encodeURIComponent(`Set-Cookie:${line}`)}`).join('&')}${more}`,
    headers: { Cookie: ada },
  });
  /** The lines that a browser receives, over HTTP/1.1 and over HTTP/2. */
  const received = async (sent: Sent) =>
    [await gateway.send(host, sent), ...(await gateway.sendHttp2(host, sent))].map((answer) =>
      answer.all('Set-Cookie'),
    );

  const others = [
    'a=1, b; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
    'b=2;\tPath=/;  HttpOnly ;x',
    '__Host-other=3; Secure; Path=/',
    '__Secure-meshgate=4; Secure',
    'c=%22__Host-Http-meshgate%22; Path=/c',
  ];
  const ours = [
    '__Host-Http-meshgate=evil; Path=/; Secure',
    '__Host-Http-meshgate=; Max-Age=0; Path=/; Secure',
    '\t__Host-Http-meshgate=evil;\tSecure;\tPath=/',
    '=__Host-Http-meshgate=evil; Secure; Path=/',
    '__HOST-meshgate-a-1.abcdefgh=evil; Secure; Path=/',
    'd=5; Path=/, __Host-Http-meshgate=evil; Secure; Path=/',
  ];

  test.each(ours)('is not set: %j', async (line) => {
    expect(await received(reported([line]))).toEqual([[], []]);
  });

  test('is removed, and all others stay, in their order: an HttpOnly one has a mark, and the rest is unchanged', async () => {
    const mixed = others.flatMap((line, i) => [ours[i] as string, line]);
    const plain = (await received(reported(mixed))).map((lines) =>
      lines.map((it) => it.replace(/~mg-[\w-]{16}/, '~mg-MARK')),
    );
    const marked = others.map((line) => line.replace('b=2;', 'b=2~mg-MARK;'));
    expect(plain).toEqual([marked, marked]);
  });

  test.each(['302', '304', '404', '500'])('is not set by a response with status %s', async (status) => {
    const sent = reported([ours[0] as string, others[0] as string], `&echo-status=${status}`);
    expect(await received(sent)).toEqual([[others[0]], [others[0]]]);
  });

  test('is not set on a route that anyone may use', async () => {
    const { path } = reported(ours);
    expect(await received({ path: `/public${path}` })).toEqual([[], []]);
  });
});

describe('a service that tells browsers to clear their data', () => {
  const wishes: readonly (readonly [readonly string[], string | undefined])[] = [
    [['"cookies"'], undefined],
    [['"COOKIES"'], undefined],
    [['"cache", "cookies", "storage"'], '"cache",, "storage"'],
    [['"cookies"', '"storage"'], ', "storage"'],
    [['"cookies"', '"cache"', '"cookies"'], undefined],
    [['cookies'], undefined],
    // What is left if the word is removed is the word again.
    [['"coo"cookies"kies"'], undefined],
    [['"cache"', '"coo"COOKIES"kies"'], undefined],
    [['"cookies" , "cache"'], ', "cache"'],
    [['"*"'], '"cache", "storage"'],
    [['"cache"', '"*"'], '"cache", "storage"'],
    [['"cache", "storage", "executionContexts"'], '"cache", "storage", "executionContexts"'],
  ];
  const places: readonly (readonly [string, string, Record<string, string>])[] = [
    [host, '/page/x', { Cookie: ada }],
    [host, '/public/x', {}],
    [host, '/shared/x', { Cookie: ada, Origin: 'https://app.wiki.test' }],
    // This host has no sign-in; browsers clear the cookies of the whole site if one host of it says so.
    ['tools.wiki.test', '/x', {}],
  ];
  test.each(wishes)('keeps the cookies: %j', async (lines, left) => {
    const query = lines.map((line) => `echo-header=${encodeURIComponent(`Clear-Site-Data:${line}`)}`).join('&');
    for (const [at, path, headers] of places) {
      for (const status of [200, 404]) {
        const sent: Sent = { path: `${path}?${query}&echo-status=${status}`, headers };
        for (const answer of [await gateway.send(at, sent), ...(await gateway.sendHttp2(at, sent))]) {
          const expected = left === undefined ? [] : [left];
          expect([at, answer.status, ...answer.all('Clear-Site-Data')]).toEqual([at, status, ...expected]);
        }
      }
    }
  });
});

describe('a service worker', () => {
  const script = { Cookie: ada, 'Service-Worker': 'script', 'Sec-Fetch-Dest': 'serviceworker' };
  const scope = 'echo-header=Service-Worker-Allowed:/';
  for (const [at, path] of [
    ['wiki.test', '/sw.js'],
    ['wiki.test', '/page/sw.js'],
    ['wiki.test', '/public/sw.js'],
    ['wiki.test', '/shared/sw.js'],
    ['wiki.test', '/app'],
    ['board.test', '/sw.js'],
  ] as const) {
    for (const headers of [script, { 'Service-Worker': 'script' }]) {
      gatewayCase(setup, {
        name: `is not fetched from ${at}${path}, ${'Cookie' in headers ? 'with a session' : 'by anyone'}`,
        host: at,
        request: { path, headers },
        status: 403,
        reason: 'worker_refused',
        upstream: 'never',
      });
    }
  }

  for (const path of ['/app/sw.js', '/tool/sw.js', '/tool']) {
    gatewayCase(setup, {
      name: `is fetched from ${path}, which allows it`,
      host,
      request: { path, headers: script },
      status: 200,
    });
  }

  test.each(['/page/x', '/app/sw.js', '/tool/sw.js', '/shared/x', '/public/x'])(
    'has no wider scope by %s',
    async (path) => {
      const sent: Sent = { path: `${path}?${scope}`, headers: { Cookie: ada } };
      for (const answer of [await gateway.send(host, sent), ...(await gateway.sendHttp2(host, sent))]) {
        expect([answer.status, answer.header('Service-Worker-Allowed')]).toEqual([200, undefined]);
      }
    },
  );
});

describe('a response of a service without cache headers', () => {
  const kept = async (path: string, headers: Record<string, string>) =>
    [await gateway.send(host, { path, headers }), ...(await gateway.sendHttp2(host, { path, headers }))].map(
      (answer) => [answer.status, ...answer.all('Cache-Control')],
    );
  const own = 'echo-header=Cache-Control:';

  test.each<[string, string, Record<string, string>, (string | number)[]]>([
    ['is private for a person with a session', '/page/x', { Cookie: ada }, [200, 'private, no-cache']],
    ['is private on a route for anyone, too', '/public/x', { Cookie: ada }, [200, 'private, no-cache']],
    [
      'is private where the service has an error',
      '/page/x?echo-status=404',
      { Cookie: ada },
      [404, 'private, no-cache'],
    ],
    ['is private on a route for pages of other origins', '/shared/x', { Cookie: ada }, [200, 'private, no-cache']],
    ['is private for a token', '/page/x', { Authorization: `Bearer ${bearer}` }, [200, 'private, no-cache']],
    ['stays unchanged for an anonymous caller', '/public/x', {}, [200]],
    [
      'is the service’s own header, if it sends one',
      `/page/x?${own}max-age%3D60`,
      { Cookie: ada },
      [200, 'max-age=60'],
    ],
    ['is public, if the service says so', `/page/x?${own}public`, { Cookie: ada }, [200, 'public']],
  ])('%s', async (_, path, headers, expected) => {
    expect(await kept(path, headers)).toEqual([expected, expected]);
  });
});

describe('a request with too many cookies, which a page of a related site set', () => {
  // Over HTTP/2 nginx ends the connection for such a long field; browsers send one field for each cookie there.
  const ask = (headers: Record<string, string>) =>
    gateway.send(host, { path: '/page/x', headers: { ...headers, Cookie: `a=${'x'.repeat(40_000)}` } });

  test('receives a page that says why', async () => {
    const answer = await ask(opening);
    expect([answer.status, answer.header('Content-Type')]).toEqual([400, 'text/html; charset=utf-8']);
    expect(answer.text).toContain('Delete the cookies of this site');
    expect(answer.text).not.toContain('xxx');
  });

  test('receives the reason if it is a script', async () => {
    const answer = await ask({ Accept: '*/*' });
    expect([answer.status, answer.json().reason]).toEqual([400, 'header_too_large']);
  });
});

describe('with gateway.hsts, every response has the header once', () => {
  const cookie = { Cookie: ada };
  test.each<[string, Sent, number]>([
    ['a service’s response', { path: '/page/x', headers: cookie }, 200],
    ['a service’s response on a route for other pages', { path: '/shared/x', headers: cookie }, 200],
    [
      'a service’s that says another',
      { path: '/page/x?echo-header=Strict-Transport-Security:max-age%3D0', headers: cookie },
      200,
    ],
    ['a service’s error', { path: '/page/x?echo-status=500', headers: cookie }, 500],
    ['a refusal', { path: '/page/x' }, 401],
    [
      'a page',
      { path: '/pages/x', headers: { ...opening, ...cookie, Origin: 'https://evil.example' }, method: 'POST' },
      403,
    ],
    ['a way to the sign-in', { path: '/page/x', headers: opening }, 303],
    ['the sign-in’s', { path: '/.meshgate/signout', headers: opening }, 200],
    ['whoami’s', { path: '/.meshgate/whoami', headers: cookie }, 200],
    ['an unknown path’s', { path: '/.meshgate/x' }, 404],
    ['a path that is not canonical', { path: '/a//b' }, 400],
    ['a worker’s', { path: '/sw.js', headers: { 'Service-Worker': 'script' } }, 403],
  ])('%s', async (_, sent, status) => {
    for (const answer of [await gateway.send(host, sent), ...(await gateway.sendHttp2(host, sent))]) {
      expect([answer.status, ...answer.all('Strict-Transport-Security')]).toEqual([
        status,
        'max-age=31536000; includeSubDomains',
      ]);
    }
  });
});
