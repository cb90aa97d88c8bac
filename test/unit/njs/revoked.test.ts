import { beforeEach, describe, expect, it, vi } from 'vitest';
import { EPOCH } from '../../../src/njs/shared/epoch.ts';
import { isRevokedNow, knownCut } from '../../../src/njs/shared/revocation-reader.ts';
import { keepEnded, keepRevoked } from '../../../src/njs/shared/revoked.ts';
import { ending, revocation } from '../../../src/session/revocation/new-revocation.ts';
import {
  FLOOR,
  MAX_ENDED,
  ofAny,
  ofIssuer,
  ofPerson,
  type Revocable,
  revocationKey,
} from '../../../src/session/revocation/revocation.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const now = 1_790_000_000;
stopClock(fake, now);
const { keys, revoked, locks } = fake.zones;

beforeEach(() => {
  for (const zone of [keys, revoked, locks]) zone.clear();
  revoked.room = Number.POSITIVE_INFINITY;
  revoked.taken = 0;
  fake.logged.length = 0;
  fake.clock = now * 1000;
});

const u1 = { kind: 'sub', value: ofPerson('okta', ['sub', 'u1']) } as const;
const key = revocationKey('sub', u1.value);

it('keeps revocations until they expire, and has known credentials checked again', () => {
  keepRevoked([{ ...u1, before: 900, until: now + 60, made: 899 }]);
  expect(revoked.get(key)).toBe(`900 ${now + 60} 899`);
  expect(keys.get(EPOCH)).toMatch(/!$/);
  fake.clock += 61_000;
  expect(revoked.get(key)).toBeUndefined();
});

it('never shortens a revocation, and ignores a weaker or expired one', () => {
  keepRevoked([{ ...u1, before: 900, until: now + 60, made: 899 }]);
  const epoch = keys.get(EPOCH);
  keepRevoked([{ ...u1, before: 800, until: now + 60, made: 799 }]);
  keepRevoked([{ kind: 'sid', value: ofAny('s'), before: 800, until: now - 60, made: 799 }]);
  expect(revoked.items()).toEqual([[key, `900 ${now + 60} 899`]]);
  expect(keys.get(EPOCH)).toBe(epoch);
});

it('keeps the later end of two, in whatever order they come', () => {
  const operators = revocation('sub', u1.value, now);
  const signOut = revocation('sub', u1.value, now + 5, 86_400);
  for (const all of [
    [operators, signOut],
    [signOut, operators],
  ]) {
    revoked.clear();
    fake.clock = now * 1000;
    for (const one of all) keepRevoked([one]);
    fake.clock = (now + 45 * 86_400) * 1000;
    expect(revoked.get(key)).toBe(`${now + 6} ${now + 46 * 86_400} ${now + 5}`);
  }
});

it('keeps a revocation longer if it is repeated', () => {
  keepRevoked([revocation('sub', u1.value, now, 60)]);
  keepRevoked([revocation('sub', u1.value, now + 50, 60)]);
  fake.clock += 100_000;
  expect(revoked.has(key)).toBe(true);
});

describe('sessions of one person that end one by one', () => {
  const of = (sid: string, at = now, psid = `p-${sid}`): Revocable => ({
    issuers: ['okta'],
    names: [
      ['uid', 'o-ada'],
      ['sub', 'ada'],
    ],
    ...{ sid, psid, kids: [], at },
  });

  it('use one entry, and only they are revoked', () => {
    keepEnded([ending('okta', of('a'), now, 600)]);
    keepEnded([ending('okta', of('b'), now, 600)]);
    expect(revoked.size()).toBe(1);
    expect(['a', 'b', 'c'].map((sid) => isRevokedNow(() => of(sid)))).toEqual([true, true, false]);
    expect(isRevokedNow(() => of('c', now, 'p-a'))).toBe(true);
    expect(isRevokedNow(() => ({ ...of('a'), names: [['sub', 'bob']] }))).toBe(false);
    expect(isRevokedNow(() => ({ ...of('a'), issuers: ['entra'] }))).toBe(false);
  });

  it('become one cut-off if there are many, and later sessions are valid', () => {
    for (let i = 0; i <= MAX_ENDED / 2; i++) keepEnded([ending('okta', of(`s${i}`), now + i, 600)]);
    expect(revoked.size()).toBe(1);
    expect(revoked.get(revocationKey('out', ofIssuer('okta', 'ada')))).toBe(
      `${now + MAX_ENDED / 2 + 1} ${now + MAX_ENDED / 2 + 600} ${now + MAX_ENDED / 2}`,
    );
    for (let i = 0; i <= MAX_ENDED / 2; i++) expect(isRevokedNow(() => of(`s${i}`))).toBe(true);
    vi.setSystemTime((now + MAX_ENDED / 2 + 1) * 1000);
    expect(isRevokedNow(() => of('new', now + MAX_ENDED / 2 + 1))).toBe(false);
  });

  it('that came late say nothing that the cut-off of all does not', () => {
    const late = ending('okta', { names: [['sub', 'ada']], psid: 'p-late' }, now, 600);
    for (let i = 0; i <= MAX_ENDED / 2; i++) keepEnded([ending('okta', of(`s${i}`), now + i, 600)]);
    const [entry] = revoked.items();
    keepEnded([late]);
    expect(revoked.items()).toEqual([entry]);
  });

  it('of ten thousand sign-outs use one entry', () => {
    for (let i = 0; i < 10_000; i++) keepEnded([ending('okta', of(`s${i}`), now, 600)]);
    expect(revoked.size()).toBe(1);
  });

  it('leave room to operators and providers, and log that', () => {
    revoked.taken = 0.7;
    expect(() => keepEnded([ending('okta', of('a'), now, 600)])).toThrow(
      'no room for more sign-outs: enlarge gateway.session',
    );
    keepRevoked([revocation('kid', ofAny('k1'), now)]);
    revoked.taken = 0.5;
    keepEnded([ending('okta', of('a'), now, 600)]);
    revoked.taken = 0.9;
    keepEnded([ending('okta', of('b'), now, 600)]);
    expect(isRevokedNow(() => of('b'))).toBe(true);
  });

  it('use no more room if sign-outs have none left: all of the person’s sessions until then end', () => {
    keepEnded([ending('okta', of('a'), now, 600)]);
    const entry = revocationKey('out', ofIssuer('okta', 'ada'));
    const before = revoked.get(entry) as string;
    revoked.taken = 0.7;
    for (const sid of ['b', 'c', 'd']) keepEnded([ending('okta', of(sid), now, 600)]);
    expect((revoked.get(entry) as string).length).toBeLessThan(before.length);
    expect(['a', 'b', 'c', 'd', 'other'].map((sid) => isRevokedNow(() => of(sid)))).toEqual(Array(5).fill(true));
    vi.setSystemTime((now + 1) * 1000);
    expect(isRevokedNow(() => of('new', now + 1))).toBe(false);
  });
});

describe('sign-outs that name a provider’s session and no person', () => {
  const of = (psid: string, at: number, sid = `of ${psid}`): Revocable => ({
    ...{ issuers: ['okta'], names: [['sub', `u-${psid}`]] as const, sid, psid, kids: [], at },
  });
  const token: Revocable = { issuers: ['okta'], names: [['sub', 'u9']], jti: 'j', kids: ['k'], at: now - 600 };

  /** This many sign-outs, one a second. */
  const flood = (count: number) => {
    for (let i = 0; i < count; i++) {
      keepRevoked([revocation('psid', ofIssuer('okta', `p${i}`), now + i, 86_400)]);
    }
    vi.setSystemTime((now + count) * 1000);
  };

  it('of any number use at most their part of the zone, and all of them stay in force', () => {
    flood(2800);
    // Of 4 MB, with 320 bytes for each, a fifth.
    expect(revoked.size()).toBeLessThan(2700);
    for (let i = 0; i < 2800; i++) expect(isRevokedNow(() => of(`p${i}`, now + i - 60))).toBe(true);
    expect(fake.logged).toEqual([expect.stringContaining('have the provider send "sub" in its logout tokens')]);
  });

  it('replace neither an operator’s revocations nor a person’s sign-out', () => {
    const before = [
      revocation('sid', ofAny('thief'), now - 9),
      revocation('jti', ofAny('stolen'), now - 9),
      revocation('kid', ofAny('leaked'), now - 9),
      revocation('sub', ofPerson('okta', ['sub', 'u2']), now - 9),
      ending('okta', { names: [['sub', 'ada']], sid: 'hers' }, now - 9, 86_400),
    ];
    keepRevoked(before);
    flood(2800);
    for (const { kind, value } of before) expect(revoked.has(revocationKey(kind, value))).toBe(true);
  });

  it('that made room reject earlier sessions that their provider named, and nothing else', () => {
    flood(2800);
    const rejects = (what: Revocable) => isRevokedNow(() => what);
    expect(rejects(of('other', now))).toBe(true);
    expect(rejects(of('other', now + 2799))).toBe(false);
    const { psid: _, ...unnamed } = of('other', now);
    expect([rejects(unnamed), rejects(token)]).toEqual([false, false]);
    // A person who signs in again passes.
    const begun = of('other', now + 2800);
    expect(rejects({ ...begun, cut: knownCut(begun) })).toBe(false);
  });
});

describe('a full zone', () => {
  it('drops the oldest revocation, and rejects all credentials that were issued before it', () => {
    revoked.room = 3;
    const all = ['a', 'b', 'c'].map((jti, i) => revocation('jti', ofAny(jti), now + i));
    keepRevoked([all[1]!, all[0]!, all[2]!]);
    // One entry is removed for the new one, and one for the cut-off that stands for both.
    keepRevoked([revocation('kid', ofAny('k1'), now + 3)]);
    expect(revoked.keys().sort()).toEqual(
      [FLOOR, revocationKey('jti', ofAny('c')), revocationKey('kid', ofAny('k1'))].sort(),
    );
    vi.setSystemTime((now + 9) * 1000);
    const token = (jti: string, at: number): Revocable => ({
      issuers: ['okta'],
      names: [['sub', 'u']],
      jti,
      kids: [],
      at,
    });
    expect(isRevokedNow(() => token('a', now))).toBe(true);
    expect(isRevokedNow(() => token('b', now + 1))).toBe(true);
    expect(isRevokedNow(() => token('other', now))).toBe(true);
    expect(isRevokedNow(() => token('other', 0))).toBe(true);
    expect(isRevokedNow(() => token('other', now + 2))).toBe(false);
    expect(fake.logged).toEqual([expect.stringContaining('every older credential is rejected')]);
  });

  it('drops no revocation of a key, and refuses revocations without room beside them', () => {
    revoked.room = 4;
    const leaked = ['k1', 'k2', 'k3', 'k4'].map((kid, i) => revocation('kid', ofAny(kid), now - 100 + i));
    const tokens = ['a', 'b', 'c'].map((jti, i) => revocation('jti', ofAny(jti), now + i));
    keepRevoked([leaked[0]!, leaked[1]!, ...tokens, leaked[2]!]);
    expect(() => keepRevoked([leaked[3]!])).toThrow('meshgate_revoked is full');
    // A holder of a key can write any time into a token.
    for (const kid of ['k1', 'k2', 'k3']) expect(isRevokedNow(() => ({ kids: [kid], at: now + 9 }))).toBe(true);
  });

  it('without any room refuses', () => {
    revoked.room = 0;
    expect(() => keepRevoked([revocation('kid', ofAny('k1'), now)])).toThrow('meshgate_revoked is full');
  });
});

describe('with clocks that differ by thirty seconds', () => {
  const of = (at: number, cut = 0): Revocable => ({
    issuers: ['okta'],
    names: [['sub', 'u1']],
    sid: 's',
    kids: [],
    at,
    cut,
    skew: 30,
  });
  const begun = (at: number): Revocable => of(at, knownCut(of(at)));

  it('applies to a session that began by a clock that is ahead, and not to one that begins again', () => {
    keepRevoked([revocation('sub', u1.value, now)]);
    expect(isRevokedNow(() => of(now + 30))).toBe(true);
    expect(isRevokedNow(() => of(now + 31))).toBe(false);
    // This gateway knows that the person was revoked, and signs in again.
    for (const at of [now, now + 1, now + 29, now + 31]) {
      vi.setSystemTime(at * 1000);
      expect(isRevokedNow(() => begun(at))).toBe(false);
    }
  });

  it('a revocation one second after a new session began applies to it', () => {
    keepRevoked([revocation('sub', u1.value, now)]);
    const session = begun(now + 1);
    expect(isRevokedNow(() => session)).toBe(false);
    keepRevoked([revocation('sub', u1.value, now + 2)]);
    expect(isRevokedNow(() => session)).toBe(true);
  });
});
