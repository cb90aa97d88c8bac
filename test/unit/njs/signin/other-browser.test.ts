/** An answer of the provider, or a ticket, that arrives in another browser than the one that began. */
import { describe, expect, test, vi } from 'vitest';
import { stopClock } from '../fake-ngx.ts';
import { HOST, Lab, labNgx } from '../signin-lab.ts';

stopClock(labNgx);

const signinHost = 'auth.example.com';

/** A callback with a code that the provider did not make. */
function junk(url: URL, code: string): string {
  const back = new URL(url.searchParams.get('redirect_uri') as string);
  back.searchParams.set('code', code);
  back.searchParams.set('state', url.searchParams.get('state') as string);
  return back.href;
}

type Token = () => { status: number; body: unknown } | 'hangs up' | 'not reached' | undefined;

describe('an answer in another browser', () => {
  test.each<[string, Parameters<Lab['ask']>[2]]>([
    ['a page', {}],
    ['an image', { headers: { 'X-Meshgate-Navigation': '' } }],
    ['a HEAD', { method: 'HEAD' }],
  ])('signs no one in later, in the browser that began either: %s', async (_, more) => {
    const lab = new Lab();
    const [attacker, ada] = [lab.browser(), lab.browser()];
    const back = lab.provider.authorize(await attacker.begin());
    await ada.get(back, more);
    const answer = await attacker.get(back);
    expect([answer.status, attacker.jar().has('__Host-Http-meshgate')]).toEqual([400, false]);
    expect(answer.body).toContain('attempt_unknown');
  });

  /** The person who sends a link of the provider chooses its state. */
  const states: [string, (state: string, lab: Lab) => string | Promise<string>][] = [
    ['a letter more', (state) => `${state}x`],
    ['none', () => ''],
    ['another text', () => 'abc'],
    ['16 KB', () => 'a'.repeat(16_000)],
    ['that of another attempt', async (_, lab) => (await lab.browser().begin()).searchParams.get('state') as string],
  ];
  test.each(states)('signs no one in, although its state was changed: %s', async (_, change) => {
    const lab = new Lab();
    const [attacker, ada] = [lab.browser(), lab.browser()];
    const at = await attacker.begin('/page');
    const state = at.searchParams.get('state') as string;
    at.searchParams.set('state', await change(state, lab));
    const back = lab.provider.authorize(at);
    await ada.get(back);
    const stolen = new URL(back);
    stolen.searchParams.set('state', state);
    expect((await attacker.get(stolen.href)).status).toBe(400);
    expect(attacker.jar().has('__Host-Http-meshgate')).toBe(false);
    expect(lab.provider.calls('/token').length).toBeLessThan(2);
  });

  test('signs no one in, although the mark of its attempt was displaced', async () => {
    const lab = new Lab();
    const attacker = lab.browser();
    const back = lab.provider.authorize(await attacker.begin('/page'));
    const jar = [...attacker.jar()];
    lab.provider.behaviour = { token: () => 'not reached' };
    await lab.browser().get(back);
    lab.provider.behaviour = {};
    const [id = ''] = jar.flatMap(([name]) => /-a-\d+\.(\w\w)/.exec(name)?.[1] ?? []);
    lab.ngx.zones.once.delete(`spoilt/${id}`);
    const again = lab.browser();
    for (const [name, value] of jar) again.jar().set(name, value);
    expect((await again.get(back)).status).toBe(400);
    expect(again.jar().has('__Host-Http-meshgate')).toBe(false);
  });

  test('is redeemed at once, so that the code is used up at the provider', async () => {
    const lab = new Lab();
    const back = lab.provider.authorize(await lab.browser().begin());
    await lab.browser().get(back);
    const [call, ...more] = lab.provider.calls('/token');
    expect([call?.params.get('code'), more.length]).toEqual([new URL(back).searchParams.get('code'), 0]);
  });

  test('begins a new attempt there, which signs the person in', async () => {
    const lab = new Lab();
    const ada = lab.browser();
    const page = await ada.visit(lab.provider.authorize(await lab.browser().begin('/page')));
    expect([page.url, (await ada.session())?.provider]).toEqual([`https://${HOST}/page`, 'okta']);
  });

  test.each<[string, Token]>([
    ['answers 429', () => ({ status: 429, body: 'slow down' })],
    ['answers 500', () => ({ status: 500, body: '' })],
    ['is not reached', () => 'not reached'],
    ['hangs up', () => 'hangs up'],
  ])('signs no one in after an outage either, in which the provider %s', async (_, token) => {
    const lab = new Lab();
    const [attacker, ada] = [lab.browser(), lab.browser()];
    const back = lab.provider.authorize(await attacker.begin());
    lab.provider.behaviour = { token };
    await ada.get(back);
    lab.provider.behaviour = {};
    labNgx.clock += 200_000;
    vi.setSystemTime(labNgx.clock);
    expect((await attacker.get(back)).status).toBe(400);
    expect(attacker.jar().has('__Host-Http-meshgate')).toBe(false);
  });

  test('signs no one in while the browser that began keeps the attempt busy', async () => {
    const lab = new Lab();
    const attacker = lab.browser();
    const at = await attacker.begin();
    const back = lab.provider.authorize(at);
    const jar = [...attacker.jar()];
    let answer = (): void => {};
    const requested = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const plain = labNgx.fetch;
    labNgx.fetch = async (...of) => {
      await requested;
      return plain?.(...of) as never;
    };
    const busy = attacker.get(junk(at, 'JUNK'));
    labNgx.fetch = plain as never;
    await lab.browser().get(back);
    answer();
    expect((await busy).status).toBe(403);
    const again = lab.browser();
    for (const [name, value] of jar) again.jar().set(name, value);
    expect((await again.get(back)).status).toBe(400);
    expect(again.jar().has('__Host-Http-meshgate')).toBe(false);
  });

  test('does not redeem a code again that was used: the provider would end the session', async () => {
    const lab = new Lab();
    const browser = lab.browser();
    const back = lab.provider.authorize(await browser.begin('/page'));
    await browser.get(back);
    // The browser has the session, and no cookie of the attempt any more: a reload, the back button, or a copy.
    for (const one of [browser, lab.browser()]) expect((await one.get(back)).status).toBe(303);
    expect(lab.provider.calls('/token').length).toBe(1);
    expect((await browser.get(back)).location).toBe(`https://${HOST}/page`);
  });

  test('is not sent to a provider that did not make it', async () => {
    const lab = new Lab({ more: { partners: {} } });
    const url = await lab.browser().begin('/page', 'in&provider=partners');
    const back = new URL(junk(url, 'CODE'));
    back.pathname = '/.meshgate/callback/okta';
    await lab.browser().get(back.href);
    for (const name of ['okta', 'partners']) expect(lab.providers.get(name)!.calls('/token')).toEqual([]);
  });

  test('causes no call, and ends nothing, without a state that the gateway sealed', async () => {
    const lab = new Lab();
    const url = await lab.browser().begin();
    url.searchParams.set('state', `${url.searchParams.get('state')!.slice(0, -4)}AAAA`);
    expect((await lab.browser().get(junk(url, 'CODE'))).status).toBe(400);
    expect(lab.provider.calls('/token').length).toBe(0);
    // The code, and nothing of an attempt.
    expect(lab.ngx.zones.once.keys()).toEqual([expect.stringMatching(/^spoilt\//)]);
  });

  test('takes a room that strangers cannot fill, and leaves that of others', async () => {
    const lab = new Lab();
    for (let i = 0; i < 300; i++) await lab.browser().get(junk(await lab.browser().begin(), `JUNK-${i}`));
    const places = lab.ngx.zones.once.keys();
    expect(places.filter((name) => !/^spoilt\/[\w-]{2}$/.test(name))).toEqual([]);
    expect(lab.ngx.zones.sessions.size()).toBe(0);
    expect((await lab.browser().signIn()).status).toBe(200);
  });

  test('does not affect another attempt of the same browser, or of others', async () => {
    const lab = new Lab();
    const [one, other] = [lab.browser(), lab.browser()];
    const [first, second, third] = [await one.begin('/1'), await one.begin('/2'), await other.begin('/3')];
    await lab.browser().get(lab.provider.authorize(first));
    expect((await one.visit(lab.provider.authorize(second))).url).toBe(`https://${HOST}/2`);
    expect((await other.visit(lab.provider.authorize(third))).url).toBe(`https://${HOST}/3`);
  });
});

describe('a ticket in another browser', () => {
  const handedOver = async (lab: Lab, browser: ReturnType<Lab['browser']>): Promise<string> => {
    const request = await browser.begin('/page');
    const url = new URL((await browser.get(request.href)).location as string);
    return (await browser.get(lab.provider.authorize(url))).location as string;
  };

  test.each<[string, Parameters<Lab['ask']>[2]]>([
    ['a page', {}],
    ['an image', { headers: { 'X-Meshgate-Navigation': '' } }],
    ['a HEAD', { method: 'HEAD' }],
  ])('signs no one in later, in the browser that began either: %s', async (_, more) => {
    const lab = new Lab({ signinHost });
    const attacker = lab.browser();
    const ticket = await handedOver(lab, attacker);
    expect(ticket).toContain('/.meshgate/handover?ticket=');
    await lab.browser().get(ticket, more);
    expect((await attacker.get(ticket)).status).toBe(400);
    expect(attacker.jar().has('__Host-Http-meshgate')).toBe(false);
  });

  test.each([
    [-31, false],
    [-29, true],
    [89, true],
    [91, false],
  ])(
    'that is used %i s after it was made, by the clock of another replica, signs in within a minute and the skew: %s',
    async (seconds, isInTime) => {
      const lab = new Lab({ signinHost });
      const browser = lab.browser();
      const ticket = await handedOver(lab, browser);
      labNgx.clock += seconds * 1000;
      vi.setSystemTime(labNgx.clock);
      await browser.get(ticket);
      // The policy allows a skew of 30 seconds.
      expect(browser.jar().has('__Host-Http-meshgate')).toBe(isInTime);
    },
  );
});
