import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimAt } from '../../../src/base/claim-at.ts';
import { claimsText, keep, readClaims } from '../../../src/session/cookie-claims.ts';
import { seal } from '../../../src/session/keys/seal.ts';
import { SESSION_COOKIE } from '../../../src/session/names.ts';
import type { KeptClaims, SessionClaims } from '../../../src/session/types.ts';
import { holds } from '../../harness/property.ts';
import { ringOf } from './rings.ts';

const now = 1_790_000_000;

const session: SessionClaims = {
  sid: 'AAECAwQFBgcICQoLDA0ODw',
  provider: 'okta',
  issuer: 'https://okta.example.com',
  selection: '0123456789abcdef',
  gen: 3,
  since: now - 90,
  authTime: now - 100,
  sealed: now,
  fresh: now + 600,
  end: now + 86400,
  claims: { sub: '00u1a2b3c4d5e6f7g8h9', email: 'ada.lovelace@example.com' },
};

describe('what a session cookie says', () => {
  it('comes back as it was', () => {
    for (const it of [session, { ...session, psid: 'p-1' }]) expect(readClaims(claimsText(it))).toEqual(it);
  });

  it('is read in no other form', () => {
    const listed = JSON.parse(claimsText({ ...session, psid: 'p-1' })) as unknown[];
    const wrong: readonly unknown[] = [null, '', -1, 1.5, 1e300, true, [], {}];
    for (let i = 0; i < listed.length; i++) {
      for (const value of wrong) {
        if (i === 11 && JSON.stringify(value) === '{}') continue;
        const altered = listed.with(i, value);
        expect(readClaims(JSON.stringify(altered)), `${i}: ${JSON.stringify(value)}`).toBeUndefined();
      }
      expect(readClaims(JSON.stringify(listed.toSpliced(i, 1)))).toBeUndefined();
    }
    for (const value of wrong) expect(readClaims(JSON.stringify([...listed, value]))).toBeUndefined();
    expect(readClaims(JSON.stringify([...listed, 1, 1]))).toBeUndefined();
    expect(readClaims(JSON.stringify(session))).toBeUndefined();
    holds(fc.property(fc.oneof(fc.string(), fc.json()), (text) => readClaims(text) === undefined));
  });

  it('needs at most 1.5 KB of cookie with 20 groups', async () => {
    const groups = Array.from({ length: 20 }, (_, i) => `confluence-team-${i}-editors`);
    const plain = claimsText({ ...session, psid: 'x'.repeat(22), claims: { ...session.claims, name: 'Ada', groups } });
    const text = await seal(await ringOf(['2026-10-a', 1]), 'session', 'wiki.example.com', plain, now);
    expect(`${SESSION_COOKIE}=${text}`.length).toBeLessThan(1536);
  });
});

describe('what a session keeps of the claims', () => {
  const kept: KeptClaims = {
    paths: { kc: ['sub', 'realm_access.roles', 'https://x.example/tier'], okta: ['sub', 'groups'] },
    elements: { kc: { groups: ['/staff', '/editors'], scope: ['a'] }, okta: { groups: ['x'] } },
  };

  it('is found at the same place as before', () => {
    const claims = {
      sub: 'u1',
      realm_access: { roles: ['editor', 'offline_access'], other: 1 },
      'https://x.example/tier': 'gold',
      groups: ['/guests', '/staff'],
      scope: 'openid a b',
      secret: 'x',
    };
    const few = keep(claims, kept, 'kc');
    expect(few).toEqual({
      sub: 'u1',
      'realm_access.roles': ['editor', 'offline_access'],
      'https://x.example/tier': 'gold',
      groups: ['/staff'],
      scope: 'openid a b',
    });
    for (const path of kept.paths.kc!) expect(claimAt(few, path)).toEqual(claimAt(claims, path));
  });

  it('is the whole list if something reads it whole, and nothing of another provider', () => {
    expect(keep({ sub: 'u', groups: ['y'], 'realm_access.roles': [] }, kept, 'okta')).toEqual({
      sub: 'u',
      groups: ['y'],
    });
    expect(keep({ sub: 'u' }, kept, 'unknown')).toEqual({});
    expect(keep({ sub: 'u' }, kept, '__proto__')).toEqual({});
  });

  it('is an empty list if no element is named: the policy asks whether the person is not in a group', () => {
    expect(keep({ groups: ['/guests'] }, kept, 'kc')).toEqual({ groups: [] });
    expect(keep({ groups: ['/guests', 1] }, kept, 'kc')).toEqual({ groups: [1] });
    expect(keep({}, kept, 'kc')).toEqual({});
  });

  it('gives each path the value that it had, whatever the claims', () => {
    const name = fc.constantFrom('a', 'b', 'a.b', 'b.c', 'c', '__proto__');
    const value = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 3 }, fc.constantFrom(1, 'x', null), fc.dictionary(name, tie('tree'))),
    })).tree;
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }).map((it) => it.join('.'));
    holds(
      fc.property(fc.dictionary(name, value), fc.uniqueArray(path), (claims, paths) => {
        const few = JSON.parse(JSON.stringify(keep(claims, { paths: { p: paths }, elements: {} }, 'p')));
        for (const it of paths) expect(claimAt(few, it)).toEqual(claimAt(claims, it));
      }),
    );
  });
});
