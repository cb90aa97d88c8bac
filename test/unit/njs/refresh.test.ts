import { afterEach, describe, expect, test, vi } from 'vitest';
import { refresh } from '../../../src/njs/signin/renew/refresh.ts';
import { Renewals } from '../../../src/njs/signin/renew/renewal.ts';
import type { SessionRecord } from '../../../src/session/types.ts';
import { makeToken } from '../token/maker.ts';
import { stopClock } from './fake-ngx.ts';
import { type FakeProvider, HOST, ISSUER, Lab, type LabOptions, labNgx, ROBOTS } from './signin-lab.ts';

stopClock(labNgx);

/** The results of a provider's answers to a refresh token. */

let lab: Lab;

afterEach(() => expect(lab.logged).not.toMatch(/SECRET|S3CRET|eyJ/));

/** A session that was signed in, and the next answer of the token endpoint. */
async function refreshedBy(
  answer: ReturnType<NonNullable<FakeProvider['behaviour']['token']>>,
  options: LabOptions = {},
  userinfo: Record<string, unknown> = { groups: ['now'] },
): Promise<{ record: SessionRecord; refreshed: Awaited<ReturnType<typeof refresh>> }> {
  lab = new Lab(options);
  lab.provider.behaviour = { refreshToken: 'REFRESH-SECRET', claims: { acr: 'phr' } };
  const browser = lab.browser();
  await browser.signIn();
  const record = (await lab.context.store.get((await browser.session())!.sid))!;
  lab.provider.requested.splice(0);
  lab.provider.behaviour = { ...lab.provider.behaviour, token: () => answer, userinfo };
  return { record, refreshed: await refresh(lab.context, record) };
}

const now = () => Math.floor(Date.now() / 1000);

const idToken = (claims: Record<string, unknown> = {}): string =>
  makeToken({
    claims: { iss: ISSUER, sub: 'ada', aud: 'wiki', iat: now(), exp: now() + 300, groups: ['new'], ...claims },
  });

const tokens = (more: Record<string, unknown> = {}) => ({
  status: 200,
  body: { access_token: 'ACCESS-TOKEN-SECRET', token_type: 'Bearer', refresh_token: 'NEXT-SECRET', ...more },
});

describe('a refresh', () => {
  test('calls the provider once, as the OAuth client, and uses the new ID token', async () => {
    const token = idToken({ email: 'ada@example.net' });
    const { refreshed } = await refreshedBy(tokens({ id_token: token }));
    expect(refreshed).toMatchObject({
      kind: 'confirmed',
      claims: { sub: 'ada', groups: ['new'], email: 'ada@example.net' },
      refreshToken: 'NEXT-SECRET',
      idToken: token,
    });
    const [call, ...more] = lab.provider.calls('/token');
    expect([Object.fromEntries(call!.params), call!.authorization, more]).toEqual([
      { grant_type: 'refresh_token', refresh_token: 'REFRESH-SECRET' },
      `Basic ${Buffer.from('wiki:S3CRET').toString('base64')}`,
      [],
    ]);
  });

  test('keeps the method of the sign-in if the new ID token leaves it out', async () => {
    const { record, refreshed } = await refreshedBy(tokens({ id_token: idToken() }));
    const { acr, auth_time: at, sid } = record.claims;
    expect(refreshed).toMatchObject({ claims: { acr: 'phr', auth_time: at, sid }, psid: sid });
    expect([acr, sid]).toEqual(['phr', 'op-session']);
  });

  test('without an ID token uses UserInfo', async () => {
    const { refreshed } = await refreshedBy(tokens(), {}, { groups: ['now'], email: 'ada@example.com' });
    expect(refreshed).toMatchObject({ kind: 'confirmed', claims: { sub: 'ada', groups: ['now'], acr: 'phr' } });
    expect(refreshed).not.toHaveProperty('partly');
  });

  test('without an ID token uses a signed UserInfo, and ends the session if it is not valid', async () => {
    const signed = async (userinfoToken: FakeProvider['behaviour']['userinfoToken'] = {}) => {
      const { record } = await refreshedBy(tokens());
      lab.provider.behaviour = {
        ...{ token: () => tokens(), userinfo: { groups: ['now'], email: 'ada@example.com' } },
        ...{ userinfoType: 'application/jwt', userinfoToken },
      };
      return refresh(lab.context, record);
    };
    expect(await signed()).toMatchObject({ kind: 'confirmed', claims: { sub: 'ada', groups: ['now'], acr: 'phr' } });
    expect((await signed({ claims: { aud: 'other' } })).kind).toBe('over');
    expect((await signed({ key: 'p384' })).kind).toBe('unsaid');
  });

  test('drops a claim that UserInfo no longer has', async () => {
    const { record, refreshed } = await refreshedBy(tokens(), {}, { email: 'ada@example.com' });
    expect(record.claims.groups).toEqual(['staff', 'others']);
    const { claims, ...more } = refreshed as { claims: Record<string, unknown> };
    expect(claims).not.toHaveProperty('groups');
    expect(claims).toMatchObject({ sub: 'ada', acr: 'phr', sid: 'op-session', auth_time: record.claims.auth_time });
    // A provider that sends groups only in ID tokens is not called again in this way.
    expect(more).toMatchObject({ kind: 'confirmed', partly: true });
  });

  test('that brings neither an ID token nor UserInfo confirms nothing', async () => {
    const { refreshed } = await refreshedBy(tokens(), { signin: { userinfo: false } });
    expect(refreshed).toMatchObject({ kind: 'unconfirmed', refreshToken: 'NEXT-SECRET' });
    expect(refreshed).not.toHaveProperty('claims');
  });

  test.each<[string, Record<string, unknown> | undefined, Record<string, unknown>, string]>([
    ['the new ID token says', { team: 'robots' }, {}, 'actor_not_allowed'],
    ['UserInfo says', undefined, { team: 'robots' }, 'actor_not_allowed'],
    ['a claim that cannot be read may say', undefined, { team: ['people', 7] }, 'claim_absent'],
  ])('ends a session whose account has become that of an agent, as %s', async (_, claims, userinfo, reason) => {
    const answer = tokens(claims && { id_token: idToken(claims) });
    const { refreshed } = await refreshedBy(answer, { agents: [ROBOTS] }, userinfo);
    expect(refreshed).toMatchObject({ kind: 'over', detail: expect.stringContaining(reason) });
  });

  test.each([
    'access_denied',
    'interaction_required',
    'login_required',
    'consent_required',
    'account_selection_required',
    'mfa_required',
    'an unknown error',
  ])('that is refused for the person ends the session: %s', async (error) => {
    for (const status of [400, 401, 403]) {
      expect((await refreshedBy({ status, body: { error } })).refreshed.kind).toBe('over');
    }
  });

  test.each([
    'invalid_client',
    'unauthorized_client',
    'unsupported_grant_type',
    'invalid_request',
    'invalid_scope',
    'invalid_target',
    'server_error',
    'temporarily_unavailable',
    'slow_down',
  ])('that is refused for the client or an outage ends nothing: %s', async (error) => {
    expect(['unused', 'unsaid']).toContain((await refreshedBy({ status: 400, body: { error } })).refreshed.kind);
  });

  /* What an answer means: RFC 6749 sections 5.1 and 5.2, and how providers differ from them. `over`: the session ends.
   * `suspended`: its claims count only for their fresh time. `outage`: the session continues. */
  const none = '';
  const page = '<!doctype html><title>Sign in</title>';
  const success = { token_type: 'Bearer', expires_in: 300 };

  test.each<[number, unknown, 'over' | 'suspended' | 'outage']>([
    // Errors of the grant. GitHub and others refuse with 200.
    [400, { error: 'invalid_grant' }, 'over'],
    [401, { error: 'invalid_grant' }, 'over'],
    [403, { error: 'invalid_grant' }, 'over'],
    [200, { error: 'invalid_grant' }, 'over'],
    [200, { error: 'bad_refresh_token', error_description: 'it expired' }, 'over'],
    [200, { error: 'access_denied', ...success }, 'over'],
    [200, { error: 'an unknown error' }, 'over'],
    [200, { error: { code: 190, type: 'OAuthException' } }, 'over'],
    [400, { error: { code: 190, type: 'OAuthException' } }, 'over'],
    [201, { error: 'invalid_grant' }, 'over'],
    [302, { error: 'invalid_grant' }, 'over'],
    [404, { error: 'invalid_grant' }, 'over'],
    [422, { error: 'invalid_grant' }, 'over'],
    [500, { error: 'invalid_grant' }, 'over'],
    // Errors of the client and outages. The first four mean all sessions.
    [401, { error: 'invalid_client' }, 'outage'],
    [200, { error: 'invalid_client' }, 'outage'],
    [400, { error: 'temporarily_unavailable' }, 'outage'],
    [200, { error: 'server_error' }, 'outage'],
    [503, { error: 'temporarily_unavailable' }, 'outage'],
    [500, { error: 'Internal Server Error' }, 'outage'],
    [400, { error: 'invalid_request' }, 'suspended'],
    [200, { error: 'invalid_request' }, 'suspended'],
    [400, { error: 'unsupported_grant_type' }, 'suspended'],
    [400, { error: 'slow_down' }, 'suspended'],
    [404, { error: 'Not Found' }, 'suspended'],
    // No error that can be read.
    [400, none, 'suspended'],
    [401, none, 'suspended'],
    [403, none, 'suspended'],
    [400, {}, 'suspended'],
    [400, page, 'suspended'],
    [401, page, 'suspended'],
    [403, page, 'suspended'],
    [404, none, 'suspended'],
    [410, none, 'suspended'],
    [302, none, 'suspended'],
    [307, page, 'suspended'],
    // A 429 is about the number of requests, and says nothing about the grant (RFC 6585 section 4).
    [429, none, 'suspended'],
    [429, { error: 'invalid_grant' }, 'suspended'],
    // A success without tokens.
    [200, none, 'suspended'],
    [200, page, 'suspended'],
    [200, [], 'suspended'],
    [200, {}, 'suspended'],
    [200, success, 'suspended'],
    [200, { ...success, refresh_token: 'NEXT-SECRET' }, 'suspended'],
    [200, { errcode: 42_002, errmsg: 'refresh_token expired' }, 'suspended'],
    [200, { ...success, access_token: 7 }, 'suspended'],
    [200, { ...success, access_token: 'ACCESS-SECRET', token_type: 'mac' }, 'suspended'],
    [201, { ...success, access_token: 'ACCESS-SECRET' }, 'suspended'],
    [202, none, 'suspended'],
    [204, none, 'suspended'],
    // A server that does not work.
    [500, none, 'outage'],
    [502, page, 'outage'],
    [503, page, 'outage'],
    [504, none, 'outage'],
  ])('that is answered %i %j means: %s', async (status, body, means) => {
    const { refreshed } = await refreshedBy({ status, body });
    const away = 'away' in refreshed;
    const got = refreshed.kind === 'over' ? 'over' : away ? 'outage' : 'suspended';
    expect([refreshed.kind, got]).toEqual([expect.stringMatching(/^(over|unsaid|lost|unused)$/), means]);
    // What does not end a session, and is no outage, must be one of the two that limit the age of its claims.
    if (means === 'suspended') expect(['unsaid', 'lost']).toContain(refreshed.kind);
    expect(JSON.stringify(refreshed)).not.toMatch(/ACCESS-SECRET/);
  });

  test('that is refused logs the provider’s text, without the token', async () => {
    const body = { error: 'invalid_grant', error_description: 'REFRESH-SECRET was used\u2028before' };
    expect((await refreshedBy({ status: 400, body })).refreshed).toEqual({
      kind: 'over',
      detail: 'the token endpoint refused: invalid_grant, "\\u2026 was used\\u2028before"',
    });
  });

  test.each([{ error: 'invalid_grant' }, { error: 'access_denied' }, { error: 'slow_down' }, {}])(
    'with 429 ends nothing, and does not affect others: %j',
    async (body) => {
      const { refreshed } = await refreshedBy({ status: 429, body });
      expect(refreshed).toMatchObject({ kind: 'unsaid', limited: true });
      for (const name of ['away', 'refreshToken']) expect(refreshed).not.toHaveProperty(name);
    },
  );

  test.each([
    ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }],
    ['another person’s ID token', tokens({ id_token: idToken({ sub: 'ben' }) })],
    ['another client’s', tokens({ id_token: idToken({ aud: 'other' }) })],
    ['another nonce', tokens({ id_token: idToken({ nonce: 'other' }) })],
    ['a signature that does not hold', tokens({ id_token: `${idToken().slice(0, -8)}AAAAAAAA` })],
  ])('with %s has ended', async (_, answer) => {
    expect((await refreshedBy(answer)).refreshed.kind).toBe('over');
  });

  test.each([
    ['another error', { status: 400, body: { error: 'temporarily_unavailable' } }],
    ['an unknown client', { status: 401, body: { error: 'invalid_client' } }],
  ])('with %s has not used the token', async (_, answer) => {
    const { refreshed } = await refreshedBy(answer);
    expect([refreshed.kind, 'refreshToken' in refreshed]).toEqual(['unused', false]);
  });

  test.each([
    ['no answer', 'hangs up' as const],
    ['a server error', { status: 500, body: {} }],
    ['an invalid answer', { status: 200, body: [] }],
  ])('with %s may have used the token', async (_, answer) => {
    expect((await refreshedBy(answer)).refreshed.kind).toBe('lost');
  });

  test('with an ID token of an unknown key continues with the new token', async () => {
    const token = makeToken({
      key: 'rsa2',
      claims: { iss: ISSUER, sub: 'ada', aud: 'wiki', iat: now(), exp: now() + 300 },
    });
    expect((await refreshedBy(tokens({ id_token: token }))).refreshed).toMatchObject({
      kind: 'unsaid',
      refreshToken: 'NEXT-SECRET',
    });
  });

  describe('whose UserInfo', () => {
    const userinfoAnswers = async (
      userinfoStatus: NonNullable<FakeProvider['behaviour']['userinfoStatus']>,
      token = '',
    ) => {
      lab = new Lab({});
      lab.provider.behaviour = { refreshToken: 'REFRESH-SECRET', claims: { acr: 'phr' } };
      const browser = lab.browser();
      await browser.signIn();
      const record = (await lab.context.store.get((await browser.session())!.sid))!;
      const answer = tokens(token === '' ? {} : { id_token: token });
      lab.provider.behaviour = { ...lab.provider.behaviour, token: () => answer, userinfoStatus };
      return refresh(lab.context, record);
    };
    /** An ID token without a claim that the policy reads, so that UserInfo is called as well. */
    const lacking = () => idToken({ groups: undefined });

    test.each([401, 403, 404])('refuses the person ends the session: %i', async (status) => {
      expect(await userinfoAnswers(status)).toMatchObject({
        kind: 'over',
        detail: expect.stringContaining(`${status}`),
      });
      expect((await userinfoAnswers(status, lacking())).kind).toBe('over');
    });

    test.each([500, 503, 429, 'hangs up', 400, 302, 410] as const)(
      'does not answer confirms nothing of one person, and does not affect others: %s',
      async (status) => {
        for (const token of ['', lacking()]) {
          const refreshed = await userinfoAnswers(status, token);
          expect(refreshed).toMatchObject({ kind: 'unsaid', refreshToken: 'NEXT-SECRET' });
          expect(refreshed).not.toHaveProperty('away');
        }
      },
    );

    test('answers 429 for one person stops no other renewal, and no lost role of that person', async () => {
      lab = new Lab();
      const signedIn = async (sub: string) => {
        lab.provider.behaviour = { refreshToken: 'REFRESH-SECRET', claims: { sub }, userinfo: { sub } };
        const browser = lab.browser();
        await browser.signIn();
        return (await browser.session())!;
      };
      const eve = await signedIn('eve');
      const ada = await signedIn('ada');
      const renewals = new Renewals({
        store: lab.context.store,
        longest: 60_000,
        look: 5,
        choose: (claims) => claims,
        refresh: (of) => {
          const sub = String(of.claims.sub);
          const limited = sub === 'eve' ? { userinfoStatus: 429 as const } : {};
          lab.provider.behaviour = { token: () => tokens(), userinfo: { sub, groups: ['now'] }, ...limited };
          return refresh(lab.context, of);
        },
        isRevoked: () => false,
        knows: () => true,
        end: async () => {},
        policy: lab.context.signin.session,
        skew: lab.context.table.clockSkew,
        selection: eve.selection,
      });
      const pass = (seconds: number): void => {
        labNgx.clock += seconds * 1000;
        vi.setSystemTime(labNgx.clock);
      };
      pass(700);
      expect(await renewals.renew(eve, HOST, true)).toEqual({ kind: 'stale' });
      expect(await renewals.renew(ada, HOST, true)).toMatchObject({
        kind: 'session',
        session: { claims: { groups: ['now'] } },
      });
      for (let round = 0; round < 60; round++) {
        pass(5);
        expect(await renewals.renew(eve, HOST, true)).toEqual({ kind: 'stale' });
      }
    });
  });

  test.each([
    ['no answer', 'hangs up' as const],
    ['a server error', { status: 503, body: {} }],
    ['a 429 that speaks of all', { status: 429, body: { error: 'temporarily_unavailable' } }],
    ['an outage', { status: 400, body: { error: 'temporarily_unavailable' } }],
    ['an unknown client', { status: 401, body: { error: 'invalid_client' } }],
  ])('with %s makes the gateway pause calls to the provider', async (_, answer) => {
    expect((await refreshedBy(answer)).refreshed).toMatchObject({ away: true });
  });

  test.each([
    ['a scope that is gone', { status: 400, body: { error: 'invalid_scope' } }],
    ['an invalid request', { status: 400, body: { error: 'invalid_request' } }],
    ['not an OAuth error', { status: 400, body: {} }],
    ['an invalid answer', { status: 200, body: [] }],
  ])('with %s does not affect others', async (_, answer) => {
    const { refreshed } = await refreshedBy(answer);
    expect(['unsaid', 'lost']).toContain(refreshed.kind);
    expect(refreshed).not.toHaveProperty('away');
  });

  test('through a provider that the policy no longer has fails', async () => {
    const { record } = await refreshedBy(tokens());
    const gone = { ...record, session: { ...record.session, provider: 'gone' } };
    expect((await refresh(lab.context, gone)).kind).toBe('unused');
  });
});
