/** Sessions at the check: pages of other origins, whoami, and key rotation. */
import { describe, expect, test } from 'vitest';
import { rotateRing } from '../../src/session/keys/rotate-ring.ts';
import { gatewayCase, Sealer, until, valuesOf } from '../harness/index.ts';
import { host, keysFile, now, opening, startFixture, textOf } from './session-fixture.ts';

const { gateway, wiki, setup, adas, ada, bearer, ring } = await startFixture('session-origin');

describe('a page of another origin', () => {
  const origins: readonly (readonly [string, string, string | undefined, number])[] = [
    ['the host’s own page', '/page', 'https://wiki.test', 200],
    ['a program', '/page', undefined, 200],
    ['another host of the gateway', '/page', 'https://board.test', 403],
    ['its own over plain HTTP', '/page', 'http://wiki.test', 403],
    ['an origin that begins alike', '/page', 'https://wiki.test.evil.example', 403],
    ['a page that hides its origin', '/page', 'null', 403],
    ['an origin that the route names', '/shared/x', 'https://app.wiki.test', 200],
    ['an origin that another route names', '/page', 'https://app.wiki.test', 403],
    ['any page, on a public route', '/public/x', 'https://evil.example', 403],
  ];
  for (const [what, path, origin, status] of origins) {
    gatewayCase(setup, {
      name: `sends a form with a session: ${what}: ${status}`,
      host,
      request: { method: 'POST', path, body: 'x=1', headers: { Cookie: ada, ...(origin && { Origin: origin }) } },
      status,
      ...(status === 403 && { reason: 'origin_refused' }),
    });
  }

  for (const [site, status] of [
    ['same-origin', 200],
    ['same-site', 403],
    ['cross-site', 403],
    ['none', 403],
  ] as const) {
    gatewayCase(setup, {
      name: `sends a form with a session and hides its origin, and the browser says ${site}: ${status}`,
      host,
      request: { method: 'POST', path: '/page', headers: { Cookie: ada, Origin: 'null', 'Sec-Fetch-Site': site } },
      status,
      ...(status === 403 && { reason: 'origin_refused' }),
    });
  }

  gatewayCase(setup, {
    name: 'sends a form without an Origin, and the browser says that it is another site',
    host,
    request: { method: 'POST', path: '/page', headers: { Cookie: ada, 'Sec-Fetch-Site': 'cross-site' } },
    status: 403,
    reason: 'origin_refused',
  });

  gatewayCase(setup, {
    name: 'opens a page by a link',
    host,
    request: { path: '/page', headers: { Cookie: ada, ...opening, 'Sec-Fetch-Site': 'cross-site' } },
    status: 200,
  });

  gatewayCase(setup, {
    name: 'sends a token, which is checked instead of its session',
    host,
    request: { method: 'POST', path: '/page', token: bearer, headers: { Origin: 'https://evil.example' } },
    status: 200,
  });

  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  gatewayCase(setup, {
    name: 'opens a WebSocket',
    host,
    request: {
      path: '/stream/x',
      headers: {
        Cookie: ada,
        ...upgrade,
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        Origin: 'https://evil.example',
      },
    },
    status: 403,
    reason: 'origin_refused',
  });

  test('a WebSocket of the host itself passes', async () => {
    await wiki.clear();
    const { answers } = await gateway.sendRaw(
      host,
      `GET /stream/x HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://wiki.test\r\nCookie: ${ada}\r\n\r\n`,
      { expect: 1 } as object,
    );
    expect(answers[0]?.status).not.toBe(403);
    const [received] = await wiki.requests();
    expect(valuesOf(received!, 'X-Forwarded-User')).toEqual(['ada']);
  });
});

describe('whoami', () => {
  gatewayCase(setup, {
    name: 'by a session',
    host,
    request: { path: '/.meshgate/whoami', headers: { Cookie: ada } },
    status: 200,
    upstream: 'never',
    answer: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
  });

  test('describes each credential', async () => {
    const session = await gateway.send(host, { path: '/.meshgate/whoami', headers: { Cookie: ada } });
    expect(session.json()).toEqual({
      subject: 'ada',
      provider: 'acme',
      roles: ['staff', 'admin'],
      groups: ['staff', 'berlin'],
      email: 'ada@example.com',
      credential: 'session',
      expires: adas.sealed + 8 * 3600,
      fresh_until: adas.fresh,
      auth_time: adas.authTime,
    });
    const token = await gateway.send(host, { path: '/.meshgate/whoami', token: bearer });
    expect(token.json()).toMatchObject({ subject: 'carol', credential: 'bearer', roles: ['staff'] });
  });

  gatewayCase(setup, {
    name: 'without a credential',
    host,
    request: { path: '/.meshgate/whoami' },
    status: 401,
    upstream: 'never',
    answer: { 'Content-Type': 'application/problem+json', 'WWW-Authenticate': /^Bearer realm="wiki\.test"/ },
  });
});

test('a session survives a rotation of the keys, and ends when its key is removed, without a reload', async () => {
  const rotated = await rotateRing(ring, now(), 86400, true);
  if (!rotated.ok) throw new Error(rotated.error);
  await gateway.box.write({ [keysFile]: rotated.text });
  const young = await (await Sealer.of(gateway.policy, rotated.text)).cookie(host, adas);
  const status = async (cookie: string) => (await gateway.send(host, { headers: { Cookie: cookie } })).status;
  await until(async () => (await status(young)) === 200, { what: 'a session of the new key to pass' });
  expect(await status(ada)).toBe(200);
  const { keys } = JSON.parse(rotated.text) as { keys: { kid: string }[] };
  const old = textOf(ada).split('.')[0];
  await gateway.box.write({ [keysFile]: JSON.stringify({ keys: keys.filter(({ kid }) => kid !== old) }) });
  await until(async () => (await status(ada)) === 401, { what: 'the end of the old key' });
  expect(await status(young)).toBe(200);
});
