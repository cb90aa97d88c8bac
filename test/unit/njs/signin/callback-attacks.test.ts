import { describe, expect, test, vi } from 'vitest';
import { stopClock } from '../fake-ngx.ts';
import { HOST, ISSUER, Lab, labNgx, OTHER } from '../signin-lab.ts';

stopClock(labNgx);

/** Callbacks without a sign-in of this browser and provider. */

const signinHost = 'auth.example.com';
const junk = (url: URL, code: string): string => {
  const back = new URL(url.searchParams.get('redirect_uri') as string);
  back.searchParams.set('code', code);
  back.searchParams.set('state', url.searchParams.get('state') as string);
  return back.href;
};

describe('several providers', () => {
  test.each([undefined, signinHost])('have a redirect URI each (sign-in host: %s)', async (host) => {
    const lab = new Lab({ more: { partners: {} }, ...(host && { signinHost: host }) });
    const uri = async (provider: string) => {
      const browser = lab.browser();
      let url = await browser.begin('/page', `in&provider=${provider}`);
      if (host !== undefined) url = new URL((await browser.get(url.href)).location as string);
      return url.searchParams.get('redirect_uri');
    };
    for (const provider of ['okta', 'partners']) {
      expect(await uri(provider)).toBe(`https://${host ?? HOST}/.meshgate/callback/${provider}`);
    }
    for (const provider of ['okta', 'partners']) {
      const browser = lab.browser();
      expect((await browser.signIn('/page', `in&provider=${provider}`)).url).toBe(`https://${HOST}/page`);
      expect((await browser.session())?.provider).toBe(provider);
    }
  });

  test('a host with one of them keeps the redirect URI of a single provider', async () => {
    const lab = new Lab({ more: { partners: {} } });
    const url = await lab.browser().begin('/page', 'in', OTHER);
    expect(url.searchParams.get('redirect_uri')).toBe(`https://${OTHER}/.meshgate/callback`);
    expect((await lab.browser().signIn('/page', 'in', OTHER)).url).toBe(`https://${OTHER}/page`);
  });

  test.each([undefined, signinHost])('never receive the code of another one (sign-in host: %s)', async (host) => {
    const lab = new Lab({ more: { partners: {} }, ...(host && { signinHost: host }) });
    const [honest, hostile] = [lab.provider, lab.providers.get('partners')!];
    const sentTo = async (browser: ReturnType<Lab['browser']>, provider: string) => {
      const url = await browser.begin('/page', `in&provider=${provider}`);
      return host === undefined ? url : new URL((await browser.get(url.href)).location as string);
    };
    // The registered addresses, as the honest provider sees them.
    const registered = (await sentTo(lab.browser(), 'okta')).searchParams.get('redirect_uri')!;
    const victim = lab.browser();
    const requested = await sentTo(victim, 'partners');
    // The hostile provider redirects the browser to the honest one, which signs in silently and answers without iss.
    const on = new URL(`${ISSUER}/authorize?${requested.searchParams}`);
    on.searchParams.set('redirect_uri', registered);
    const answer = await victim.get(honest.authorize(on));
    expect(hostile.calls('/token')).toEqual([]);
    expect(honest.calls('/token')).toEqual([]);
    expect(answer.status).toBe(403);
    expect(victim.jar().has('__Host-Http-meshgate')).toBe(false);
    expect(lab.logged).toContain('the answer came to the redirect URI of');
  });
});

describe('one person who signs in again and again', () => {
  /** @param sub the person */
  const signIn = async (lab: Lab, sub: string) => {
    lab.provider.behaviour = { claims: { sub }, userinfo: { sub } };
    return (await lab.browser().signIn()).status;
  };

  test('uses up no room that others need, is told so, and may continue later', async () => {
    const lab = new Lab();
    const statuses = new Map<number, number>();
    for (let i = 0; i < 130; i++) {
      const status = await signIn(lab, 'eve');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [200, 100],
      [429, 30],
    ]);
    expect(lab.ngx.zones.once.size()).toBe(100);
    expect(lab.logged).toContain('limit_exceeded: this person has signed in 100 times within 15 minutes');
    expect(await signIn(lab, 'ada')).toBe(200);
    labNgx.clock += 900_000;
    vi.setSystemTime(labNgx.clock);
    expect(await signIn(lab, 'eve')).toBe(200);
  });

  test('uses no room of locks, which providers need, and may sign in if there is none to count', async () => {
    const lab = new Lab();
    expect(await signIn(lab, 'ada')).toBe(200);
    const { locks, signins } = lab.ngx.zones;
    const before = locks.keys();
    for (let i = 0; i < 30; i++) expect(await signIn(lab, `person-${i}`)).toBe(200);
    expect([locks.keys(), signins.size()]).toEqual([before, 31]);
    signins.room = 31;
    expect(await signIn(lab, 'ben')).toBe(200);
    signins.room = Number.POSITIVE_INFINITY;
  });

  test('of another provider is another person', async () => {
    const lab = new Lab({ more: { partners: {} } });
    const through = async (provider: string) => {
      lab.providers.get(provider)!.behaviour = { claims: { sub: 'eve' }, userinfo: { sub: 'eve' } };
      return (await lab.browser().signIn('/page', `in&provider=${provider}`)).status;
    };
    for (let i = 0; i < 101; i++) await through('partners');
    expect([await through('partners'), await through('okta')]).toEqual([429, 200]);
  });
});

describe('invalid codes', () => {
  test('leave nothing behind that others need', async () => {
    const lab = new Lab();
    lab.ngx.zones.once.room = 3;
    for (let i = 0; i < 10; i++) {
      const browser = lab.browser();
      expect((await browser.get(junk(await browser.begin(), `JUNK-${i}`))).status).toBe(403);
    }
    expect(lab.ngx.zones.once.size()).toBe(0);
    expect((await lab.browser().signIn()).status).toBe(200);
    lab.ngx.zones.once.room = Number.POSITIVE_INFINITY;
  });

  test.each<[string, () => { status: number; body: unknown } | 'not reached']>([
    ['answers 429', () => ({ status: 429, body: 'slow down' })],
    ['answers 403 before it has looked', () => ({ status: 403, body: 'blocked' })],
    ['answers 400 without a reason', () => ({ status: 400, body: {} })],
    ['answers with a redirect', () => ({ status: 302, body: '' })],
    ['is not reached', () => 'not reached'],
  ])('leave nothing behind either while the provider %s', async (_, token) => {
    const lab = new Lab({ more: { partners: {} } });
    lab.ngx.zones.once.room = 3;
    lab.provider.behaviour = { token };
    for (let i = 0; i < 10; i++) {
      const browser = lab.browser();
      const answer = await browser.get(junk(await browser.begin('/page', 'in&provider=okta'), `JUNK-${i}`));
      expect([answer.status, answer.body.includes('provider_unavailable')]).toEqual([503, true]);
    }
    expect(lab.ngx.zones.once.size()).toBe(0);
    const browser = lab.browser();
    expect((await browser.signIn('/page', 'in&provider=partners')).status).toBe(200);
    expect((await browser.session())?.provider).toBe('partners');
    lab.ngx.zones.once.room = Number.POSITIVE_INFINITY;
  });

  test.each<[string, () => { status: number; body: unknown } | 'hangs up']>([
    ['an error of the provider', () => ({ status: 500, body: '' })],
    ['an answer that is not JSON', () => ({ status: 200, body: 'hello' })],
    ['a connection that ended', () => 'hangs up'],
  ])('are not sent again after %s, which may have used them up', async (_, token) => {
    const lab = new Lab();
    lab.provider.behaviour = { token };
    const browser = lab.browser();
    const back = junk(await browser.begin(), 'CODE');
    const jar = [...browser.jar()];
    expect((await browser.get(back)).status).toBe(503);
    for (const [name, value] of jar) browser.jar().set(name, value);
    expect((await browser.get(back)).status).toBe(400);
    expect(lab.provider.calls('/token').length).toBe(1);
  });

  test('do not cause a second redemption of a code: of two callbacks at once one calls', async () => {
    const lab = new Lab();
    const browser = lab.browser();
    const back = lab.provider.authorize(await browser.begin());
    const jar = [...browser.jar()];
    const again = lab.browser();
    for (const [name, value] of jar) again.jar().set(name, value);
    const answers = await Promise.all([browser.get(back), again.get(back)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400]);
    expect(lab.provider.calls('/token').length).toBe(1);
    // A successful sign-in is remembered.
    const late = lab.browser();
    for (const [name, value] of jar) late.jar().set(name, value);
    expect((await late.get(back)).status).toBe(400);
    expect(lab.provider.calls('/token').length).toBe(1);
  });
});

describe('a handover', () => {
  test('does not exist without a sign-in host', async () => {
    const lab = new Lab();
    const browser = lab.browser();
    await browser.signIn();
    const session = (await browser.session())!;
    await browser.get(`https://${HOST}/.meshgate/signout`, {
      method: 'POST',
      headers: { Origin: `https://${HOST}`, 'Sec-Fetch-Site': 'same-origin' },
    });
    const state = (await browser.begin()).searchParams.get('state')!;
    const now = Math.floor(Date.now() / 1000);
    const { id, binding } = JSON.parse((await lab.context.keyring.openFor('state', HOST, state, now))!);
    const ticket = { id: 'made-up', errand: { host: HOST, id, binding }, session, mode: 'in', to: '/', at: now };
    const text = await lab.context.keyring.sealFor('ticket', HOST, JSON.stringify(ticket), now);
    const answer = await browser.get(`https://${HOST}/.meshgate/handover?ticket=${text}`);
    expect([answer.status, browser.jar().has('__Host-Http-meshgate')]).toEqual([400, false]);
  });
});

describe('a host by wildcard, with a sign-in host', () => {
  const wild = 'a.apps.example.com';
  const form = { Origin: `https://${signinHost}`, 'Sec-Fetch-Site': 'same-origin' };

  test('receives no ticket before the person in the browser confirmed the sign-in to it', async () => {
    const lab = new Lab({ signinHost });
    // The attacker begins, and makes the victim finish.
    const request = (await lab.browser().begin('/page', 'in', wild)).href;
    const victim = lab.browser();
    const requested = await victim.get(request);
    expect([requested.status, requested.location, requested.setCookies]).toEqual([200, undefined, []]);
    expect(requested.body).toContain(wild);
    expect(requested.body).toContain('<form method="post" action="/.meshgate/signin?for&#61;');
    expect(lab.provider.requested).toEqual([]);
    // No other page can confirm it for them.
    for (const headers of [
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      { Origin: `https://${wild}`, 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' },
      {},
    ] as Record<string, string>[]) {
      const answer = await victim.get(request, { method: 'POST', headers });
      expect([answer.status, answer.location]).toEqual([403, undefined]);
    }
    expect(lab.provider.requested).toEqual([]);
  });

  test('is signed in to by each person that confirms it', async () => {
    const lab = new Lab({ signinHost });
    const browser = lab.browser();
    const request = (await browser.begin('/page', 'in', wild)).href;
    const answer = await browser.get(request, {
      method: 'POST',
      headers: { ...form, 'X-Meshgate-Navigation': 'post' },
    });
    expect(answer.location).toMatch(new RegExp(`^${ISSUER}/authorize`));
    expect((await browser.visit(answer.location as string)).url).toBe(`https://${wild}/page`);
    expect(await browser.session(wild)).toBeDefined();
  });

  /** Begins at the wildcard host and confirms the question; returns the provider's address. */
  const confirmed = async (browser: ReturnType<Lab['browser']>, mode = 'in'): Promise<URL> => {
    const request = (await browser.begin('/page', mode, wild)).href;
    const headers = { ...form, 'X-Meshgate-Navigation': 'post' };
    return new URL((await browser.get(request, { method: 'POST', headers })).location as string);
  };

  test('receives no ticket from another browser than the one whose person confirmed it', async () => {
    const lab = new Lab({ signinHost });
    const at = await confirmed(lab.browser());
    // The attacker sends the state that they confirmed, or the provider's address with it.
    for (const link of [junk(at, 'JUNK'), lab.provider.authorize(at)]) {
      const victim = lab.browser();
      const requested = await victim.visit(link);
      expect([requested.status, requested.url.startsWith(`https://${signinHost}/.meshgate/signin?for=`)]).toEqual([
        200,
        true,
      ]);
      expect(requested.body).toContain(`<form method="post" action="/.meshgate/signin?for&#61;`);
      expect(requested.body).toContain(wild);
      expect([requested.hops.some((hop) => hop.startsWith(ISSUER)), victim.attempts(signinHost)]).toEqual([false, []]);
      // Once they confirm, they are at the page of the host, where what another browser began signs no one in.
      const answer = await victim.get(requested.url, { method: 'POST', headers: form });
      expect(answer.location).toMatch(new RegExp(`^${ISSUER}/authorize`));
      expect((await victim.visit(answer.location as string)).status).toBe(400);
      expect(await victim.session(wild)).toBeUndefined();
      lab.provider.requested.splice(0);
    }
  });

  test.each([wild, HOST])('begins no sign-in from an attempt that is too old: %s', async (host) => {
    const lab = new Lab({ signinHost });
    const attacker = lab.browser();
    const at =
      host === wild
        ? await confirmed(attacker)
        : new URL((await attacker.get((await attacker.begin('/page', 'in', host)).href)).location as string);
    const now = Math.floor(Date.now() / 1000);
    const { keyring } = lab.context;
    const attempt = JSON.parse((await keyring.openFor('state', signinHost, at.searchParams.get('state')!, now))!);
    const old = (await keyring.sealFor('state', signinHost, JSON.stringify({ ...attempt, at: now - 601 }), now))!;
    at.searchParams.set('state', old);
    for (const browser of [attacker, lab.browser()]) {
      const answer = await browser.get(junk(at, 'JUNK'));
      expect([answer.status, answer.location]).toEqual([400, undefined]);
      expect(answer.body).toContain('attempt_unknown');
    }
  });

  test('asks a person once, even if the provider needs the person to interact after all', async () => {
    const lab = new Lab({ signinHost });
    const browser = lab.browser();
    const silent = await confirmed(browser, 'renew');
    expect(silent.searchParams.get('prompt')).toBe('none');
    lab.provider.behaviour.error = 'login_required';
    const back = lab.provider.authorize(silent);
    lab.provider.behaviour = {};
    expect((await browser.visit(back)).url).toBe(`https://${wild}/page`);
    expect(await browser.session(wild)).toBeDefined();
  });

  test('a host that the policy names needs no confirmation', async () => {
    const lab = new Lab({ signinHost });
    expect((await lab.browser().signIn()).url).toBe(`https://${HOST}/page?x=1`);
  });

  test.each([
    'evil.example?.apps.example.com',
    'evil.example#.apps.example.com',
    'evil@.apps.example.com',
    'evil_x.apps.example.com',
    'EVIL.apps.example.com',
    'evil.example\\.apps.example.com',
  ])('is a name of letters, digits, dots and hyphens: %s', async (name) => {
    const lab = new Lab({ signinHost });
    for (const path of ['signin?in&to=/', 'callback?code=x&state=y', 'handover?ticket=x']) {
      const [endpoint, query] = path.split('?');
      const answer = await lab.ask(`https://x/.meshgate/${endpoint}`, '', {
        headers: { 'X-Meshgate-Host': name, 'X-Meshgate-Query': query as string },
      });
      expect([answer.status, answer.location]).toEqual([400, undefined]);
    }
  });
});
