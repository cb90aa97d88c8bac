import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { providerKinds } from '../../../../src/providers/index.ts';
import { chooseProvider } from '../../../../src/session/flow/choose.ts';
import { readErrand, readTicket } from '../../../../src/session/flow/errand.ts';
import { continued, isOfSamePerson, newSession, underAttempt } from '../../../../src/session/flow/new-session.ts';
import { readSigninRequest, safeReturn } from '../../../../src/session/flow/signin-request.ts';
import { checkOverage, lacksClaims, readPaths, withUserinfo } from '../../../../src/session/flow/userinfo.ts';
import { signinFields, signinHref } from '../../../../src/session/pages/links.ts';
import type { SigninProvider } from '../../../../src/session/signin-table.ts';
import { handoverUrl, httpsOrigin, redirectUri } from '../../../../src/session/urls.ts';
import type { Claims } from '../../../../src/token/types.ts';
import { holds } from '../../../harness/property.ts';

describe('readSigninRequest', () => {
  it('has a mode, and the raw target after the first to=', () => {
    expect(readSigninRequest('in&to=/display/X?a=b&to=/c&email=d')).toEqual({
      wish: { mode: 'in', to: '/display/X?a=b&to=/c&email=d' },
      reported: {},
    });
    expect(readSigninRequest('renew&to=/x')).toEqual({ wish: { mode: 'renew', to: '/x' }, reported: {} });
    expect(readSigninRequest('step&role=wiki%20admin&provider=okta&to=/x')).toEqual({
      wish: { mode: 'step', role: 'wiki admin', to: '/x' },
      reported: { provider: 'okta' },
    });
    expect(readSigninRequest('to=/x')).toEqual({ wish: { mode: 'in', to: '/x' }, reported: {} });
    expect(readSigninRequest('')).toEqual({ wish: { mode: 'in', to: '/' }, reported: {} });
    expect(readSigninRequest('step&to=/x')).toMatchObject({ wish: { mode: 'in' } });
    expect(readSigninRequest('for=a.b.c')).toEqual({ request: 'a.b.c' });
  });

  it('returns only to this origin', () => {
    for (const to of ['//evil.example', 'https://evil.example', '%2F%2Fevil.example', '%2f%5cevil.example', '']) {
      expect(readSigninRequest(`in&to=${to}`)).toEqual({ wish: { mode: 'in', to: '/' }, reported: {} });
    }
  });

  it('reads the links and the form of the chooser page', () => {
    const target = fc.webUrl({ withQueryParameters: true }).map((url) => url.slice(url.indexOf('/', 8) >>> 0) || '/');
    holds(
      fc.property(target, fc.string({ unit: 'grapheme', minLength: 1 }), (to, role) => {
        const mode = `step&role=${encodeURIComponent(role)}`;
        const wish = { mode: 'step', role, to: safeReturn(to) };
        const href = signinHref(mode, to, 'okta');
        expect(readSigninRequest(href.slice(href.indexOf('?') + 1))).toEqual({ wish, reported: { provider: 'okta' } });
        const fields = signinFields(mode, to);
        const form = new URLSearchParams([
          ...fields.slice(0, -1).map(([name, value]): [string, string] => [name, value]),
          ['email', 'ada@example.com'],
          ...fields.slice(-1).map(([name, value]): [string, string] => [name, value]),
        ]);
        expect(readSigninRequest(form.toString())).toEqual({ wish, reported: { email: 'ada@example.com' } });
      }),
    );
  });

  it('never fails, and never leads elsewhere', () => {
    holds(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (head, to) => {
        const read = readSigninRequest(`${head}&to=${to}`);
        if ('wish' in read) expect(new URL(read.wish.to, 'https://w.example').origin).toBe('https://w.example');
      }),
    );
  });
});

describe('chooseProvider', () => {
  const provider = (name: string, ...domains: string[]) =>
    ({ name, signin: { domains, scopes: [], userinfo: false, label: name } }) as unknown as SigninProvider;
  const [staff, partners] = [provider('staff', 'example.com'), provider('partners', 'example.net', 'example.org')];
  const both = [staff!, partners!];

  it('chooses the only one, or the named one', () => {
    expect(chooseProvider([staff!], {})).toEqual({ provider: staff });
    expect(chooseProvider(both, { provider: 'partners' })).toEqual({ provider: partners });
    expect(chooseProvider(both, {})).toEqual({ choose: both, unknown: false });
    expect(chooseProvider(both, { provider: 'toString' })).toEqual({ choose: both, unknown: false });
  });

  it('finds the one of an address, and passes the address on as a hint', () => {
    expect(chooseProvider(both, { email: ' Ada@Example.ORG ' })).toEqual({
      provider: partners,
      hint: 'Ada@Example.ORG',
    });
    for (const email of ['ada@sub.example.org', 'ada', 'a@b@example.org', 'ada@example.org\n', '@example.org', '']) {
      const chosen = chooseProvider(both, { email });
      if (email.trim() === 'ada@example.org') expect(chosen).toMatchObject({ provider: partners });
      else expect(chosen).toEqual({ choose: both, unknown: true });
    }
  });

  it('continues with the provider of the session', () => {
    expect(chooseProvider(both, { current: 'partners' })).toEqual({ provider: partners });
    expect(chooseProvider(both, { current: 'gone' })).toEqual({ choose: both, unknown: false });
    expect(chooseProvider(both, { current: 'partners', provider: 'staff' })).toEqual({ provider: staff });
  });
});

describe('claims of a session', () => {
  const { generic, entra } = providerKinds;
  const keep = { paths: { okta: ['sub', 'email'] }, elements: { okta: { groups: ['staff'] } } };

  it('are those that the policy reads', () => {
    expect(readPaths(keep, 'okta')).toEqual(['sub', 'email', 'groups']);
    expect(readPaths(keep, 'toString')).toEqual([]);
    expect(lacksClaims({ sub: 'a', email: 'b', groups: [] }, readPaths(keep, 'okta'))).toBe(false);
    expect(lacksClaims({ sub: 'a', email: 'b' }, readPaths(keep, 'okta'))).toBe(true);
  });

  it('are extended by UserInfo of the same person, and never changed', () => {
    const idToken = { sub: 'ada', email: 'ada@example.com' };
    expect(withUserinfo(idToken, '{"sub":"ada","email":"evil@example.com","groups":["a"]}', generic)).toEqual({
      ok: true,
      value: { sub: 'ada', email: 'ada@example.com', groups: ['a'] },
    });
    for (const text of ['{"sub":"ben"}', '{}', '[]', 'null', 'eyJ.eyJ.x', '', '{"sub":["ada"]}']) {
      expect(withUserinfo(idToken, text, generic)).toMatchObject({ ok: false, reason: 'signin_failed' });
    }
  });

  const [own, other] = ['ada@example.com', 'eve@evil.example'];
  it.each<[string, Claims, Claims, Claims]>([
    ['its own', { email: own }, { email: other, email_verified: true }, { email: own }],
    [
      'its own, which has one',
      { email: own, email_verified: false },
      { email: other, email_verified: true },
      { email: own, email_verified: false },
    ],
    ['its own, beside a flag alone', { email: own }, { email_verified: true }, { email: own }],
    ['UserInfo’s', { email_verified: true }, { email: other }, { email: other }],
    [
      'UserInfo’s, which has one',
      { email_verified: false },
      { email: own, email_verified: true },
      { email: own, email_verified: true },
    ],
    [
      'both, and UserInfo has the flag',
      { email: own },
      { email: own, email_verified: true },
      { email: own, email_verified: true },
    ],
    [
      'both, and the token has the flag',
      { email: own, email_verified: false },
      { email: own, email_verified: true },
      { email: own, email_verified: false },
    ],
  ])('have an address with its flag from the same source: %s', (_, idToken, reported, expected) => {
    expect(withUserinfo({ sub: 'ada', ...idToken }, JSON.stringify({ sub: 'ada', ...reported }), generic)).toEqual({
      ok: true,
      value: { sub: 'ada', ...expected },
    });
  });

  it('have an address with the claim by which Entra ID verifies it', () => {
    const reported = JSON.stringify({ sub: 'ada', email: other, xms_edov: true });
    expect(withUserinfo({ sub: 'ada', email: own }, reported, entra)).toEqual({
      ok: true,
      value: { sub: 'ada', email: own },
    });
  });

  it('of the sign-in itself are only those of the signed token', () => {
    const reported = {
      sub: 'ada',
      acr: 'phr',
      amr: ['hwk'],
      auth_time: 9e9,
      sid: 'x',
      iss: 'y',
      exp: 1,
      nonce: 'z',
      typ: 'ID',
    };
    const more = { department: 'wiki', acrobat: true };
    expect(withUserinfo({ sub: 'ada' }, JSON.stringify({ ...reported, ...more }), generic)).toEqual({
      ok: true,
      value: { sub: 'ada', ...more },
    });
  });

  it('are rejected if the provider left out what the policy reads', () => {
    const overage = { sub: 'ada', _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'x' } } };
    expect(checkOverage(overage, ['groups'])).toMatchObject({
      reason: 'claim_absent',
      detail: expect.stringMatching(/"groups"/),
    });
    expect(checkOverage(overage, ['email'])).toBeUndefined();
    expect(checkOverage({ ...overage, groups: ['a'] }, ['groups'])).toBeUndefined();
    expect(checkOverage({ sub: 'ada' }, ['groups'])).toBeUndefined();
  });
});

const okta = { name: 'okta', issuer: 'https://okta' };
const kept = { claims: { sub: 'ada' }, selection: 'SEL' };

describe('newSession', () => {
  const lifetimes = { absolute: 86_400, fresh: 600 };
  const make = (claims: Record<string, unknown> = {}) =>
    newSession(okta, { sub: 'ada', ...claims }, kept, { ...lifetimes, now: 1000.9, began: 1000 });

  it('has a new id each time, and current times', () => {
    expect(make({ sid: 'op1', auth_time: 900 })).toEqual({
      sid: expect.stringMatching(/^[\w-]{22}$/),
      ...{ provider: 'okta', issuer: 'https://okta' },
      psid: 'op1',
      selection: 'SEL',
      gen: 0,
      since: 1000,
      authTime: 900,
      sealed: 1000,
      fresh: 1600,
      end: 87_400,
      claims: { sub: 'ada' },
    });
    expect(make().sid).not.toBe(make().sid);
  });

  it('has the provider’s sign-in time, which may be a little ahead of the gateway’s clock', () => {
    for (const [auth_time, is] of [
      [900.9, 900],
      [1001, 1000],
      [1300, 1000],
    ]) {
      expect(make({ auth_time }).authTime).toBe(is);
    }
  });

  it('has an unknown sign-in time, and not the current one, if the provider does not send it', () => {
    for (const auth_time of [undefined, 'x', Number.NaN, -5, 1301, 1e300, [900]]) {
      expect(make({ auth_time }).authTime).toBe(0);
    }
    expect(make({ sid: 7 }).psid).toBeUndefined();
  });
});

describe('underAttempt', () => {
  const session = newSession(okta, { sub: 'ada' }, kept, { absolute: 600, fresh: 60, now: 1000, began: 1000 });

  it('has one id for one attempt and person, and another one for each other', () => {
    const one = underAttempt(session, 'a.1', 'sub');
    expect(one).toEqual({ ...session, sid: expect.stringMatching(/^[\w-]{22}$/) });
    expect(underAttempt({ ...session, sid: 'other', since: 1 }, 'a.1', 'sub').sid).toBe(one.sid);
    const others = [
      underAttempt(session, 'a.2', 'sub'),
      underAttempt({ ...session, provider: 'entra' }, 'a.1', 'sub'),
      underAttempt({ ...session, claims: { sub: 'bob' } }, 'a.1', 'sub'),
    ];
    for (const other of others) expect(other.sid).not.toBe(one.sid);
  });

  it('stays unchanged if no claim says who the person is', () => {
    expect(underAttempt({ ...session, claims: {} }, 'a.1', 'sub')).toEqual({ ...session, claims: {} });
  });
});

describe('continued', () => {
  const at = (end: number, claims: Record<string, unknown> = { sub: 'ada' }, provider = 'okta') => ({
    ...newSession(
      { name: provider, issuer: `https://${provider}` },
      { sub: 'ada' },
      { claims, selection: 'SEL' },
      { absolute: end, fresh: 600, now: 0, began: 0 },
    ),
    sid: `s${end}`,
  });

  it('by a silent renewal counts from the earlier sign-in, and ends when that session would have', () => {
    const [before, renewed] = [
      { ...at(1000), since: 7, cut: 5, gen: 3 },
      { ...at(5000), since: 90, cut: 80 },
    ];
    const same = { ...renewed, sid: before.sid, gen: 4, since: 7, cut: 5 };
    expect(continued(renewed, before, 'renew')).toEqual({ ...same, end: 1000 });
    expect(continued(renewed, { ...before, end: 300 }, 'renew')).toEqual({ ...same, fresh: 300, end: 300 });
    expect(continued(renewed, { ...before, end: 9000 }, 'renew').end).toBe(5000);
    const { cut: _, ...uncut } = before;
    expect(continued(renewed, uncut, 'renew')).not.toHaveProperty('cut');
  });

  it.each(['in', 'step'] as const)('by a sign-in keeps only the id (mode %s)', (mode) => {
    const [before, after] = [
      { ...at(1000), cut: 5, gen: 3 },
      { ...at(5000), since: 90 },
    ];
    expect(continued(after, before, mode)).toEqual({ ...after, sid: before.sid, gen: 4 });
  });

  it('is of the same person at the same provider', () => {
    const session = at(5000);
    expect(isOfSamePerson(session, at(1000), 'sub')).toBe(true);
    for (const before of [at(1000, { sub: 'ben' }), at(1000, {}), at(1000, { sub: 'ada' }, 'other')]) {
      expect(isOfSamePerson(session, before, 'sub')).toBe(false);
    }
    expect(isOfSamePerson(at(5000, {}), at(1000, {}), 'sub')).toBe(false);
  });
});

describe('a sealed text', () => {
  it('is read only for its purpose', () => {
    const errand = {
      wish: { mode: 'in', to: '/' },
      errand: { host: 'h', id: 'i', binding: 'b' },
      provider: 'p',
      at: 1,
    };
    const ticket = { id: 'i', errand: errand.errand, session: {}, mode: 'in', to: '/', at: 1 };
    expect(readErrand(JSON.stringify(errand))).toEqual(errand);
    expect(readTicket(JSON.stringify(ticket))).toEqual(ticket);
    for (const text of ['', 'signout 1', '{}', '[]', 'null', '1', JSON.stringify(ticket)])
      expect(readErrand(text)).toBeUndefined();
    for (const text of ['', 'signout 1', '{}', '[]', 'null', '1', JSON.stringify(errand)])
      expect(readTicket(text)).toBeUndefined();
  });
});

describe('addresses', () => {
  it('are those of the policy, with the port that browsers see', () => {
    expect(httpsOrigin('wiki.example.com', 443)).toBe('https://wiki.example.com');
    expect(redirectUri('wiki.example.com', 8443)).toBe('https://wiki.example.com:8443/.meshgate/callback');
    expect(handoverUrl('wiki.example.com', 443, 'k.d.x')).toBe(
      'https://wiki.example.com/.meshgate/handover?ticket=k.d.x',
    );
  });
});
