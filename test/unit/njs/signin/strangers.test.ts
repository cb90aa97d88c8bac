import { afterEach, describe, expect, test, vi } from 'vitest';
import { cookieNames, cookieValue, ownSession } from '../../../../src/session/cookie.ts';
import { SESSION_COOKIE } from '../../../../src/session/names.ts';
import { makeToken } from '../../token/maker.ts';
import { stopClock } from '../fake-ngx.ts';
import { HOST, ISSUER, Lab, type LabOptions, labNgx } from '../signin-lab.ts';

stopClock(labNgx);

/** What requests of anyone may cost: work in a worker of nginx, and calls to a provider. */

const at = (path: string) => `https://${HOST}/.meshgate/${path}`;
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

const post = (lab: Lab, body: string) => lab.ask(at('backchannel'), '', { method: 'POST', headers: form, body });

afterEach(() => vi.restoreAllMocks());

describe('parameters of a query or a form', () => {
  /** The number of texts that one request makes the gateway decode. */
  async function decodedBy(request: () => Promise<unknown>): Promise<number> {
    const spy = vi.spyOn(globalThis, 'decodeURIComponent');
    await request();
    const count = spy.mock.calls.length;
    spy.mockRestore();
    return count;
  }

  const endpoints: [string, LabOptions, (lab: Lab, text: string) => Promise<{ status: number }>, number][] = [
    ['backchannel', {}, (lab, text) => post(lab, text), 400],
    ['callback', {}, (lab, text) => lab.ask(`${at('callback')}?${text}`, ''), 400],
    ['handover', { signinHost: 'auth.example.com' }, (lab, text) => lab.ask(`${at('handover')}?${text}`, ''), 400],
    ['frontchannel', {}, (lab, text) => lab.ask(`${at('frontchannel')}?${text}`, ''), 200],
    ['signout', {}, (lab, text) => lab.ask(`${at('signout')}?${text}`, ''), 200],
    ['signin', {}, (lab, text) => lab.ask(`${at('signin')}?${text}`, ''), 303],
    ['signin with a target', {}, (lab, text) => lab.ask(`${at('signin')}?to=%2f&${text}`, ''), 303],
  ];

  test.each(endpoints)('of %s are counted before one is decoded', async (_, options, ask, status) => {
    const lab = new Lab(options);
    for (const text of ['a&'.repeat(8000), 'a=1&'.repeat(31), '&'.repeat(16_000), '%41&'.repeat(4000)]) {
      let answer: { status: number } | undefined;
      const count = await decodedBy(async () => {
        answer = await ask(lab, text);
      });
      expect([answer?.status, count]).toEqual([status, 0]);
    }
  });

  test('are not decoded if they are too long', async () => {
    const lab = new Lab();
    expect(await decodedBy(() => post(lab, `logout_token=${'%41'.repeat(6000)}`))).toBe(0);
  });

  test('are read up to thirty: a provider may send some of its own', async () => {
    const lab = new Lab();
    const browser = lab.browser();
    const [back, other] = [
      lab.provider.authorize(await browser.begin()),
      lab.provider.authorize(await browser.begin()),
    ];
    const more = '&own=1'.repeat(28);
    expect((await browser.get(`${other}${more}&own=1`)).status).toBe(400);
    expect((await browser.get(`${back}${more}`)).status).toBe(303);
  });
});

describe('cookies of a line', () => {
  const line = (count: number, last: string) => `${'a=1; '.repeat(count)}${last}`;

  test('are read up to five hundred, and a session among more does not count', () => {
    expect(ownSession(line(499, `${SESSION_COOKIE}=x`))).toBe('x');
    expect(ownSession(line(500, `${SESSION_COOKIE}=x`))).toBe('twice');
    expect(ownSession(`${SESSION_COOKIE}=x; ${line(500, 'a=1')}`)).toBe('twice');
    expect(cookieValue(line(499, 'b=x'), 'b')).toBe('x');
    expect(cookieValue(`b=x; ${line(500, 'a=1')}`, 'b')).toBeUndefined();
    expect(cookieNames(line(5000, 'a=1'), 'a').length).toBe(500);
  });
});

describe('calls to a provider whose keys are not known', () => {
  const logout = (jti: string, kid?: string): string => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER, aud: 'wiki', iat: now, exp: now + 60, jti, sid: 's' };
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const header = { typ: 'logout+jwt', ...(kid !== undefined && { kid }) };
    return `logout_token=${makeToken({ header, claims: { ...claims, events } })}`;
  };
  const requested = ({ provider }: Lab) => [provider.calls('/jwks').length, provider.requested.length];

  test.each<[string, string | undefined]>([
    ['any key', undefined],
    ['a key that the provider does not have', 'made-up'],
  ])('are made once in each cool-down for all logout tokens of strangers, with %s', async (_, kid) => {
    const lab = new Lab({ coolDown: 30 });
    lab.provider.behaviour = { metadata: { jwks_uri: `${ISSUER}/none` } };
    for (let i = 0; i < 50; i++) expect((await post(lab, logout(`a${i}`, kid))).status).toBe(400);
    // One discovery document, and one answer without keys.
    expect(requested(lab)).toEqual([0, 2]);
    vi.setSystemTime(Date.now() + 29_000);
    await post(lab, logout('b', kid));
    expect(requested(lab)).toEqual([0, 2]);
  });

  test('are made for a person whose code the provider has just redeemed, whatever strangers have used up', async () => {
    const lab = new Lab({ coolDown: 30 });
    lab.provider.behaviour = { metadata: { jwks_uri: `${ISSUER}/none` } };
    for (let i = 0; i < 50; i++) await post(lab, logout(`a${i}`));
    lab.provider.behaviour = {};
    lab.ngx.zones.keys.clear();
    const browser = lab.browser();
    expect((await browser.signIn()).status).toBe(200);
    expect(await browser.session()).toBeDefined();
  });
});
