import { describe, expect, it, vi } from 'vitest';
import { keepRevoked } from '../../../../src/njs/shared/revoked.ts';
import { revocation } from '../../../../src/session/revocation/new-revocation.ts';
import { ofAny } from '../../../../src/session/revocation/revocation.ts';
import { stopClock } from '../fake-ngx.ts';
import { type FakeBrowser, HOST, ISSUER, Lab, type LabOptions, labNgx } from '../signin-lab.ts';

stopClock(labNgx);

/*
 * A browser's session gets a new cookie with each renewal, step up and sign-in. Whatever ends the session ends the
 * earlier cookies too: anyone may have copied one.
 */

const NAME = '__Host-Http-meshgate';
const SIGN_OUT = `https://${HOST}/.meshgate/signout`;
const own = { Origin: `https://${HOST}`, 'Sec-Fetch-Site': 'same-origin' };

const now = () => Math.floor(Date.now() / 1000);
const wait = (seconds: number) => vi.setSystemTime((now() + seconds) * 1000);

/** Whether a cookie's value opens as a session that is not revoked. */
const passes = async ({ context }: Lab, text: string | undefined) =>
  (await context.keyring.sessionOf(HOST, `${NAME}=${text}`, now())) !== undefined;

const cookieOf = (browser: FakeBrowser) => browser.jar().get(NAME);
const signOut = (browser: FakeBrowser) => browser.get(SIGN_OUT, { method: 'POST', headers: own });
const revoked = ({ ngx }: Lab) => ngx.zones.revoked.keys().sort();

/** The person that the provider names next; without a provider session id unless one is set. */
function person(of: Lab, sub: string, sid?: string): void {
  of.provider.behaviour = { refreshToken: 'REFRESH-SECRET', claims: { sub, sid }, userinfo: { sub } };
}

function lab(options: LabOptions = {}, sid?: string): Lab {
  const made = new Lab({ stepUps: { admin: { maxAge: 60 } }, ...options });
  person(made, 'ada', sid);
  return made;
}

async function signedIn(of: Lab): Promise<FakeBrowser> {
  const browser = of.browser();
  await browser.signIn();
  return browser;
}

const modes = [
  ['a silent renewal', 'renew'],
  ['a step up', 'step&role=admin'],
  ['another sign-in', 'in'],
] as const;
const providers = [
  ['that names its session', 'op-session'],
  ['that names none', undefined],
] as const;
const cases = modes.flatMap(([what, mode]) =>
  providers.flatMap(([provider, sid]) =>
    [undefined, 'auth.example.com'].map((signinHost) => [what, provider, signinHost, mode, sid] as const),
  ),
);

describe.each(cases)(
  'a cookie from before %s at a provider %s (sign-in host: %s)',
  (...[, , signinHost, mode, sid]) => {
    const begun = async () => {
      const of = lab(signinHost === undefined ? {} : { signinHost }, sid);
      const browser = await signedIn(of);
      const cookies = [cookieOf(browser)];
      for (let i = 0; i < 3; i++) {
        wait(60);
        await browser.signIn('/page', mode);
        cookies.push(cookieOf(browser));
      }
      expect(new Set(cookies).size).toBe(4);
      for (const text of cookies) expect(await passes(of, text)).toBe(true);
      return { of, browser, cookies };
    };

    it('does not open after the sign-out', async () => {
      const { of, browser, cookies } = await begun();
      await signOut(browser);
      for (const text of cookies) expect(await passes(of, text)).toBe(false);
    });

    it('does not open after a revocation of the session’s id', async () => {
      const { of, browser, cookies } = await begun();
      keepRevoked([revocation('sid', ofAny((await browser.session())!.sid), now())]);
      for (const text of cookies) expect(await passes(of, text)).toBe(false);
    });
  },
);

it('renewals, step ups and sign-ins of one person revoke nothing, and leave one record', async () => {
  const of = lab();
  const [browser, other] = [await signedIn(of), await signedIn(of)];
  for (let i = 0; i < 10; i++) {
    for (const [, mode] of modes) {
      wait(10);
      await browser.signIn('/page', mode);
    }
  }
  expect(revoked(of)).toEqual([]);
  const session = (await browser.session())!;
  expect((await of.context.store.get(session.sid))?.session).toEqual(session);
  // The record of each browser, and the list of them.
  expect(of.ngx.zones.sessions.size()).toBe(3);
  await signOut(browser);
  expect(await passes(of, cookieOf(other))).toBe(true);
});

describe('another person who signs in in a browser', () => {
  it.each(['in', 'renew'])('ends the earlier session, and no other (mode %s)', async (mode) => {
    const of = lab({}, 'op-session');
    const [browser, elsewhere] = [await signedIn(of), await signedIn(of)];
    const [before, { sid }] = [cookieOf(browser), (await browser.session())!];
    wait(60);
    person(of, 'bob', 'op-of-bob');
    await browser.signIn('/page', mode);
    expect(await browser.session()).toMatchObject({ claims: { sub: 'bob' } });
    expect((await browser.session())!.sid).not.toBe(sid);
    expect(await passes(of, before)).toBe(false);
    expect(await of.context.store.get(sid)).toBeUndefined();
    expect(await passes(of, cookieOf(browser))).toBe(true);
    expect(await passes(of, cookieOf(elsewhere))).toBe(true);
  });

  it('does so through another provider, whatever subject that sends', async () => {
    const of = lab({ more: { partners: {} } });
    const browser = of.browser();
    await browser.signIn('/page', 'in&provider=okta');
    const before = cookieOf(browser);
    await browser.signIn('/page', 'in&provider=partners');
    expect(await browser.session()).toMatchObject({ provider: 'partners', claims: { sub: 'ada' } });
    expect([await passes(of, before), await passes(of, cookieOf(browser))]).toEqual([false, true]);
  });

  it('uses one entry for each person, however often they alternate', async () => {
    const of = lab();
    const browser = await signedIn(of);
    for (let i = 0; i < 40; i++) {
      wait(10);
      person(of, i % 2 === 0 ? 'bob' : 'ada');
      await browser.signIn();
    }
    expect(revoked(of)).toEqual([`out\n${ISSUER}\nada\n`, `out\n${ISSUER}\nbob\n`]);
  });

  it('is signed in if there is no room to revoke the earlier session, and the log says so', async () => {
    const of = lab();
    const browser = await signedIn(of);
    of.ngx.zones.revoked.room = 0;
    person(of, 'bob');
    const { status } = await browser.signIn();
    of.ngx.zones.revoked.room = Number.POSITIVE_INFINITY;
    expect([status, await passes(of, cookieOf(browser))]).toEqual([200, true]);
    expect(of.logged).toContain('meshgate_revoked is full');
  });
});

describe('a sign-in in another tab, at a provider that names no session of its own', () => {
  it('does not survive the sign-out: it begins again', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const back = of.provider.authorize(await browser.begin());
    wait(5);
    await signOut(browser);
    expect([...browser.jar().keys()]).toEqual([]);
    const answer = await browser.get(back);
    expect([answer.status, new URL(answer.location!).pathname]).toEqual([303, '/authorize']);
    expect(browser.jar().has(NAME)).toBe(false);
    // The code is used up, without a session.
    expect(of.provider.calls('/token').length).toBe(2);
  });

  it.each(['in', 'renew', 'step&role=admin'])(
    'and was in progress at the sign-out is refused, once (mode %s)',
    async (mode) => {
      const of = lab();
      const browser = await signedIn(of);
      const back = of.provider.authorize(await browser.begin('/page', mode));
      const jar = new Map(browser.jar());
      wait(5);
      await signOut(browser);
      for (const [name, value] of jar) browser.jar().set(name, value);
      const answer = await browser.get(back);
      expect([answer.status, answer.body.includes('revoked')]).toEqual([401, true]);
      expect([...browser.jar().keys()]).toEqual([]);
      await browser.signIn();
      expect(await passes(of, cookieOf(browser))).toBe(true);
    },
  );
});

describe.each([
  ['that names its session', 'op-session', undefined],
  ['that names none', undefined, undefined],
  ['that names none', undefined, 'auth.example.com'],
] as const)('first sign-ins in two tabs at once, at a provider %s (%s, sign-in host: %s)', (_, sid, signinHost) => {
  /** The URL by which a tab returns to the host that it signs in to; that request is not sent yet. */
  async function wayBack(of: Lab, browser: FakeBrowser, begun: URL): Promise<string> {
    for (let next = begun.href; ; ) {
      const { origin, hostname, pathname } = new URL(next);
      if (hostname === HOST) return next;
      const { location = '' } = await (origin === ISSUER && pathname === '/authorize'
        ? { location: of.provider.authorize(new URL(next)) }
        : browser.get(next));
      next = location;
    }
  }

  const made = () => lab(signinHost === undefined ? {} : { signinHost }, sid);

  /** Sends a request of a tab with its cookies at that time; returns the browser as the response leaves it. */
  async function send(of: Lab, back: string, jar: ReadonlyMap<string, string>) {
    const tab = of.browser();
    for (const [name, value] of jar) tab.jar().set(name, value);
    return { tab, answer: await tab.get(back) };
  }

  /** Two tabs that have begun, the cookies that each sends, and the URL by which each returns. */
  async function twoTabs(of: Lab) {
    const browser = of.browser();
    const first = await wayBack(of, browser, await browser.begin('/a'));
    const alone = new Map(browser.jar());
    const second = await wayBack(of, browser, await browser.begin('/b'));
    return { first, second, alone, both: new Map(browser.jar()) };
  }

  it.each([0, 1])('have one session, and the sign-out with the cookie of tab %i ends the other one', async (last) => {
    const of = made();
    const { first, second, both } = await twoTabs(of);
    const tabs = await Promise.all([send(of, first, both), send(of, second, both)]);
    const cookies = tabs.map(({ tab }) => cookieOf(tab));
    expect(new Set(cookies).size).toBe(2);
    for (const text of cookies) expect(await passes(of, text)).toBe(true);
    // One record, and the list of the person's.
    expect(of.ngx.zones.sessions.size()).toBe(2);
    await signOut(tabs[last]!.tab);
    for (const text of cookies) expect(await passes(of, text)).toBe(false);
  });

  it('have one session if the second began while the answer of the first was on its way, and finished first', async () => {
    const of = made();
    const { first, second, alone, both } = await twoTabs(of);
    const later = await send(of, second, both);
    const earlier = await send(of, first, alone);
    await signOut(later.tab);
    expect([await passes(of, cookieOf(earlier.tab)), await passes(of, cookieOf(later.tab))]).toEqual([false, false]);
  });

  it('of which one is signed out meanwhile: the other one is refused, once', async () => {
    const of = made();
    const { first, second, both } = await twoTabs(of);
    await signOut((await send(of, first, both)).tab);
    wait(5);
    const { tab, answer } = await send(of, second, both);
    expect([answer.status, answer.body.includes('revoked')]).toEqual([401, true]);
    expect([...tab.jar().keys()]).toEqual([]);
    await tab.signIn();
    expect(await passes(of, cookieOf(tab))).toBe(true);
  });
});

it('an attempt that was left open locks no one out after its session was revoked', async () => {
  const of = lab();
  const browser = of.browser();
  await browser.begin('/left');
  wait(5);
  await browser.signIn();
  const { sid } = (await browser.session())!;
  keepRevoked([revocation('sid', ofAny(sid), now())]);
  wait(5);
  expect((await browser.signIn()).status).toBe(401);
  expect([...browser.jar().keys()]).toEqual([]);
  await browser.signIn();
  expect(await passes(of, cookieOf(browser))).toBe(true);
});
