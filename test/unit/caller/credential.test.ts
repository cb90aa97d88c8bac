import { describe, expect, test } from 'vitest';
import { acceptingOf, assertionOf, type Presented, takeCredential, type Ways } from '../../../src/caller/credential.ts';
import type { CredentialKind } from '../../../src/policy/checked/types.ts';

/** Returns how a request is treated. */
const ways: Ways<undefined, unknown, string> = {
  token: (_, __, ___, token, scheme) => `${scheme} ${token}`,
  certificate: (_, __, ___, certificate) => `certificate ${certificate}`,
  session: (_, __, ___, line) => `session ${line}`,
  anonymous: () => 'anonymous',
  refuse: (_, __, ___, { reason, detail = '' }) => `${reason} ${detail}`.trim(),
};

const taken = (accept: readonly CredentialKind[], shown: Presented, proofs = false) =>
  takeCredential(ways, shown, undefined, acceptingOf(accept, proofs), 'GET', shown.Authorization, shown.Cookie);

const all: readonly CredentialKind[] = ['bearer', 'certificate', 'session'];
const certificate = { 'SSL-Client-Cert': 'C' };
const cookie = { Cookie: 'S' };
const inQuery = 'query';

describe('the first credential that is there decides', () => {
  test.each<[readonly CredentialKind[], Presented, string]>([
    [all, { Authorization: 'Bearer T', ...certificate, ...cookie }, 'Bearer T'],
    [all, { Authorization: 'bEARER   T' }, 'Bearer T'],
    [all, { ...certificate, ...cookie }, 'certificate C'],
    [all, cookie, 'session S'],
    [all, {}, 'anonymous'],
    [['bearer'], { ...certificate, ...cookie }, 'anonymous'],
    [['session'], certificate, 'anonymous'],
    [all, { Authorization: 'Basic x', ...certificate, ...cookie }, 'credential_unsupported'],
    [all, { Authorization: 'Bearer ', ...cookie }, 'credential_unsupported'],
    [all, { Authorization: 'DPoP T', ...cookie }, 'credential_unsupported'],
    [
      ['session', 'certificate'],
      { Authorization: 'Bearer T', ...cookie },
      'credential_unsupported this route accepts no tokens: sign in with a browser',
    ],
    [
      ['certificate'],
      { Authorization: 'Bearer T', ...certificate },
      'credential_unsupported this route accepts no tokens: show a client certificate',
    ],
  ])('of the accepted kinds %j: %j → %s', (accept, shown, way) => {
    expect(taken(accept, shown)).toBe(way);
  });

  test('uses the scheme DPoP if proofs are accepted', () => {
    expect(taken(all, { Authorization: 'dpop  T' }, true)).toBe('DPoP T');
    expect(taken(['session'], { Authorization: 'DPoP T' }, true)).toContain('credential_unsupported');
  });

  test('a token in the URL is refused if tokens are accepted, and ignored elsewhere', () => {
    expect(taken(all, { Authorization: inQuery, ...cookie })).toMatch(
      /^credential_unsupported the URL has an access_token/,
    );
    expect(taken(all, { Authorization: `${inQuery} Bearer T` })).toMatch(/^credential_unsupported the URL has/);
    expect(taken(['session'], { Authorization: inQuery, ...cookie })).toBe('session S');
    expect(taken(['session'], { Authorization: `${inQuery} Bearer T`, ...cookie })).toContain('accepts no tokens');
  });
});

test('a request without a credential is told which credential to send', () => {
  const missing = (accept: readonly CredentialKind[]) => acceptingOf(accept, false).missing.detail;
  expect([all, ['session', 'certificate'], ['certificate']].map((it) => missing(it as typeof all))).toEqual([
    undefined,
    expect.stringContaining('sign in'),
    expect.stringContaining('certificate'),
  ]);
});

test('a service sends an assertion, and no other credential', () => {
  const shown = { 'X-Meshgate-Assertion': 'A', ...cookie };
  expect(assertionOf(shown)).toEqual({ ok: true, value: 'A' });
  expect(assertionOf({ ...shown, Authorization: 'Bearer T' })).toMatchObject({ reason: 'credential_unsupported' });
  expect(assertionOf(cookie)).toMatchObject({ reason: 'credential_missing' });
});
