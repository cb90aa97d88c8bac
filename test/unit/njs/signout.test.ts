import { afterEach, describe, expect, test, vi } from 'vitest';
import { EPOCH } from '../../../src/njs/shared/epoch.ts';
import { makeToken, type TokenParts } from '../token/maker.ts';
import { stopClock } from './fake-ngx.ts';
import { type Behaviour as FakeBehaviour, type FakeBrowser, HOST, ISSUER, Lab, labNgx, OTHER } from './signin-lab.ts';

stopClock(labNgx);

const URL_OUT = `https://${HOST}/.meshgate/signout`;
const own = { Origin: `https://${HOST}`, 'Sec-Fetch-Site': 'same-origin' };

/** A response that deletes the session cookie in both forms: a script may have set a partitioned one. */
const ENDED = ['; Partitioned', ''].map(
  (form) => `__Host-Http-meshgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax${form}`,
);

let made: Lab;

function lab(options: ConstructorParameters<typeof Lab>[0] = {}): Lab {
  made = new Lab(options);
  made.provider.behaviour = { metadata: { end_session_endpoint: `${ISSUER}/end` }, refreshToken: 'REFRESH-SECRET' };
  return made;
}

afterEach(() => expect(made.logged).not.toMatch(/SECRET|S3CRET|eyJ|k1\.\d/));

/** The revocations without their times. */
const revoked = ({ ngx }: Lab): string[] => ngx.zones.revoked.keys().sort();

async function signedIn(of: Lab): Promise<FakeBrowser> {
  const browser = of.browser();
  await browser.signIn();
  return browser;
}

describe('signing out', () => {
  test('asks with GET, and ends nothing', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const { status, body, headers } = await browser.get(URL_OUT);
    expect(status).toBe(200);
    expect(body).toContain('<form method="post" action="/.meshgate/signout">');
    expect(headers['Cache-Control']).toBe('no-store');
    expect(await browser.session()).toBeDefined();
    expect(revoked(of)).toEqual([]);
  });

  test.each(['first', 'last'])(
    'ends each session of a browser in which a script has set another one, %s',
    async (place) => {
      const of = lab();
      const [browser, other] = [await signedIn(of), await signedIn(of)];
      of.provider.behaviour.claims = { sub: 'eve' };
      await other.signIn();
      const [mine, planted] = [browser.jar().get('__Host-Http-meshgate')!, other.jar().get('__Host-Http-meshgate')!];
      const line = (place === 'first' ? [planted, mine] : [mine, planted]).map((it) => `__Host-Http-meshgate=${it}`);
      const asks = await of.ask(URL_OUT, line.join('; '));
      expect(asks.body).toContain('<form method="post" action="/.meshgate/signout">');
      const answer = await of.ask(URL_OUT, line.join('; '), { method: 'POST', headers: own });
      expect([answer.status, answer.setCookies]).toEqual([303, ENDED]);
      for (const text of [mine, planted]) {
        expect(await of.context.keyring.sessionsOf(HOST, `__Host-Http-meshgate=${text}`, Date.now() / 1000)).toEqual(
          [],
        );
      }
    },
  );

  test('ends the session beside a cookie that a script made up', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const mine = `__Host-Http-meshgate=${browser.jar().get('__Host-Http-meshgate')}`;
    const headers = own;
    await of.ask(URL_OUT, `__Host-Http-meshgate=x; ${mine}`, { method: 'POST', headers });
    expect(await of.context.keyring.sessionsOf(HOST, mine, Date.now() / 1000)).toEqual([]);
    expect(revoked(of)).toEqual([`out\n${ISSUER}\nada\n`]);
  });

  test('ends cookie, session and record with POST, then leads to the provider with the hint, and back', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const session = (await browser.session())!;
    const answer = await browser.get(URL_OUT, { method: 'POST', headers: own });
    expect(answer.status).toBe(303);
    const to = new URL(answer.location!);
    expect(to.origin + to.pathname).toBe(`${ISSUER}/end`);
    const { id_token_hint: hint = '', state = '', ...others } = Object.fromEntries(to.searchParams);
    expect(JSON.parse(Buffer.from(hint.split('.')[1]!, 'base64url').toString())).toMatchObject({ sub: 'ada' });
    expect(others).toEqual({ client_id: 'wiki', post_logout_redirect_uri: URL_OUT });
    expect(answer.setCookies).toEqual(ENDED);
    expect([...browser.jar().keys()]).toEqual([]);
    expect(revoked(of)).toEqual([`out\n${ISSUER}\nada\n`]);
    expect(await of.context.store.get(session.sid)).toBeUndefined();
    const back = await browser.get(`${URL_OUT}?state=${state}`);
    expect([back.status, back.body.includes('signed out')]).toEqual([200, true]);
    expect(back.body).not.toContain('<form');
  });

  test('accepts no state of another kind, of another host, or of another gateway', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const begun = (await browser.begin()).searchParams.get('state')!;
    const other = await of.context.keyring.sealFor('state', OTHER, '{"signout":1}', Date.now() / 1000);
    for (const state of [begun, other, 'made-up', '']) {
      const { status, body } = await browser.get(`${URL_OUT}?state=${state}`);
      expect([status, body.includes('attempt_unknown')]).toEqual([400, true]);
    }
  });

  test('by the form of another site, or by another method, is refused', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const foreign: Record<string, string>[] = [
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      { Origin: `https://${OTHER}`, 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'null' },
      { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ];
    for (const headers of foreign) {
      const { status, body, setCookies } = await browser.get(URL_OUT, { method: 'POST', headers });
      expect([status, body.includes('origin_refused'), setCookies]).toEqual([403, true, []]);
    }
    expect((await browser.get(URL_OUT, { method: 'DELETE' })).status).toBe(405);
    expect(revoked(of)).toEqual([]);
    expect(await browser.session()).toBeDefined();
  });

  test('says that it ends only this session if the provider has no sign-out', async () => {
    const of = lab();
    of.provider.behaviour = {};
    const browser = await signedIn(of);
    const { location } = await browser.get(URL_OUT, { method: 'POST', headers: own });
    expect(location).toBe(`${URL_OUT}?here`);
    expect((await browser.get(location!)).body).toContain('signed out');
  });

  test('without a session removes the cookie and says so', async () => {
    const of = lab();
    const browser = of.browser();
    browser.jar().set('__Host-Http-meshgate', 'none.of.ours');
    const { location } = await browser.get(URL_OUT, { method: 'POST', headers: own });
    expect([location, browser.jar().size]).toEqual([`${URL_OUT}?done`, 0]);
    expect((await browser.get(location!)).body).not.toContain('<form');
  });

  /** The provider's discovery document is not cached any more, and must be fetched. */
  const forgetProvider = ({ ngx }: Lab): void => {
    ngx.zones.keys.clear();
    ngx.zones.locks.clear();
  };

  test('has ended the session before any call to the provider', async () => {
    const of = lab();
    const browser = await signedIn(of);
    forgetProvider(of);
    const { fetch } = of.ngx;
    const before: string[][] = [];
    of.ngx.fetch = (...called) => {
      before.push(revoked(of));
      return fetch(...called);
    };
    const { location } = await browser.get(URL_OUT, { method: 'POST', headers: own });
    expect(before).toEqual([[`out\n${ISSUER}\nada\n`]]);
    expect(location?.startsWith(`${ISSUER}/end?`)).toBe(true);
  });

  test('stays in force if the provider’s sign-out address is unknown, and says so', async () => {
    const of = lab();
    const browser = await signedIn(of);
    vi.spyOn(of.context.metadata, 'of').mockRejectedValueOnce(new Error('it is broken'));
    const { status, location, setCookies } = await browser.get(URL_OUT, { method: 'POST', headers: own });
    expect([status, location, setCookies.length]).toEqual([303, `${URL_OUT}?here`, 2]);
    expect(revoked(of)).toEqual([`out\n${ISSUER}\nada\n`]);
    expect(of.logged).toContain('a sign-out does not continue at okta');
  });

  test('that cannot be stored says so, and removes the cookie', async () => {
    const of = lab();
    const browser = await signedIn(of);
    of.ngx.zones.revoked.room = 0;
    const { status, setCookies } = await browser.get(URL_OUT, { method: 'POST', headers: own });
    of.ngx.zones.revoked.room = Number.POSITIVE_INFINITY;
    expect([status, setCookies.length]).toEqual([503, 2]);
    expect(of.logged).toContain('meshgate_revoked is full');
  });
});

describe('a sign-out at a provider with a revocation endpoint', () => {
  const revoking = (behaviour: FakeBehaviour = {}): Lab => {
    const of = lab();
    const metadata = { ...of.provider.behaviour.metadata, revocation_endpoint: `${ISSUER}/revoke` };
    of.provider.behaviour = { ...of.provider.behaviour, ...behaviour, metadata };
    return of;
  };
  const out = async (of: Lab) => (await signedIn(of)).get(URL_OUT, { method: 'POST', headers: own });

  test('revokes the refresh token, once, as the OAuth client, after the response to the browser', async () => {
    const of = revoking();
    const browser = await signedIn(of);
    const session = (await browser.session())!;
    const { status, location } = await browser.get(URL_OUT, { method: 'POST', headers: own });
    expect([status, location?.startsWith(`${ISSUER}/end?`)]).toEqual([303, true]);
    const [requested, ...more] = of.provider.calls('/revoke');
    expect(more).toEqual([]);
    expect([requested?.method, Object.fromEntries(requested!.params)]).toEqual([
      'POST',
      { token: 'REFRESH-SECRET', token_type_hint: 'refresh_token' },
    ]);
    expect(requested?.authorization).toMatch(/^Basic /);
    expect(await of.context.store.get(session.sid)).toBeUndefined();
    expect(of.logged).toContain('okta revoked the refresh token');
  });

  test.each<[string, FakeBehaviour, string]>([
    ['refuses', { revocation: { status: 400, body: { error: 'unsupported_token_type' } } }, 'unsupported_token_type'],
    ['has an error', { revocation: { status: 503, body: {} } }, 'answered 503'],
    ['hangs up', { revocation: 'hangs up' }, 'the connection was closed'],
  ])('is a sign-out all the same if it %s, and the log says so', async (_, behaviour, says) => {
    const of = revoking(behaviour);
    const { status, setCookies } = await out(of);
    expect([status, setCookies.length, revoked(of)]).toEqual([303, 2, [`out\n${ISSUER}\nada\n`]]);
    expect(of.provider.calls('/revoke').length).toBe(1);
    expect(of.logged).toContain('okta did not revoke the refresh token of a session that was signed out: ');
    expect(of.logged).toContain(says);
  });

  test('makes no call without a refresh token, or to a provider without such an endpoint', async () => {
    const without = revoking();
    delete without.provider.behaviour.refreshToken;
    await out(without);
    expect(without.provider.calls('/revoke')).toEqual([]);
    const other = lab();
    await out(other);
    expect(other.provider.calls('/revoke')).toEqual([]);
    expect(other.logged).not.toContain('refresh token');
  });

  test.each(['', `http://issuer.example.com/revoke`, 'https://10.0.0.1/revoke'])(
    'signs in and out without it if its address is invalid (%j), and the log says so',
    async (uri) => {
      const of = lab();
      const metadata = { ...of.provider.behaviour.metadata, revocation_endpoint: uri };
      of.provider.behaviour = { ...of.provider.behaviour, metadata };
      const { status } = await out(of);
      expect([status, revoked(of)]).toEqual([303, [`out\n${ISSUER}\nada\n`]]);
      expect(of.provider.calls('/revoke')).toEqual([]);
      expect(of.logged).toMatch(/sign-in through okta: .*"revocation_endpoint".*; a sign-out revokes no refresh token/);
    },
  );

  test('by the form of another site revokes nothing', async () => {
    const of = revoking();
    const browser = await signedIn(of);
    await browser.get(URL_OUT, { method: 'POST', headers: { Origin: 'https://evil.example' } });
    expect(of.provider.calls('/revoke')).toEqual([]);
  });
});

describe('after a sign-out, at a provider whose session continues', () => {
  const page = '__Host-Http-meshgate';
  const passes = async (of: Lab, text: string) =>
    (await of.context.keyring.sessionOf(HOST, `${page}=${text}`, Date.now() / 1000)) !== undefined;
  const at = (seconds: number) => vi.setSystemTime(seconds * 1000);

  test.each([0, 1, 29, 31, 600])(
    'a person signs in again %i s later, and the earlier session has ended',
    async (later) => {
      const of = lab();
      const browser = await signedIn(of);
      const before = browser.jar().get(page)!;
      const now = Math.floor(Date.now() / 1000);
      await browser.get(URL_OUT, { method: 'POST', headers: own });
      at(now + later);
      await browser.signIn();
      const after = browser.jar().get(page)!;
      expect([await passes(of, before), await passes(of, after)]).toEqual([false, true]);
      at(now + later + 2);
      await browser.get(URL_OUT, { method: 'POST', headers: own });
      expect(await passes(of, after)).toBe(false);
    },
  );

  test('other sessions of the same provider session end with it, and a new one is not ended by a third', async () => {
    const of = lab();
    const [first, second] = [await signedIn(of), await signedIn(of)];
    const now = Math.floor(Date.now() / 1000);
    at(now + 5);
    await first.get(URL_OUT, { method: 'POST', headers: own });
    expect(await passes(of, second.jar().get(page)!)).toBe(false);
    at(now + 10);
    await first.signIn();
    of.provider.behaviour = { ...of.provider.behaviour, claims: { sid: 'op-other' } };
    const third = await signedIn(of);
    at(now + 50);
    await third.get(URL_OUT, { method: 'POST', headers: own });
    expect([await passes(of, first.jar().get(page)!), await passes(of, third.jar().get(page) ?? '')]).toEqual([
      true,
      false,
    ]);
  });

  test('a sign-in that began earlier is rejected, and the next one passes', async () => {
    const of = lab();
    const [browser, other] = [await signedIn(of), of.browser()];
    const back = of.provider.authorize(await other.begin());
    const now = Math.floor(Date.now() / 1000);
    at(now + 5);
    await browser.get(URL_OUT, { method: 'POST', headers: own });
    at(now + 6);
    const answer = await other.get(back);
    expect([answer.status, answer.body.includes('revoked'), other.jar().has(page)]).toEqual([401, true, false]);
    await other.signIn();
    expect(await passes(of, other.jar().get(page)!)).toBe(true);
  });
});

describe('a front-channel sign-out', () => {
  const url = (iss: string, sid: string) =>
    `https://${HOST}/.meshgate/frontchannel?iss=${encodeURIComponent(iss)}&sid=${sid}`;

  test('ends the session of the cookie, if issuer and session match', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const text = browser.jar().get('__Host-Http-meshgate')!;
    const { status, setCookies } = await browser.get(url(ISSUER, 'op-session'));
    expect([status, setCookies.length]).toEqual([200, 2]);
    expect(revoked(of)).toEqual([`out\n${ISSUER}\nada\n`]);
    expect(await of.session(HOST, text)).toBeDefined();
    expect(await of.context.keyring.sessionOf(HOST, `__Host-Http-meshgate=${text}`, Date.now() / 1000)).toBeUndefined();
  });

  test('revokes nothing without authentication', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const anonymous = await of.browser().get(url(ISSUER, 'op-session'));
    expect([anonymous.status, anonymous.setCookies]).toEqual([200, []]);
    const plain = `https://${HOST}/.meshgate/frontchannel`;
    for (const wrong of [
      url('https://other.example', 'op-session'),
      url(ISSUER, 'other'),
      plain,
      `${plain}?sid=op-session`,
      `${url(ISSUER, 'op-session')}&sid=op-session`,
    ]) {
      const { status, setCookies } = await browser.get(wrong);
      expect([status, setCookies]).toEqual([200, []]);
    }
    expect(revoked(of)).toEqual([]);
  });
});

describe('a back-channel sign-out', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const event = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  let jti = 0;

  const claims = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
    iss: ISSUER,
    aud: 'wiki',
    iat: now(),
    exp: now() + 120,
    jti: `j${++jti}`,
    sid: 'op-session',
    events: event,
    ...more,
  });

  const token = (more: Record<string, unknown> = {}, parts: Omit<TokenParts, 'claims'> = {}): string =>
    makeToken({ header: { typ: 'logout+jwt' }, ...parts, claims: claims(more) });

  const send = (of: Lab, text: string, more: Parameters<Lab['ask']>[2] = {}) =>
    of.ask(`https://${HOST}/.meshgate/backchannel`, '', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `logout_token=${text}`,
      ...more,
    });

  test('of a session ends that session of the provider, on every host', async () => {
    const of = lab();
    const { status, body, headers } = await send(of, token());
    expect([status, body, headers['Cache-Control']]).toEqual([200, '', 'no-store']);
    expect(revoked(of)).toEqual([`psid\n${ISSUER}\nop-session\n`]);
  });

  test('of a person ends earlier sessions', async () => {
    const of = lab();
    const at = now() - 5;
    expect((await send(of, token({ sid: undefined, sub: 'ada', iat: at }))).status).toBe(200);
    expect(of.ngx.zones.revoked.items()).toEqual([
      [`sub\n${ISSUER}\nsub\nada\n`, expect.stringMatching(new RegExp(`^${at + 1} `))],
    ]);
  });

  test('of a person, by a clock that is ahead, ends all earlier sessions of this gateway', async () => {
    const of = lab();
    const at = now();
    expect((await send(of, token({ sid: undefined, sub: 'ada', iat: at + 25 }))).status).toBe(200);
    expect(of.ngx.zones.revoked.items()).toEqual([
      [`sub\n${ISSUER}\nsub\nada\n`, expect.stringMatching(new RegExp(`^${at + 1} `))],
    ]);
  });

  test('without a type, or with Keycloak’s, is accepted', async () => {
    const of = lab();
    for (const text of [token({}, { header: {} }), token({ typ: 'Logout' }, { header: { typ: 'JWT' } })]) {
      expect((await send(of, text)).status).toBe(200);
    }
  });

  const kinds: [string, Record<string, unknown>][] = [
    ['a session', {}],
    ['a person', { sid: undefined, sub: 'ada' }],
    ['a person’s session', { sub: 'ada' }],
  ];

  test.each(kinds)('of %s revokes the same when it is sent again, and no later session', async (_, more) => {
    const of = lab();
    const before = await signedIn(of);
    const text = token(more);
    vi.setSystemTime((now() + 5) * 1000);
    expect((await send(of, text)).status).toBe(200);
    const { keys, revoked: zone } = of.ngx.zones;
    const after = [zone.items(), keys.get(EPOCH)];
    vi.setSystemTime((now() + 5) * 1000);
    const browser = await signedIn(of);
    vi.setSystemTime((now() + 60) * 1000);
    expect((await send(of, text)).status).toBe(200);
    expect([zone.items(), keys.get(EPOCH)]).toEqual(after);
    const passes = [before, browser].map(async (one) => {
      const line = `__Host-Http-meshgate=${one.jar().get('__Host-Http-meshgate')}`;
      return (await of.context.keyring.sessionOf(HOST, line, now())) !== undefined;
    });
    expect(await Promise.all(passes)).toEqual([false, true]);
  });

  test.each(kinds)('of %s uses no room that sign-ins need', async (_, more) => {
    const of = lab();
    for (let i = 0; i < 20; i++) expect((await send(of, token(more))).status).toBe(200);
    expect(of.ngx.zones.once.size()).toBe(0);
  });

  describe('of two clients of one issuer, at the sign-in host', () => {
    const two = { signinHost: 'auth.example.com', more: { second: {} }, sameIssuer: ['second'] };
    const at = 'https://auth.example.com/.meshgate/backchannel';
    const post = (of: Lab, aud: unknown, jtiOf: string) =>
      of.ask(at, '', {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: `logout_token=${token({ aud, jti: jtiOf })}`,
      });

    test('accepts a token for the second', async () => {
      const of = lab(two);
      expect((await post(of, 'second', 'second-1')).status).toBe(200);
      expect(revoked(of)).toEqual([`psid\n${ISSUER}\nop-session\n`]);
    });

    test('ends the sessions of every client, because they have the same people', async () => {
      const of = lab(two);
      expect((await post(of, ['wiki', 'second'], 'both-1')).status).toBe(200);
      expect(revoked(of)).toEqual([`psid\n${ISSUER}\nop-session\n`]);
    });

    test('rejects a token for a client that is not among them', async () => {
      const of = lab(two);
      expect((await post(of, ['third'], 'third-1')).status).toBe(400);
      expect(revoked(of)).toEqual([]);
    });
  });

  const wrong: Record<string, () => string> = {
    'no iat': () => token({ iat: undefined }),
    'an iat in the future': () => token({ iat: now() + 120, exp: now() + 240 }),
    'no exp': () => token({ exp: undefined }),
    'an exp that is over': () => token({ iat: now() - 300, exp: now() - 60 }),
    'an exp that is far': () => token({ exp: now() + 86_400 }),
    'no jti': () => token({ jti: undefined }),
    'no event': () => token({ events: undefined }),
    'another event': () => token({ events: { 'http://example.com/other': {} } }),
    'an event that is not an object': () => token({ events: { [Object.keys(event)[0]!]: 'x' } }),
    'a nonce': () => token({ nonce: 'n' }),
    'another audience': () => token({ aud: ['other'] }),
    'another issuer': () => token({ iss: 'https://other.example' }),
    'neither sub nor sid': () => token({ sid: undefined }),
    'a sid that is not text': () => token({ sid: 5 }),
    'a sub that is not text': () => token({ sub: ['ada'] }),
    'an access token’s type': () => token({}, { header: { typ: 'at+jwt' } }),
    'an ID token’s type': () => token({ typ: 'ID' }, { header: { typ: 'JWT' } }),
    'a key that is not the provider’s': () => token({}, { key: 'rsa2' }),
    'no algorithm': () => token({}, { header: { alg: 'none' } }),
    'a symmetric algorithm': () => token({}, { header: { alg: 'HS256' } }),
    'no token': () => 'x',
    nothing: () => '',
  };

  test.each(Object.entries(wrong))('with %s is refused, and ends nothing', async (_, text) => {
    const of = lab();
    const { status, body, headers } = await send(of, text());
    expect([status, headers['Cache-Control']]).toEqual([400, 'no-store']);
    expect(JSON.parse(body)).toMatchObject({ error: 'invalid_request' });
    expect(revoked(of)).toEqual([]);
  });

  test('needs one form with one token, by POST', async () => {
    const of = lab();
    const text = token();
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const others: Parameters<Lab['ask']>[2][] = [
      { headers: {} },
      { headers: { 'Content-Type': 'application/json' } },
      { body: `logout_token=${text}&logout_token=${text}`, headers: form },
      { body: `id_token=${text}`, headers: form },
      { body: '', headers: form },
    ];
    for (const other of others) expect((await send(of, text, other)).status).toBe(400);
    expect((await send(of, text, { method: 'GET' })).status).toBe(405);
    expect(revoked(of)).toEqual([]);
  });

  test('an ID token is rejected as a logout token', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const { sid } = (await browser.session())!;
    const { idToken = '' } = (await of.context.store.get(sid))!;
    expect((await send(of, idToken)).status).toBe(400);
    expect(revoked(of)).toEqual([]);
  });

  test('that cannot be stored is refused, and may be sent again', async () => {
    const of = lab();
    const text = token();
    of.ngx.zones.revoked.room = 0;
    expect((await send(of, text)).status).toBe(400);
    of.ngx.zones.revoked.room = Number.POSITIVE_INFINITY;
    expect((await send(of, text)).status).toBe(200);
  });
});
