/** Sessions at the check: which cookies pass, what the service receives, and how other cookies are refused. */
import { describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { counting, gatewayCase, metric, Sealer, send, waitForWorkers } from '../harness/index.ts';
import { claims, host, now, opening, script, startFixture, textOf } from './session-fixture.ts';

const { gateway, setup, sealer, adas, ada, bearer, acme } = await startFixture('session');
const bob = await sealer.cookie(host, sealer.session('acme', { ...claims, sub: 'bob', groups: [] }));
const stranger = await acme.sign({ aud: 'other', sub: 'carol', groups: ['staff'] });
const over = await sealer.cookie(host, { ...adas, end: now() - 1 });
const unused = await sealer.cookie(host, { ...adas, sealed: now() - 8 * 3600, since: now() - 8 * 3600 });
/** Signed in too long ago for the role admin. */
const early = await sealer.cookie(host, { ...adas, authTime: now() - 1000 });
const boards = await sealer.seal('board.test', adas);
const unknown = await (await Sealer.of(gateway.policy, newRing(now()))).seal(host, adas);
/** A sealed value that no log may show. */
const secret = (cookie: string) => new RegExp(cookie.slice(-40));

describe('a session', () => {
  for (const over of ['http1', 'http2'] as const) {
    gatewayCase(setup, {
      name: `passes with its caller's headers, and its cookie is not forwarded (${over})`,
      host,
      over,
      request: {
        path: '/page?x=1',
        headers: { Cookie: `a=1; ${ada}; __Host-Http-meshgate-a-zz=1; b="2 3"`, ...opening },
      },
      status: 200,
      answer: { 'Set-Cookie': null },
      upstream: {
        url: '/page?x=1',
        headers: {
          'X-Forwarded-User': 'ada',
          'X-Forwarded-Email': 'ada@example.com',
          'X-Forwarded-Groups': 'staff,berlin',
          Cookie: 'a=1; b="2 3"',
        },
        absent: ['X-Meshgate-Cookie', 'X-Meshgate-Origin', 'X-Meshgate-Navigation'],
      },
      log: { fields: { 'user.id': 'ada', 'meshgate.provider': 'acme' }, forbidden: [secret(ada)] },
    });
  }

  gatewayCase(setup, {
    name: 'alone in the line: the service receives no Cookie',
    host,
    request: { path: '/page', headers: { Cookie: ada } },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada' }, absent: ['Cookie'] },
  });

  gatewayCase(setup, {
    name: 'without the gateway’s cookies the line stays unchanged',
    host,
    request: { path: '/public/x', headers: { Cookie: 'a=1;b=2;;  c="; d"' } },
    status: 200,
    upstream: { headers: { Cookie: 'a=1;b=2;;  c="; d"' }, absent: ['X-Forwarded-User'] },
  });

  gatewayCase(setup, {
    name: 'is refused for what its roles do not allow',
    host,
    request: { path: '/page', headers: { Cookie: bob, ...script } },
    status: 403,
    reason: 'role_missing',
    log: { fields: { 'user.id': 'bob' }, forbidden: [secret(bob)] },
  });

  gatewayCase(setup, {
    name: 'sends its headers on a public route',
    host,
    request: { path: '/public/x', headers: { Cookie: ada } },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada' }, absent: ['Cookie'] },
  });

  gatewayCase(setup, {
    name: 'that has expired is an anonymous caller on a public route, and no cookie is set',
    host,
    request: {
      path: '/public/x',
      headers: { Cookie: over, ...opening },
    },
    status: 200,
    answer: { 'Set-Cookie': null },
    upstream: { absent: ['X-Forwarded-User', 'Cookie'] },
  });

  gatewayCase(setup, {
    name: 'is ignored beside a token',
    host,
    request: { path: '/page', token: bearer, headers: { Cookie: `a=1; ${ada}` } },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'carol', Cookie: 'a=1' } },
  });

  gatewayCase(setup, {
    name: 'does not replace an invalid token',
    host,
    request: { path: '/page', token: stranger, headers: { Cookie: ada } },
    status: 401,
    reason: 'audience_mismatch',
  });

  gatewayCase(setup, {
    name: 'is not accepted as a token, even when it is known',
    host,
    request: { path: '/page', token: textOf(ada) },
    status: 401,
    reason: 'token_malformed',
  });

  gatewayCase(setup, {
    name: 'a token is not accepted as a session, even when it is known',
    host,
    request: { path: '/page', headers: { Cookie: `__Host-Http-meshgate=${bearer}` } },
    status: 401,
    reason: 'credential_missing',
  });

  gatewayCase(setup, {
    name: 'is ignored on a route that accepts only tokens',
    host,
    request: { path: '/api/x', headers: { Cookie: ada, ...script } },
    status: 401,
    reason: 'credential_missing',
    answer: { Location: null },
  });

  gatewayCase(setup, {
    name: 'a token on a route that accepts only sessions',
    host,
    request: { path: '/pages/x', token: bearer },
    status: 401,
    reason: 'credential_unsupported',
  });

  gatewayCase(setup, {
    name: 'too old for a role that asks for a recent sign-in: a script receives the reason',
    host,
    request: {
      path: '/admin/x',
      headers: { Cookie: early, ...script },
    },
    status: 401,
    reason: 'step_up_required',
    answer: {
      'WWW-Authenticate': /^Bearer realm="wiki\.test", .*error="insufficient_user_authentication"/,
      Location: null,
    },
  });

  gatewayCase(setup, {
    name: 'too old for a role that asks for a recent sign-in: a page leads to a step up',
    host,
    request: {
      path: '/admin/x?y=1',
      headers: { Cookie: early, ...opening },
    },
    status: 303,
    upstream: 'never',
    answer: { Location: '/.meshgate/signin?step&role=admin&to=/admin/x?y=1' },
  });
});

describe('a cookie that is not a session of this gateway', () => {
  const value = textOf(ada);
  const cookies: readonly (readonly [string, string])[] = [
    ['tampered with', `${value.slice(0, -2)}${value.endsWith('AA') ? 'BB' : 'AA'}`],
    ['cut off', value.slice(0, -30)],
    ['of another host', boards],
    ['of an unknown key', unknown],
    ['no cookie of the gateway at all', 'x'],
  ];
  for (const [what, text] of cookies) {
    gatewayCase(setup, {
      name: `${what}: a script receives the reason, and no cookie`,
      host,
      request: { path: '/page', headers: { Cookie: `__Host-Http-meshgate=${text}`, ...script } },
      status: 401,
      reason: 'credential_missing',
      answer: { 'Set-Cookie': null, Location: null, 'WWW-Authenticate': /^Bearer realm="wiki\.test"/ },
    });

    gatewayCase(setup, {
      name: `${what}: a page leads to sign-in, and loses the cookie`,
      host,
      request: { path: '/page', headers: { Cookie: `__Host-Http-meshgate=${text}`, ...opening } },
      status: 303,
      upstream: 'never',
      answer: { 'Set-Cookie': '__Host-Http-meshgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax' },
    });
  }

  gatewayCase(setup, {
    name: 'two with one name',
    host,
    request: { path: '/page', headers: { Cookie: `${ada}; ${ada}`, ...script } },
    status: 400,
    reason: 'credential_duplicate',
  });

  gatewayCase(setup, {
    name: 'two with one name: a page leads to sign-in, which leaves one',
    host,
    request: { path: '/page', headers: { Cookie: `${ada}; ${ada}`, ...opening } },
    status: 303,
    upstream: 'never',
    answer: { Location: '/.meshgate/signin?in&to=/page' },
  });

  gatewayCase(setup, {
    name: 'beside more cookies of attempts than a browser keeps, between others',
    host,
    request: {
      path: '/page',
      headers: {
        Cookie: `${Array.from({ length: 40 }, (_, i) => `a${i}=1; __Host-Http-meshgate-a-${i}=x`).join('; ')}; ${ada}`,
      },
    },
    status: 200,
  });

  gatewayCase(setup, {
    name: 'two, beside more cookies of attempts than a browser keeps, between others',
    host,
    request: {
      path: '/page',
      headers: { Cookie: `${ada}; ${'a=1; __Host-Http-meshgate-a-1=x; '.repeat(40)}${bob}`, ...script },
    },
    status: 400,
    reason: 'credential_duplicate',
  });

  gatewayCase(setup, {
    name: 'two with one name, in two lines',
    host,
    request: {
      path: '/page',
      headers: [
        ['Cookie', ada],
        ['Cookie', bob],
      ],
    },
    status: 400,
    reason: 'credential_duplicate',
  });

  const ended = [
    ['unused for too long', unused],
    ['at its absolute end', over],
  ] as const;
  for (const [what, cookie] of ended) {
    gatewayCase(setup, {
      name: `${what}: a script receives the reason`,
      host,
      request: {
        path: '/page',
        headers: { Cookie: cookie, ...script },
      },
      status: 401,
      reason: 'session_expired',
      answer: { 'Set-Cookie': null, Location: null },
    });
  }
});

describe('an anonymous caller', () => {
  gatewayCase(setup, {
    name: 'a page leads to sign-in, which remembers the page',
    host,
    request: { path: '/a%20b/c?x=1&to=/y&z=%2F', headers: opening },
    status: 303,
    upstream: 'never',
    answer: { Location: '/.meshgate/signin?in&to=/a%20b/c?x=1&to=/y&z=%2F', 'Set-Cookie': null },
  });

  gatewayCase(setup, {
    name: 'a script receives 401, and begins no sign-in',
    host,
    request: { path: '/page', headers: script },
    status: 401,
    reason: 'credential_missing',
    answer: { 'Set-Cookie': null, Location: null },
  });

  gatewayCase(setup, {
    name: 'a prefetched page begins no sign-in',
    host,
    request: { path: '/page', headers: { ...opening, 'Sec-Purpose': 'prefetch;prerender' } },
    status: 401,
    reason: 'credential_missing',
    answer: { 'Set-Cookie': null, Location: null },
  });

  gatewayCase(setup, {
    name: 'on a public route: no redirect, no cookie',
    host,
    request: { path: '/public/x', headers: opening },
    status: 200,
    answer: { 'Set-Cookie': null },
    upstream: { absent: ['X-Forwarded-User'] },
  });
});

describe('a refusal of the sign-in has the same reason in its answer and in the log', () => {
  test.each([
    ['a callback without an attempt', '/.meshgate/callback?code=a&state=b', {}, 400, 'attempt_unknown'],
    ['a sign-out by a page of another origin', '/.meshgate/signout', { method: 'POST' }, 403, 'origin_refused'],
    ['a page that is not there', '/.meshgate/none', {}, 404, 'route_unknown'],
  ] as const)('%s', async (_, path, more, status, reason) => {
    const mark = await waitForWorkers(gateway, host);
    const headers = { ...opening, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://other.test' };
    const answer = await gateway.send(host, { path, headers, ...more });
    expect([answer.status, answer.header('X-Meshgate-Reason')]).toEqual([status, undefined]);
    const [, id] = /\b([0-9a-f]{32})\b/.exec(answer.text) ?? [];
    expect(answer.text).toContain(reason);
    await waitForWorkers(gateway, host);
    const line = gateway.access(mark).find((it) => it.request_id === id);
    expect(line?.['meshgate.reason']).toBe(reason);
  });

  gatewayCase(setup, {
    name: 'whoami without a credential',
    host,
    request: { path: '/.meshgate/whoami', headers: script },
    status: 401,
    reason: 'credential_missing',
    answer: { 'X-Meshgate-Reason': null },
  });

  gatewayCase(setup, {
    name: 'an invalid sign-out by the provider',
    host,
    request: {
      method: 'POST',
      path: '/.meshgate/backchannel',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'other=x',
    },
    status: 400,
    answer: { 'X-Meshgate-Reason': null },
    log: {
      fields: { 'meshgate.reason': 'token_malformed' },
      expected: [/back-channel sign-out refused: token_malformed/],
    },
  });
});

test('no value that a caller chooses becomes a label of a metric', async () => {
  const names = async () =>
    (await gateway.health('/.meshgate/metrics')).text.split('\n').map((line) => line.slice(0, line.lastIndexOf(' ')));
  const before = new Set(await names());
  const reported = {
    'User-Agent': 'evil',
    traceparent: `00-${'e'.repeat(32)}-${'e'.repeat(16)}-01`,
    'X-Meshgate-Reason': 'evil',
    'X-Meshgate-Caller': 'evil',
    'X-Meshgate-Method': 'EVIL',
    'X-Forwarded-User': 'evil',
    'Mcp-Name': 'evil',
  };
  const claims = { aud: 'wiki', sub: 'evil', azp: 'evil', client_id: 'evil', act: { sub: 'evil' }, groups: ['evil'] };
  const token = await acme.sign(claims);
  const foreign = await acme.sign({ ...claims, iss: 'https://evil.test' });
  for (let i = 0; i < 3; i++) {
    for (const path of [
      ...[
        `/evil${i}`,
        `/evil%2e${i}/..%2f`,
        `/public/evil${i}?evil`,
        `/.meshgate/evil${i}`,
        `/.meshgate/callback/evil${i}`,
      ],
      ...[`/.meshgate/signin?in&provider=evil${i}&to=/evil`, `/.meshgate/frontchannel?iss=https://evil${i}&sid=evil`],
    ]) {
      await gateway.send(host, { path, headers: reported });
      await gateway.send(host, { path, headers: { ...opening, ...reported }, method: `EVIL${i}` });
      await gateway.send(host, { path, headers: { ...reported, Host: `evil${i}.test` } });
      await gateway.send(host, { path, headers: reported, token: i === 0 ? token : i === 1 ? foreign : 'evil' });
    }
  }
  const added = (await names()).filter((name) => !before.has(name));
  expect(added.filter((name) => /evil|%/i.test(name))).toEqual([]);
  // Each of them is one of a reason or a status.
  expect(added.length).toBeLessThan(20);
});

describe('the counters say the same as the log', () => {
  /** Adds up numbers by a text. */
  function sums(all: readonly (readonly [text: string, by: number])[]): Record<string, number> {
    const found: Record<string, number> = {};
    for (const [text, by] of all) found[text] = (found[text] ?? 0) + by;
    return found;
  }
  const OF_SIGNIN = /^\/\.meshgate\/(signin|callback|signout|backchannel)$/;
  const lines = async () => {
    await waitForWorkers(gateway, host);
    return gateway.access();
  };

  test('each refusal of the check, by route, rule and reason', async () => {
    const refused = (await lines()).filter(
      (line) => String(line['http.route']).includes('/') && line['meshgate.reason'] !== '',
    );
    const logged = refused.map(
      (line) => `${line['http.route']} ${line['meshgate.rule']} refused ${line['meshgate.reason']}`,
    );
    const counted = Object.entries(await metric(gateway, 'meshgate_decisions_total'));
    expect(sums(counted.filter(([labels]) => labels.includes(' refused ')))).toEqual(
      sums(logged.map((text) => [text, 1])),
    );
  });

  test('each refusal of the sign-in, by reason', async () => {
    const refused = (await lines()).filter(
      (line) =>
        OF_SIGNIN.test(String(line['url.path'])) && line['server.address'] === host && line['meshgate.reason'] !== '',
    );
    expect(sums(Object.entries(await metric(gateway, 'meshgate_signin_refusals_total')))).toEqual(
      sums(refused.map((line) => [String(line['meshgate.reason']), 1])),
    );
  });

  test('each request that nginx refuses itself, by status, and no other', async () => {
    const counted = await counting(gateway, 'meshgate_unchecked_refusals_total');
    const target = gateway.target(host);
    const statuses = [
      // A line that is no request, a path that is not canonical, and plain HTTP on the port of HTTPS.
      (await gateway.sendRaw(host, 'nonsense\r\n\r\n')).answers[0]?.status,
      (await gateway.send(host, { path: '/a/%2e%2e/b' })).status,
      (await send({ ...target, tls: false })).status,
      (await gateway.send(host, { path: '/.meshgate/none' })).status,
      // In a browser, nginx answers with a page.
      (await gateway.send(host, { path: '/a/%2e%2e/b', headers: opening })).status,
      (await gateway.send(host, { path: '/.meshgate/none', headers: opening })).status,
      (await gateway.send(host, { method: 'TRACE' })).status,
      (await gateway.send(host, { method: 'POST', headers: { 'Content-Length': '99999999999' }, body: '' })).status,
      (await gateway.send(host, { path: `/${'x'.repeat(40_000)}` })).status,
      (await gateway.send(host, { headers: { 'X-Long': 'x'.repeat(40_000) } })).status,
      (await gateway.send(host, { headers: { Host: 'unknown.test' } })).status,
      // The check decides these: allowed, refused, and without a service.
      (await gateway.send(host, { headers: { Cookie: ada } })).status,
      (await gateway.send(host, { headers: script })).status,
      (await gateway.send(host, { path: '/.meshgate/whoami', headers: script })).status,
      (await gateway.send(host, { path: '/.meshgate/callback' })).status,
    ];
    expect(statuses).toEqual([400, 400, 400, 404, 400, 404, 405, 413, 400, 400, 421, 200, 401, 401, 400]);
    await waitForWorkers(gateway, host);
    // The last request of `waitForWorkers` is too large too.
    expect(await counted()).toEqual({ 400: 6, 404: 2, 405: 1, 413: 2, 421: 1 });
  });
});
