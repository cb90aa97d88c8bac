import { describe, expect, it, vi } from 'vitest';
import { keepRevoked } from '../../../../src/njs/revoked.ts';
import { revocation } from '../../../../src/session/new-revocation.ts';
import { ofAny } from '../../../../src/session/revocation.ts';
import { stopClock } from '../fake-ngx.ts';
import { type FakeBrowser, HOST, Lab, type LabOptions, labNgx } from '../signin-lab.ts';

stopClock(labNgx);

/*
 * A browser's session gets a new cookie with each renewal, step up and sign-in. Whatever ends the session ends the
 * earlier cookies too: anyone may have copied one.
 */

const NAME = '__Host-meshgate';
const SIGN_OUT = `https://${HOST}/.meshgate/signout`;
const own = { Origin: `https://${HOST}`, 'Sec-Fetch-Site': 'same-origin' };

const now = () => Math.floor(Date.now() / 1000);
const wait = (seconds: number) => vi.setSystemTime((now() + seconds) * 1000);

/** Whether a cookie's value opens as a session that is not revoked. */
const passes = async ({ scene }: Lab, text: string | undefined) =>
  (await scene.vault.sessionOf(HOST, `${NAME}=${text}`, now())) !== undefined;

const cookieOf = (browser: FakeBrowser) => browser.jar().get(NAME);
const signOut = (browser: FakeBrowser) => browser.get(SIGN_OUT, { method: 'POST', headers: own });
const revoked = ({ ngx }: Lab) => ngx.zones.revoked.keys().sort();

/** The person that the provider names next; without a session id of the provider's unless there is one. */
function person(of: Lab, sub: string, sid?: string): void {
  of.provider.manners = { refreshToken: 'REFRESH-SECRET', claims: { sub, sid }, userinfo: { sub } };
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

it('renewals, steps up and sign-ins of one person revoke nothing, and leave one record', async () => {
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
  expect((await of.scene.store.get(session.sid))?.session).toEqual(session);
  // Each browser's, and the list of them.
  expect(of.ngx.zones.sessions.size()).toBe(3);
  await signOut(browser);
  expect(await passes(of, cookieOf(other))).toBe(true);
});

describe('another person who signs in in a browser', () => {
  it.each(['in', 'renew'])('ends the session before there, and no other (mode %s)', async (mode) => {
    const of = lab({}, 'op-session');
    const [browser, elsewhere] = [await signedIn(of), await signedIn(of)];
    const [before, { sid }] = [cookieOf(browser), (await browser.session())!];
    wait(60);
    person(of, 'bob', 'op-of-bob');
    await browser.signIn('/page', mode);
    expect(await browser.session()).toMatchObject({ claims: { sub: 'bob' } });
    expect((await browser.session())!.sid).not.toBe(sid);
    expect(await passes(of, before)).toBe(false);
    expect(await of.scene.store.get(sid)).toBeUndefined();
    expect(await passes(of, cookieOf(browser))).toBe(true);
    expect(await passes(of, cookieOf(elsewhere))).toBe(true);
  });

  it('through another provider does, whatever that calls them', async () => {
    const of = lab({ more: { partners: {} } });
    const browser = of.browser();
    await browser.signIn('/page', 'in&provider=okta');
    const before = cookieOf(browser);
    await browser.signIn('/page', 'in&provider=partners');
    expect(await browser.session()).toMatchObject({ provider: 'partners', claims: { sub: 'ada' } });
    expect([await passes(of, before), await passes(of, cookieOf(browser))]).toEqual([false, true]);
  });

  it('takes one entry for each person, however often they take turns', async () => {
    const of = lab();
    const browser = await signedIn(of);
    for (let i = 0; i < 40; i++) {
      wait(10);
      person(of, i % 2 === 0 ? 'bob' : 'ada');
      await browser.signIn();
    }
    expect(revoked(of)).toEqual(['out\nokta\nada\n', 'out\nokta\nbob\n']);
  });

  it('is signed in where there is no room to revoke the one before, and the log says so', async () => {
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
  it('does not outlive the sign-out: it is begun anew', async () => {
    const of = lab();
    const browser = await signedIn(of);
    const back = of.provider.authorize(await browser.begin());
    wait(5);
    await signOut(browser);
    expect([...browser.jar().keys()]).toEqual([]);
    const answer = await browser.get(back);
    expect([answer.status, new URL(answer.location!).pathname]).toEqual([303, '/authorize']);
    expect(browser.jar().has(NAME)).toBe(false);
    expect(of.provider.calls('/token').length).toBe(1);
  });

  it.each(['in', 'renew', 'step&role=admin'])(
    'and was under way when the sign-out came is refused, once (mode %s)',
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
