import { expect, it, vi } from 'vitest';
import { stopClock } from '../fake-ngx.ts';
import { type FakeBrowser, HOST, Lab, labNgx } from '../signin-lab.ts';

stopClock(labNgx);

/* Sixteen records of one person are kept, so a person who signs in more often loses records of their own. */

const NAME = '__Host-Http-meshgate';
const own = { Origin: `https://${HOST}`, 'Sec-Fetch-Site': 'same-origin' };

const cookieOf = (browser: FakeBrowser) => browser.jar().get(NAME);

/** Whether a cookie's value opens as a session that is not revoked. */
const passes = async ({ context }: Lab, text: string | undefined) =>
  (await context.keyring.sessionOf(HOST, `${NAME}=${text}`, Date.now() / 1000)) !== undefined;

async function signedIn(of: Lab, sub: string): Promise<{ browser: FakeBrowser; sid: string }> {
  of.provider.behaviour = { refreshToken: 'REFRESH-SECRET', claims: { sub, sid: undefined }, userinfo: { sub } };
  const browser = of.browser();
  await browser.signIn();
  return { browser, sid: (await browser.session())!.sid };
}

/** A person with one sign-in more than the limit of records; `first` has lost its own. */
async function seventeen() {
  const of = new Lab();
  const bob = await signedIn(of, 'bob');
  const first = await signedIn(of, 'ada');
  for (let i = 0; i < 16; i++) await signedIn(of, 'ada');
  return { of, bob, first };
}

it('the seventeenth sign-in of a person replaces their own first record, and ends no session', async () => {
  const { of, bob, first } = await seventeen();
  expect(await of.context.store.get(first.sid)).toBeUndefined();
  expect(await of.context.store.get(bob.sid)).toBeDefined();
  expect(await passes(of, cookieOf(first.browser))).toBe(true);
  expect(await passes(of, cookieOf(bob.browser))).toBe(true);
});

it('a browser without its record uses the provider, which confirms the same session', async () => {
  const { of, first } = await seventeen();
  vi.setSystemTime(Date.now() + 900_000);
  const { status, hops } = await first.browser.signIn('/page', 'renew');
  expect([status, hops.some((url) => url.includes('prompt=none'))]).toEqual([200, true]);
  expect((await first.browser.session())!.sid).toBe(first.sid);
  expect(await of.context.store.get(first.sid)).toBeDefined();
});

it('a browser without its record can sign out all the same', async () => {
  const { of, first } = await seventeen();
  const copy = cookieOf(first.browser);
  await first.browser.get(`https://${HOST}/.meshgate/signout`, { method: 'POST', headers: own });
  expect([cookieOf(first.browser), await passes(of, copy)]).toEqual([undefined, false]);
});
