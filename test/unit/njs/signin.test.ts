import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { compactVerify, importJWK } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { holds } from '../../harness/property.ts';
import { publicJwk } from '../token/maker.ts';
import { stopClock } from './fake-ngx.ts';
import { type Behaviour, clientKeys, fileOf, HOST, ISSUER, Lab, labNgx, OTHER, ROBOTS } from './signin-lab.ts';

stopClock(labNgx);

const page = `https://${HOST}/page?x=1`;
const labs: Lab[] = [];

function lab(options: ConstructorParameters<typeof Lab>[0] = {}): Lab {
  const made = new Lab(options);
  labs.push(made);
  return made;
}

// Codes, tokens and secrets have names that a search finds.
afterEach(() => {
  for (const { logged } of labs.splice(0)) expect(logged).not.toMatch(/SECRET|S3CRET|eyJ|k1\.\d/);
});

describe('a sign-in', () => {
  test('returns to the page with a session that holds the claims of the policy', async () => {
    const { provider, browser, logged, context } = bound(lab());
    provider.behaviour = { refreshToken: 'REFRESH-SECRET' };
    const one = browser();
    const { url, status } = await one.signIn();
    expect([url, status]).toEqual([page, 200]);
    expect([...one.jar().keys()]).toEqual(['__Host-Http-meshgate']);
    const session = await one.session();
    expect(session).toMatchObject({
      provider: 'okta',
      psid: 'op-session',
      selection: 'SELECTION',
      gen: 0,
      claims: { sub: 'ada', email: 'ada@example.com', groups: ['staff'] },
    });
    const record = await context.store.get(session!.sid);
    expect(record).toMatchObject({
      host: HOST,
      refreshToken: 'REFRESH-SECRET',
      session,
      claims: { nonce: expect.any(String) },
    });
    expect(logged()).toBe('');
    // The token endpoint is called once, with values that only this gateway knows.
    const [call, ...more] = provider.calls('/token');
    expect(more).toEqual([]);
    expect(call?.authorization).toBe(`Basic ${Buffer.from('wiki:S3CRET').toString('base64')}`);
    expect(Object.fromEntries(call!.params)).toEqual({
      grant_type: 'authorization_code',
      code: 'CODE-0-SECRET',
      redirect_uri: `https://${HOST}/.meshgate/callback`,
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  test.each<[string, object, string]>([
    ['its ID token says', { claims: { team: 'robots' } }, 'actor_not_allowed'],
    ['UserInfo alone says', { userinfo: { team: 'robots' } }, 'actor_not_allowed'],
    ['a claim that cannot be read may say', { claims: { team: { name: 'robots' } } }, 'claim_absent'],
    ['its actor says', { claims: { act: { sub: 'release-bot' } } }, 'actor_not_allowed'],
  ])('is refused for an account of an agent, as %s', async (_, behaviour, reason) => {
    for (const signinHost of [undefined, 'login.example.com']) {
      const { provider, browser } = bound(lab({ agents: [ROBOTS], ...(signinHost && { signinHost }) }));
      provider.behaviour = { refreshToken: 'REFRESH-SECRET', ...behaviour };
      const one = browser();
      const { headers } = await one.signIn();
      expect([headers['X-Meshgate-Reason'], one.jar().has('__Host-Http-meshgate')]).toEqual([reason, false]);
      expect(labNgx.zones.sessions.size()).toBe(0);
    }
  });

  test('is allowed for other accounts if the policy has such agents', async () => {
    const { provider, browser } = bound(lab({ agents: [ROBOTS] }));
    provider.behaviour = { userinfo: { team: 'people' } };
    const one = browser();
    expect((await one.signIn()).status).toBe(200);
    expect(await one.session()).toMatchObject({ claims: { sub: 'ada', team: 'people' } });
  });

  test('redirects to the provider with a cookie for ten minutes, and without a referrer', async () => {
    const { browser } = bound(lab());
    const answer = await browser().get(`https://${HOST}/.meshgate/signin?in&to=/page`);
    expect(answer.status).toBe(303);
    expect(answer.headers).toMatchObject({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' });
    expect(answer.setCookies).toEqual([
      expect.stringMatching(
        /^__Host-Http-meshgate-a-[\w.-]+=[\w-]{22}; Max-Age=600; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    const url = new URL(answer.location!);
    expect(url.origin + url.pathname).toBe(`${ISSUER}/authorize`);
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
  });

  test('has at most eight attempts, and each of them works', async () => {
    const { browser, provider } = bound(lab());
    const one = browser();
    const begun: URL[] = [];
    for (let i = 0; i < 10; i++) begun.push(await one.begin(`/page${i}`));
    expect(one.attempts().length).toBe(8);
    // The newest tabs return to their own pages; no attempt cookie is left of those that returned.
    for (let i = 9; i > 1; i--) {
      const { url } = await one.visit(provider.authorize(begun[i]!));
      expect(url).toBe(`https://${HOST}/page${i}`);
      expect(one.attempts().length).toBe(i - 2);
    }
    // The oldest were evicted; their tabs find the session.
    const late = await one.visit(provider.authorize(begun[0]!));
    expect([late.url, late.hops.length]).toEqual([`https://${HOST}/page0`, 2]);
    expect(provider.calls('/token').length).toBe(9);
  });

  test('drops all attempts except the last eight, once any of many concurrent ones continues', async () => {
    const of = lab();
    const { provider } = of;
    const one = of.browser();
    const begun = await Promise.all(
      [...Array(16).keys()].map((i) => of.ask(`https://${HOST}/.meshgate/signin?in&to=/page${i}`, '')),
    );
    for (const { setCookies } of begun) {
      for (const text of setCookies)
        one.jar().set(text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1).split(';')[0]!);
    }
    expect(one.attempts().length).toBe(16);
    const tabs = begun.map(({ location }) => new URL(location!));
    const { url } = await one.visit(provider.authorize(tabs[15]!));
    expect(url).toBe(`https://${HOST}/page15`);
    expect(one.attempts().length).toBe(8);
    // Each of the remaining ones works, and the others find the session.
    for (const i of [14, 13, 1, 0])
      expect((await one.visit(provider.authorize(tabs[i]!))).url).toBe(`https://${HOST}/page${i}`);
    expect(one.attempts().length).toBeLessThan(8);
  });

  test('drops cookies that a script planted under such names first', async () => {
    const one = lab().browser();
    await one.begin('/mine');
    const [mine] = one.attempts();
    for (let i = 0; i < 20; i++) one.jar().set(`__Host-Http-meshgate-a-planted${i}`, 'x');
    await one.begin('/again');
    expect(one.attempts().length).toBe(8);
    expect(one.attempts()).toContain(mine);
  });

  test.each([
    ['HEAD', 'signin?in&to=/'],
    ['POST', 'signin?in&to=/'],
    ['POST', 'callback?code=x&state=y'],
    ['HEAD', 'callback?code=x&state=y'],
    ['POST', 'handover?ticket=x'],
  ])('does not begin or end by %s %s', async (method, path) => {
    const { browser, provider } = bound(lab());
    const answer = await browser().get(`https://${HOST}/.meshgate/${path}`, { method });
    expect([answer.status, answer.headers.Allow, answer.setCookies]).toEqual([405, 'GET', []]);
    expect(provider.requested).toEqual([]);
  });

  test('is not begun for a program, or by a prerendering browser: 401, and no cookie', async () => {
    const { browser, provider } = bound(lab());
    for (const navigation of ['', 'post']) {
      const answer = await browser().get(`https://${HOST}/.meshgate/signin?in&to=/`, {
        headers: { 'X-Meshgate-Navigation': navigation },
      });
      expect([answer.status, answer.setCookies, answer.location]).toEqual([401, [], undefined]);
      expect(answer.headers['WWW-Authenticate']).toBe(`Bearer realm="${HOST}"`);
      expect(JSON.parse(answer.body)).toMatchObject({ reason: 'credential_missing', request_id: 'REQUEST-ID' });
    }
    expect(provider.requested).toEqual([]);
  });

  test('never returns to another origin', async () => {
    const { browser } = bound(lab());
    for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example', '/%09/evil.example']) {
      expect((await browser().signIn(to)).url).toBe(`https://${HOST}/`);
    }
  });

  test('of a wildcard host is for the requested host', async () => {
    const { browser, context } = bound(lab());
    const one = browser();
    const { url } = await one.signIn('/x', 'in', 'a.apps.example.com');
    expect(url).toBe('https://a.apps.example.com/x');
    const session = await one.session('a.apps.example.com');
    expect((await context.store.get(session!.sid))?.host).toBe('a.apps.example.com');
    const text = one.jar('a.apps.example.com').get('__Host-Http-meshgate')!;
    expect(await context.keyring.openFor('session', 'b.apps.example.com', text, Date.now() / 1000)).toBeUndefined();
  });

  test('of the same person in the same browser keeps the session’s id, and has a new end', async () => {
    const { browser, context } = bound(lab());
    const one = browser();
    await one.signIn();
    const before = (await one.session())!;
    vi.setSystemTime(Date.now() + 60_000);
    await one.signIn();
    const after = (await one.session())!;
    expect([after.sid, after.gen, after.end - before.end]).toEqual([before.sid, 1, 60]);
    expect((await context.store.get(after.sid))?.session).toEqual(after);
  });

  test('in another browser is a session of its own', async () => {
    const { browser } = bound(lab());
    const [one, other] = [browser(), browser()];
    await one.signIn();
    await other.signIn();
    expect((await one.session())!.sid).not.toBe((await other.session())!.sid);
  });
});

describe('a callback', () => {
  const refused = async (lab_: Bound, query: string) => {
    const answer = await lab_.browser().get(`https://${HOST}/.meshgate/callback?${query}`);
    expect([answer.status, answer.setCookies]).toEqual([400, []]);
    expect(answer.body).toContain('attempt_unknown');
    expect(lab_.provider.calls('/token')).toEqual([]);
  };

  test('without a state, with two, or with one of another origin, is refused', async () => {
    const it = bound(lab());
    const state = (await it.browser().begin()).searchParams.get('state')!;
    for (const query of [
      '',
      'code=x',
      `code=x&state=${state}&state=${state}`,
      `code=x&code=y&state=${state}`,
      `code=x&error=y&state=${state}`,
      'code=x&state=abc',
      `code=x&state=${state.slice(0, -2)}`,
      `code=x&state=${state}A`,
      `code=x&state=${encodeURIComponent(`${state} `)}`,
    ]) {
      await refused(it, query);
    }
  });

  test('with a state of another host is refused', async () => {
    const it = bound(lab());
    const state = (await it.browser().begin('/', 'in', OTHER)).searchParams.get('state')!;
    await refused(it, `code=x&state=${state}`);
  });

  test('with another browser’s attempt signs no one in, and begins again, once', async () => {
    const { provider, browser } = bound(lab());
    const [attacker, victim] = [browser(), browser()];
    const planted = provider.authorize(await attacker.begin('/planted'));
    const answer = await victim.get(planted);
    expect(answer.status).toBe(303);
    expect(answer.location).toMatch(new RegExp(`^${ISSUER}/authorize`));
    expect(victim.jar().has('__Host-Http-meshgate')).toBe(false);
    // The second time it ends.
    const again = await browser().get(provider.authorize(new URL(answer.location!)));
    expect([again.status, again.location]).toEqual([400, undefined]);
    // A person who signs in then signs in as themselves, unless the attempt was shown in a third browser.
    expect((await victim.visit(answer.location!)).status).toBe(400);
    expect((await victim.signIn('/planted')).url).toBe(`https://${HOST}/planted`);
  });

  test('with another person’s attempt does not affect the signed-in person', async () => {
    const { provider, browser } = bound(lab());
    const [attacker, victim] = [browser(), browser()];
    await victim.signIn();
    const before = victim.jar().get('__Host-Http-meshgate');
    const answer = await victim.get(provider.authorize(await attacker.begin('/planted')));
    expect(answer.location).toBe(`https://${HOST}/planted`);
    expect(victim.jar().get('__Host-Http-meshgate')).toBe(before);
    expect(provider.calls('/token').length).toBe(2);
  });

  test('that is opened twice leads to the page: the code is used once', async () => {
    const { provider, browser } = bound(lab());
    const one = browser();
    const back = provider.authorize(await one.begin());
    const jar = new Map(one.jar());
    expect((await one.get(back)).location).toBe(page);
    expect((await one.get(back)).location).toBe(page);
    // As if the second were sent before the response to the first: the cookie is still there.
    const racing = browser();
    for (const [name, value] of jar) racing.jar().set(name, value);
    const late = await racing.get(back);
    expect([late.status, late.body.includes('attempt_unknown')]).toEqual([400, true]);
    expect(provider.calls('/token').length).toBe(1);
  });

  test('that comes after ten minutes begins again, once', async () => {
    const { provider, browser, context } = bound(lab());
    const one = browser();
    const url = await one.begin();
    const state = url.searchParams.get('state')!;
    const now = Date.now() / 1000;
    const attempt = JSON.parse((await context.keyring.openFor('state', HOST, state, now))!);
    for (const restarted of [undefined, true]) {
      const old = await context.keyring.sealFor(
        'state',
        HOST,
        JSON.stringify({ ...attempt, restarted, at: attempt.at - 700 }),
        now,
      );
      const answer = await one.get(`https://${HOST}/.meshgate/callback?code=x&state=${old}`);
      expect(answer.status).toBe(restarted ? 400 : 303);
      expect(one.jar().has('__Host-Http-meshgate')).toBe(false);
    }
    // Another replica, whose clock is behind, could still accept the code, so it is used up; the second state is the
    // same attempt.
    expect(provider.calls('/token').length).toBe(1);
  });

  test('does not begin again for a background request', async () => {
    const { provider, browser } = bound(lab());
    const planted = provider.authorize(await browser().begin());
    const answer = await browser().get(planted, { headers: { 'X-Meshgate-Navigation': '' } });
    expect([answer.status, answer.setCookies]).toEqual([400, []]);
  });

  test.each([
    ['names no issuer, though the provider always does', { iss: null }, true],
    ['names another issuer', { iss: 'https://evil.example.com' }, true],
    ['names another issuer, though it need not', { iss: 'https://evil.example.com' }, false],
  ])('whose answer %s is refused before the code is used', async (_, answer, namesIssuer) => {
    const { provider, browser, logged } = bound(lab());
    provider.behaviour = { answer, metadata: { authorization_response_iss_parameter_supported: namesIssuer } };
    const { status, body } = await browser().signIn();
    expect([status, body.includes('signin_failed')]).toEqual([403, true]);
    expect(provider.calls('/token')).toEqual([]);
    expect(logged()).toMatch(/^meshgate: sign-in through okta: signin_failed: the answer .*issuer$/);
  });

  test('whose answer names the right issuer is accepted', async () => {
    const { provider, browser } = bound(lab());
    provider.behaviour = {
      answer: { iss: ISSUER },
      metadata: { authorization_response_iss_parameter_supported: true },
    };
    expect((await browser().signIn()).url).toBe(page);
  });
});

describe('an invalid answer gives a page, and one line of the log', () => {
  const now = Math.floor(Date.now() / 1000);

  test.each([
    ['no nonce', { claims: { nonce: undefined } }],
    ['another nonce', { claims: { nonce: 'x'.repeat(22) } }],
    ['another audience', { claims: { aud: 'other' } }],
    ['another issuer', { claims: { iss: 'https://evil.example.com' } }],
    ['an expired ID token', { claims: { exp: now - 3600 } }],
    ['no signature', { rawHeader: '{"alg":"none"}' }],
    ['a symmetric signature', { alg: 'HS256' }],
    ['a key that is not the provider’s', { key: 'rsa2', header: { kid: 'rsa' } }],
    ['another access token’s hash', { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }],
  ] as const)('%s', async (_, parts) => {
    const { provider, browser, ngx } = bound(lab());
    provider.behaviour = { idToken: () => parts as never };
    const one = browser();
    const { status, body } = await one.signIn();
    expect([status, body.includes('signin_failed'), body.includes('REQUEST-ID')]).toEqual([403, true, true]);
    expect([...one.jar().keys()]).toEqual([]);
    expect(ngx.logged.filter((line) => line.includes('sign-in'))).toEqual([
      expect.stringMatching(/^meshgate: sign-in through okta: signin_failed: its ID token is rejected: \w+/),
    ]);
    expect(provider.calls('/token').length).toBe(1);
  });

  test('an error of the provider, whose text is not repeated', async () => {
    const { provider, browser, logged } = bound(lab());
    provider.behaviour = { error: 'access_denied', answer: { error_description: '<script>alert(1)</script>' } };
    const { status, body } = await browser().signIn();
    expect([status, body.includes('signin_failed')]).toEqual([403, true]);
    expect(body + logged()).not.toContain('alert(1)');
    expect(logged()).toBe(
      'meshgate: sign-in through okta: signin_failed: the provider answered with the error access_denied',
    );
  });

  test('a provider that is down', async () => {
    const { provider, browser, logged } = bound(lab());
    provider.behaviour = { away: true };
    const { status, body, headers } = await browser().signIn();
    expect([status, body.includes('provider_unavailable'), headers['Retry-After']]).toEqual([503, true, '1']);
    expect(logged()).toMatch(/did not answer/);
  });

  test.each([
    ['hangs up', 503],
    [{ status: 500, body: {} }, 503],
    [{ status: 200, body: { access_token: 'SECRET' } }, 503],
    [{ status: 400, body: { error: 'invalid_grant', error_description: 'S3CRET' } }, 403],
  ] as const)('a token endpoint that answers %j is called once', async (token, status) => {
    const { provider, browser } = bound(lab());
    provider.behaviour = { token: () => token as never };
    const one = browser();
    expect((await one.signIn()).status).toBe(status);
    expect(provider.calls('/token').length).toBe(1);
    expect([...one.jar().keys()]).toEqual([]);
  });

  test('a refused code: the log has the provider’s text, and no secret', async () => {
    const { provider, browser, logged } = bound(lab());
    provider.behaviour = {
      token: ({ params }) => ({
        status: 400,
        body: { error: 'invalid_grant', error_description: `no code "${params.get('code')}"\nfor S3CRET` },
      }),
    };
    const { status, body } = await browser().signIn();
    expect([status, body.includes('no code')]).toEqual([403, false]);
    expect(logged()).toBe(
      'meshgate: sign-in through okta: signin_failed: the token endpoint refused: invalid_grant, "no code \\"\\u2026\\"\\nfor \\u2026"',
    );
  });

  test('a session that is too large for a cookie', async () => {
    const { provider, browser, logged } = bound(lab());
    provider.behaviour = { claims: { email: 'x'.repeat(5000) } };
    const { status, body } = await browser().signIn();
    expect([status, body.includes('claim_absent')]).toEqual([401, true]);
    expect(logged()).toMatch(/do not fit into a cookie/);
  });

  test('no key to seal with', async () => {
    const { browser, ngx } = bound(lab({}));
    const made = labs.at(-1)!;
    writeFileSync(made.context.signin.session.keysFile, '{}');
    const { status, body } = await browser().signIn();
    expect([status, body.includes('check_unavailable')]).toEqual([503, true]);
    expect(ngx.logged.join()).toMatch(/no session is opened or sealed/);
  });
});

describe('claims', () => {
  test('that the ID token lacks come from UserInfo', async () => {
    const { provider, browser } = bound(lab());
    provider.behaviour = { claims: { groups: undefined }, userinfo: { groups: ['staff'], email: 'evil@example.com' } };
    const one = browser();
    await one.signIn();
    expect((await one.session())?.claims).toEqual({ sub: 'ada', email: 'ada@example.com', groups: ['staff'] });
    expect(provider.calls('/userinfo').length).toBe(1);
  });

  test('are not requested if none is missing, or the policy does not want that', async () => {
    const it = bound(lab());
    await it.browser().signIn();
    expect(it.provider.calls('/userinfo')).toEqual([]);
    const off = bound(lab({ signin: { userinfo: false } }));
    off.provider.behaviour = { claims: { groups: undefined } };
    await off.browser().signIn();
    expect(off.provider.calls('/userinfo')).toEqual([]);
  });

  test('of another person are rejected', async () => {
    const { provider, browser } = bound(lab());
    provider.behaviour = { claims: { groups: undefined }, userinfo: { sub: 'ben' } };
    expect((await browser().signIn()).status).toBe(403);
  });

  test('of a signed UserInfo are verified', async () => {
    const { provider, browser } = bound(lab());
    const userinfoType = 'application/jwt';
    provider.behaviour = { claims: { groups: undefined }, userinfo: { groups: ['staff'] }, userinfoType };
    const one = browser();
    await one.signIn();
    expect((await one.session())?.claims).toMatchObject({ sub: 'ada', groups: ['staff'] });
  });

  test('of a UserInfo that is signed by a key newer than the known ones are verified', async () => {
    const { provider, browser } = bound(lab());
    provider.behaviour = { claims: { groups: undefined }, userinfo: { groups: ['staff'] } };
    await browser().signIn();
    provider.behaviour = { ...provider.behaviour, userinfoType: 'application/jwt', userinfoToken: { key: 'p384' } };
    const before = provider.calls('/jwks').length;
    expect((await browser().signIn()).status).toBe(503);
    expect(provider.calls('/jwks').length).toBe(before + 1);
  });

  test.each<[string, Partial<Behaviour>, RegExp]>([
    ['about another person', { userinfo: { sub: 'ben' } }, /another "sub"/],
    ['for another client', { userinfoToken: { claims: { aud: 'other' } } }, /audience_mismatch/],
    ['by another key', { userinfoToken: { key: 'rsa2', header: { kid: 'rsa' } } }, /signature_invalid/],
    ['that is an ID token', { userinfoToken: { claims: { nonce: 'n' } } }, /it has "nonce", so it is an ID token/],
    ['that is encrypted', { userinfo: 'e30.a.b.c.d' }, /it is encrypted.*userinfo_encrypted_response_alg/],
    ['that is not of the type it says', { userinfo: '{"sub":"ada"}' }, /token_malformed/],
    [
      'that says it is JSON',
      { userinfo: 'e30.e30.AA', userinfoType: 'application/json' },
      /not answer with a JSON object/,
    ],
  ])('of a signed UserInfo %s sign no one in', async (_, behaviour, why) => {
    const { provider, browser, logged } = bound(lab());
    provider.behaviour = { claims: { groups: undefined }, userinfoType: 'application/jwt', ...behaviour };
    const { status, body } = await browser().signIn();
    expect([status, body.includes('signin_failed')]).toEqual([403, true]);
    expect(logged()).toMatch(why);
  });

  test('that are too many for the provider sign no one in', async () => {
    const { provider, browser, logged } = bound(lab());
    provider.behaviour = { claims: { groups: undefined, _claim_names: { groups: 'src1' } } };
    const { body } = await browser().signIn();
    expect(body).toContain('claim_absent');
    expect(logged()).toMatch(/left out "groups" because there are too many/);
  });

  test('that are too many are requested if the policy has an endpoint, and kept like others', async () => {
    const requested: string[] = [];
    const groups = (oid: string) => {
      requested.push(oid);
      return { status: 200, body: '{"held":["staff"]}' };
    };
    const { provider, browser } = bound(lab({ groups }));
    provider.behaviour = { claims: { groups: undefined, oid: 'ada-1', _claim_names: { groups: 'src1' } } };
    const one = browser();
    expect((await one.signIn()).status).toBe(200);
    expect(requested).toEqual(['ada-1']);
    expect((await one.session())?.claims).toEqual({ sub: 'ada', email: 'ada@example.com', groups: ['staff'] });
  });

  test.each([
    ['no answer', { status: 503, body: '' }],
    ['an invalid answer', { status: 502, body: '' }],
  ])('that are too many sign no one in without an answer: %s', async (_, reported) => {
    const { provider, browser } = bound(lab({ groups: () => reported }));
    provider.behaviour = { claims: { groups: undefined, oid: 'ada-1', _claim_names: { groups: 'src1' } } };
    expect((await browser().signIn()).body).toContain('provider_unavailable');
  });
});

describe('whatever is sent', () => {
  test('signs no one in, and never causes an internal error', async () => {
    const it = bound(lab({ signinHost: 'auth.example.com', more: { partners: { domains: ['example.net'] } } }));
    const made = labs.at(-1)!;
    const one = it.browser();
    const request = (await one.begin('/page', 'in&provider=okta')).searchParams.get('for')!;
    const begun = await one.get(`https://auth.example.com/.meshgate/signin?for=${request}`);
    const state = new URL(begun.location!).searchParams.get('state')!;
    const cookies = [...one.jar(), ...one.jar('auth.example.com')].map(([name, value]) => `${name}=${value}`);
    const piece = fc.oneof(
      fc.constantFrom(request, state, ...cookies, 'code=', 'state=', 'error=', 'iss=', 'ticket=', 'for=', 'to=', '&'),
      fc.constantFrom('%', '%zz', '%2F', '=', ';', ' ', 'in', 'step', 'role=', 'renew', 'email=', 'provider=okta', '/'),
      fc.constantFrom(
        '__Host-Http-meshgate=',
        '__Host-Http-meshgate-a-',
        'k1.1.',
        '\u0000',
        '\ud800',
        'é',
        'a@example.net',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    const path = fc.constantFrom('signin', 'callback', 'handover');
    const host = fc.constantFrom(HOST, OTHER, 'auth.example.com', 'x.apps.example.com', 'nowhere.example', '');
    await holds(
      fc.asyncProperty(path, host, text, text, async (endpoint, name, query, cookie) => {
        const { status, setCookies, location } = await made.ask(`https://x/.meshgate/${endpoint}`, cookie, {
          headers: { 'X-Meshgate-Host': name, 'X-Meshgate-Query': query },
        });
        expect([200, 303, 400]).toContain(status);
        expect(setCookies.join()).not.toMatch(/__Host-Http-meshgate=[^;]/);
        if (location !== undefined) expect(location).toMatch(/^https:\/\/(auth|issuer|partners|wiki)\.example\.com\//);
      }),
      2000,
    );
    expect(it.logged()).not.toMatch(/check_unavailable|undefined|not a function/);
    expect(it.provider.calls('/token')).toEqual([]);
  });
});

describe('a browser that disconnected', () => {
  test('causes no problem', async () => {
    const it = bound(lab());
    const gone = () => {
      throw new Error('cannot return');
    };
    const made = labs.at(-1)!;
    for (const path of ['signin?in&to=/', 'callback?code=x&state=y', 'handover?ticket=x']) {
      await made.ask(`https://${HOST}/.meshgate/${path}`, '', { gone });
    }
    expect(it.logged().split('\n')).toEqual(Array(3).fill('meshgate: a browser is not answered: cannot return'));
  });
});

describe('the client', () => {
  test('sends the next secret if the provider does not know the first', async () => {
    const secretFile = fileOf('two-secrets', 'new\nold\n');
    const { provider, browser } = bound(
      lab({ client: { id: 'wiki', auth: { kind: 'client_secret_post', secretFile } } }),
    );
    provider.behaviour = {
      token: ({ params }) =>
        params.get('client_secret') === 'old' ? undefined : { status: 401, body: { error: 'invalid_client' } },
    };
    expect((await browser().signIn()).url).toBe(page);
    expect(provider.calls('/token').map(({ params }) => params.get('client_secret'))).toEqual(['new', 'old']);
    // A changed file is read for the next call.
    writeFileSync(secretFile, 'old\n');
    expect((await browser().signIn()).url).toBe(page);
    expect(provider.calls('/token').length).toBe(3);
  });

  test('signs with its key', async () => {
    const { provider, browser } = bound(
      lab({ client: { id: 'wiki', auth: { kind: 'private_key_jwt', keysFile: clientKeys() } } }),
    );
    expect((await browser().signIn()).url).toBe(page);
    const { params, authorization } = provider.calls('/token')[0]!;
    expect(authorization).toBeUndefined();
    const { payload } = await compactVerify(
      params.get('client_assertion')!,
      await importJWK(publicJwk('p256'), 'ES256'),
    );
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ iss: 'wiki', sub: 'wiki', aud: ISSUER });
  });

  test('signs with its secret, and with the next one if the provider does not know the first', async () => {
    const secrets = ['n'.repeat(32), 'o'.repeat(40)];
    const secretFile = fileOf('two-long-secrets', secrets.join('\n'));
    const { provider, browser, logged } = bound(
      lab({ client: { id: 'wiki', auth: { kind: 'client_secret_jwt', secretFile } } }),
    );
    const signedWith = (params: URLSearchParams) => {
      const [header, claims, signature] = params.get('client_assertion')!.split('.');
      return secrets.findIndex(
        (secret) => createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url') === signature,
      );
    };
    provider.behaviour = {
      token: ({ params }) =>
        signedWith(params) === 1 ? undefined : { status: 401, body: { error: 'invalid_client' } },
    };
    expect((await browser().signIn()).url).toBe(page);
    const sent = provider.calls('/token');
    expect(sent.map(({ params }) => signedWith(params))).toEqual([0, 1]);
    for (const { params, authorization } of sent) {
      expect([authorization, params.get('client_secret')]).toEqual([undefined, null]);
      expect(params.get('client_id')).toBe('wiki');
    }
    expect(logged()).toBe('');
  });

  test('with a secret that is too short for HS256 sends nothing, and says so without the secret', async () => {
    const secretFile = fileOf('short-secret', 'hunter2\n');
    const { provider, browser, logged } = bound(
      lab({ client: { id: 'wiki', auth: { kind: 'client_secret_jwt', secretFile } } }),
    );
    expect((await browser().signIn()).status).toBe(503);
    expect(provider.calls('/token')).toEqual([]);
    expect(logged()).toMatch(/short-secret: a secret in the file is shorter than 32 bytes/);
    expect(logged()).not.toContain('hunter2');
  });

  test('without a file signs no one in, and names the file', async () => {
    const auth = { kind: 'client_secret_basic', secretFile: '/nowhere/secret' } as const;
    const { browser, logged, provider } = bound(lab({ client: { id: 'wiki', auth } }));
    expect((await browser().signIn()).status).toBe(503);
    expect(logged()).toMatch(/\/nowhere\/secret cannot be read \(ENOENT\)/);
    expect(provider.calls('/token')).toEqual([]);
  });

  test('pushes its request if the provider or the policy requires that', async () => {
    for (const options of [{ signin: { par: true, parameters: { kc_idp_hint: 'partners' } } }, {}]) {
      const { provider, browser } = bound(lab(options));
      if (options.signin === undefined)
        provider.behaviour = { metadata: { require_pushed_authorization_requests: true } };
      const one = browser();
      const url = await one.begin();
      expect([...url.searchParams.keys()]).toEqual(['client_id', 'request_uri']);
      const pushed = provider.calls('/par')[0]?.params;
      expect(pushed?.get('code_challenge')).toMatch(/^[\w-]{43}$/);
      expect(pushed?.get('kc_idp_hint')).toBe(options.signin === undefined ? null : 'partners');
      expect((await one.visit(url.href)).url).toBe(page);
    }
  });
});

describe('a provider that accepts only pushed requests of this client', () => {
  const remembered = () => labNgx.zones.locks.items().filter(([key]) => key.startsWith('pushes')).length;
  const only = (options: ConstructorParameters<typeof Lab>[0] = {}) => {
    const made = bound(lab(options));
    made.provider.behaviour = { unlessPushed: 'invalid_request' };
    return made;
  };

  /** Signs a person in, whose request is refused once and then pushed. */
  const signInAs = async (of: ReturnType<typeof only>, sub: string) => {
    of.provider.behaviour = { unlessPushed: 'invalid_request', claims: { sub }, userinfo: { sub } };
    const one = of.browser();
    expect((await one.signIn()).url).toBe(page);
    return one;
  };

  test('gets a pushed request after its error, and after three people each request is pushed', async () => {
    const of = only();
    const { provider, browser, logged } = of;
    for (const [i, person] of ['ada', 'ben', 'eve'].entries()) {
      expect([logged(), remembered()]).toEqual(['', 0]);
      const one = await signInAs(of, person);
      expect([provider.calls('/par').length, one.attempts()]).toEqual([i + 1, []]);
    }
    expect(logged()).toMatch(/^meshgate: provider okta accepts only pushed requests .*par: true/);
    const later = await browser().begin();
    expect([...later.searchParams.keys()]).toEqual(['client_id', 'request_uri']);
    expect(logged().split('\n').length).toBe(1);
  });

  test('is not believed to require pushed requests because of one account, however often it signs in', async () => {
    const { provider, browser } = bound(lab());
    for (let i = 0; i < 20; i++) {
      const one = browser();
      const state = (await one.begin()).searchParams.get('state') ?? '';
      const { location } = await one.get(`https://${HOST}/.meshgate/callback?error=invalid_request&state=${state}`);
      expect((await one.visit(provider.authorize(new URL(location!)))).status).toBe(200);
      expect(await one.session()).toBeDefined();
    }
    expect(remembered()).toBe(0);
    expect([...(await browser().begin()).searchParams.keys()]).toContain('code_challenge');
  });

  test('is not believed to, either, if it answers another person’s request that was not pushed', async () => {
    const of = only();
    for (const person of ['ada', 'ben']) await signInAs(of, person);
    of.provider.behaviour = {};
    expect((await of.browser().signIn()).url).toBe(page);
    await signInAs(of, 'eve');
    expect(remembered()).toBe(0);
  });

  test('is asked again after an hour', async () => {
    const of = only();
    for (const person of ['ada', 'ben', 'eve']) await signInAs(of, person);
    expect(remembered()).toBe(1);
    labNgx.clock += 3600_001;
    of.provider.behaviour = {};
    expect([...(await of.browser().begin()).searchParams.keys()]).toContain('code_challenge');
  });

  test('gets a pushed request for the same page, role and mode', async () => {
    const { provider, browser } = only({ stepUps: { admin: { maxAge: 60 } } });
    expect((await browser().signIn('/page?x=1', 'step&role=admin')).url).toBe(page);
    expect(provider.calls('/par')[0]?.params.get('max_age')).toBe('60');
    labNgx.zones.locks.clear();
    provider.behaviour = { unlessPushed: 'invalid_request' };
    const hops = (await browser().signIn('/page?x=1', 'renew')).hops;
    expect(hops.filter((url) => url.includes('prompt=none')).length).toBe(1);
    expect(provider.calls('/par').at(-1)?.params.get('prompt')).toBe('none');
  });

  test('is asked for other hosts too, without another question to the person', async () => {
    const { provider, browser } = only({ signinHost: 'auth.example.com' });
    const { url } = await browser().signIn();
    expect([url, provider.calls('/par').length]).toEqual([page, 1]);
  });

  test('ends the sign-in if it refuses the pushed request as well, and nothing is remembered', async () => {
    const { provider, browser } = only();
    provider.behaviour = { error: 'invalid_request' };
    const { status, hops } = await browser().signIn();
    expect([status, provider.calls('/par').length, hops.length]).toEqual([403, 1, 5]);
    expect(remembered()).toBe(0);
  });

  test('is remembered only after a code, because anyone can open the callback with an error', async () => {
    const { browser } = bound(lab());
    const one = browser();
    const state = (await one.begin()).searchParams.get('state') ?? '';
    const answer = await one.get(`https://${HOST}/.meshgate/callback?error=invalid_request&state=${state}`);
    expect(answer.location).toContain('request_uri');
    expect(remembered()).toBe(0);
    expect([...(await browser().begin()).searchParams.keys()]).toContain('code_challenge');
  });

  test('gets no pushed request if the policy says never', async () => {
    const { provider, browser } = only({ signin: { par: false } });
    expect((await browser().signIn()).status).toBe(403);
    expect(provider.calls('/par')).toEqual([]);
  });
});

describe('a silent renewal', () => {
  test('keeps the page, and shows no form', async () => {
    const { browser } = bound(lab());
    const one = browser();
    await one.signIn();
    const url = await one.begin('/page', 'renew');
    expect(url.searchParams.get('prompt')).toBe('none');
    expect((await one.visit(url.href)).url).toBe(`https://${HOST}/page`);
  });

  test.each([undefined, 'auth.example.com'])('makes no session longer (sign-in host: %s)', async (signinHost) => {
    const { browser, context } = bound(lab(signinHost === undefined ? {} : { signinHost }));
    const one = browser();
    await one.signIn();
    const first = (await one.session())!;
    const now = Date.now() / 1000;
    const older = { ...first, end: Math.floor(now) + 300 };
    one.jar().set('__Host-Http-meshgate', (await context.keyring.sealSession(HOST, older, now))!);
    await one.signIn('/page', 'renew');
    const renewed = (await one.session())!;
    expect([renewed.sid, renewed.since]).toEqual([first.sid, first.since]);
    expect([renewed.end, renewed.fresh]).toEqual([older.end, older.end]);
    expect((await context.store.get(renewed.sid))?.session).toEqual(renewed);
    // A sign-in lasts as long as any other.
    await one.signIn('/page');
    expect((await one.session())!.end).toBeGreaterThan(older.end);
  });

  test('becomes interactive if the provider cannot answer, once', async () => {
    const { provider, browser } = bound(lab());
    const one = browser();
    const silent = await one.begin('/page', 'renew');
    provider.behaviour = { error: 'login_required' };
    const answer = await one.get(provider.authorize(silent));
    expect(new URL(answer.location!).searchParams.get('prompt')).toBeNull();
    expect(one.attempts().length).toBe(1);
    // And not for ever.
    const again = await one.get(provider.authorize(new URL(answer.location!)));
    expect([again.status, again.location]).toEqual([403, undefined]);
    provider.behaviour = {};
    expect((await one.signIn('/page', 'renew')).url).toBe(`https://${HOST}/page`);
  });
});

describe('a step up', () => {
  const stepUps = { admin: { acrValues: ['phr'], maxAge: 60 } };

  test('requests what the role needs, and is not treated as done if it was not', async () => {
    const { provider, browser } = bound(lab({ stepUps }));
    const one = browser();
    await one.signIn();
    const before = one.jar().get('__Host-Http-meshgate');
    const url = await one.begin('/admin', 'step&role=admin');
    expect([url.searchParams.get('acr_values'), url.searchParams.get('max_age')]).toEqual(['phr', '60']);
    const { status, body } = await one.visit(url.href);
    expect([status, body.includes('step_up_required')]).toEqual([401, true]);
    expect(one.jar().get('__Host-Http-meshgate')).toBe(before);
    provider.behaviour = { claims: { acr: 'phr' } };
    expect((await one.signIn('/admin', 'step&role=admin')).url).toBe(`https://${HOST}/admin`);
  });
});

describe('several providers', () => {
  const more = { partners: { domains: ['example.net'], label: 'Partners & friends' } };

  test('are offered on a page, by name or by address', async () => {
    const { browser, provider } = bound(lab({ more }));
    const one = browser();
    const { status, body, setCookies } = await one.get(`https://${HOST}/.meshgate/signin?in&to=/page`);
    expect([status, setCookies]).toEqual([200, []]);
    expect(body).toContain('/.meshgate/signin?in&amp;provider&#61;partners&amp;to&#61;/page');
    expect(body).toContain('Partners &amp; friends');
    expect((await one.begin('/page', 'in&provider=partners')).origin).toBe('https://partners.example.com');
    const byAddress = await one.begin('/page', 'in&email=cleo%40example.net');
    expect(byAddress.origin).toBe('https://partners.example.com');
    expect(byAddress.searchParams.get('login_hint')).toBe('cleo@example.net');
    const unknown = await one.get(`https://${HOST}/.meshgate/signin?in&email=a%40example.com&to=/page`);
    expect(unknown.body).toContain('role="alert"');
    expect(provider.requested).toEqual([]);
  });

  test('a session continues with its own provider', async () => {
    const { browser } = bound(lab({ more }));
    const one = browser();
    await one.visit((await one.begin('/page', 'in&provider=partners')).href);
    expect((await one.session())?.provider).toBe('partners');
    expect((await one.begin('/page', 'renew')).origin).toBe('https://partners.example.com');
  });
});

describe('one sign-in host for many', () => {
  const signinHost = 'auth.example.com';

  test('has the only callback, and gives each host its own session', async () => {
    const { browser, context, logged } = bound(lab({ signinHost }));
    const one = browser();
    for (const host of [HOST, OTHER]) {
      const { url, hops } = await one.signIn('/page', 'in', host);
      expect(url).toBe(`https://${host}/page`);
      expect(hops.map((hop) => new URL(hop).hostname + new URL(hop).pathname)).toEqual([
        `${host}/.meshgate/signin`,
        `${signinHost}/.meshgate/signin`,
        'issuer.example.com/authorize',
        `${signinHost}/.meshgate/callback`,
        `${host}/.meshgate/handover`,
        `${host}/page`,
      ]);
      const session = await one.session(host);
      expect((await context.store.get(session!.sid))?.host).toBe(host);
      expect([...one.jar(host).keys()]).toEqual(['__Host-Http-meshgate']);
    }
    expect([...one.jar(signinHost).keys()]).toEqual([]);
    expect((await one.session(HOST))?.sid).not.toBe((await one.session(OTHER))?.sid);
    expect(logged()).toBe('');
  });

  async function handedOver(it: Bound) {
    const one = it.browser();
    const to = await one.get((await one.begin('/page')).href);
    const back = await one.get(it.provider.authorize(new URL(to.location!)));
    return { one, ticket: back.location! };
  }

  test('hands over once, to the browser that began, for the host that requested it, within a minute', async () => {
    const it = bound(lab({ signinHost }));
    const { one, ticket } = await handedOver(it);
    // A ticket of another browser: it begins again, without a session.
    const victim = it.browser();
    const planted = await victim.get((await handedOver(it)).ticket);
    expect(planted.location).toMatch(new RegExp(`^https://${signinHost}/.meshgate/signin\\?for=`));
    expect(victim.jar().has('__Host-Http-meshgate')).toBe(false);
    // Another host's.
    const other = await one.get(ticket.replace(HOST, OTHER));
    expect([other.status, other.setCookies]).toEqual([400, []]);
    // Changed, sent twice, or missing.
    for (const url of [`${ticket}A`, `${ticket}&ticket=x`, ticket.replace(/ticket=.*/, '')]) {
      expect((await one.get(url)).status).toBe(400);
    }
    const jar = new Map(one.jar());
    expect((await one.get(ticket)).location).toBe(`https://${HOST}/page`);
    // Used up, with the same cookies as before.
    const again = it.browser();
    for (const [name, value] of jar) again.jar().set(name, value);
    const late = await again.get(ticket);
    expect([late.status, again.jar().has('__Host-Http-meshgate')]).toEqual([400, false]);
    // A person who is signed in continues to the page.
    expect((await one.get(ticket)).location).toBe(`https://${HOST}/page`);
  });

  test('rejects a ticket that is older than a minute and the skew of 30 seconds', async () => {
    const it = bound(lab({ signinHost }));
    const { one, ticket } = await handedOver(it);
    const now = Date.now() / 1000;
    const plain = await it.context.keyring.openFor('ticket', HOST, ticket.split('ticket=')[1]!, now);
    const old = { ...JSON.parse(plain!), at: Math.floor(now) - 91 };
    const sealed = await it.context.keyring.sealFor('ticket', HOST, JSON.stringify(old), now);
    const answer = await one.get(`https://${HOST}/.meshgate/handover?ticket=${sealed}`);
    expect(answer.location).toMatch(/\/\.meshgate\/signin\?for=/);
    expect(one.jar().has('__Host-Http-meshgate')).toBe(false);
  });

  test('signs in only for hosts of the gateway', async () => {
    const it = bound(lab({ signinHost }));
    const one = it.browser();
    const request = (await one.begin('/page')).searchParams.get('for')!;
    const state = new URL(
      (await one.get(`https://${signinHost}/.meshgate/signin?for=${request}`)).location!,
    ).searchParams.get('state')!;
    for (const text of [`${request}A`, 'x.y.z', state]) {
      const answer = await one.get(`https://${signinHost}/.meshgate/signin?for=${text}`);
      expect([answer.status, answer.setCookies]).toEqual([400, []]);
    }
    // A request is not a state, and is only for the sign-in host.
    expect((await one.get(`https://${signinHost}/.meshgate/callback?code=x&state=${request}`)).status).toBe(400);
    expect((await one.get(`https://${OTHER}/.meshgate/signin?for=${request}`)).status).toBe(400);
  });
});

interface Bound {
  readonly browser: Lab['browser'];
  readonly provider: Lab['provider'];
  readonly context: Lab['context'];
  readonly ngx: Lab['ngx'];
  readonly logged: () => string;
}

/** Methods that a pattern can find. */
function bound(of: Lab): Bound {
  return {
    browser: () => of.browser(),
    provider: of.provider,
    context: of.context,
    ngx: of.ngx,
    logged: () => of.logged,
  };
}
