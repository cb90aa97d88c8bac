import { describe, expect, it } from 'vitest';
import {
  cutBefore,
  FLOOR,
  isRevoked,
  mergedFloors,
  ofAny,
  ofIssuer,
  ofPerson,
  type Revocable,
  readReported,
  reportedText,
  revocationKey,
} from '../../../src/session/revocation/revocation.ts';
import type { Revocation } from '../../../src/session/revocation/store.ts';

const session: Revocable = {
  issuers: ['https://okta'],
  names: [
    ['uid', 'u-1'],
    ['sub', 'u1'],
  ],
  sid: 's1',
  psid: 'p1',
  kids: ['ring-1', undefined],
  jti: 'j1',
  at: 1000,
};

/** The time of the lookup. */
const now = 2000;

function calling(...revocations: readonly Pick<Revocation, 'kind' | 'value' | 'before'>[]) {
  const dict = new Map(
    revocations.map((it) => [revocationKey(it.kind, it.value), reportedText({ ...it, until: 9e9, made: 1 })]),
  );
  return (key: string) => dict.get(key);
}

describe('a revocation', () => {
  it.each<[Revocation['kind'], string, boolean]>([
    ['sid', ofAny('s1'), true],
    ['sid', ofAny('s2'), false],
    ['sid', ofAny('p1'), false],
    ['psid', ofIssuer('https://okta', 'p1'), true],
    ['psid', ofIssuer('https://entra', 'p1'), false],
    ['sub', ofPerson('https://okta', ['uid', 'u-1']), true],
    ['sub', ofPerson('https://okta', ['sub', 'u1']), true],
    ['sub', ofPerson('https://okta', ['sub', 'u-1']), false],
    ['sub', ofPerson('https://okta', ['uid', 'u1']), false],
    ['sub', ofPerson('https://entra', ['sub', 'u1']), false],
    ['sub', ofAny('u1'), false],
    ['kid', ofAny('ring-1'), true],
    ['kid', ofAny('undefined'), false],
    ['jti', ofAny('j1'), true],
    ['jti', ofAny('s1'), false],
  ])('of %s %s: %s', (kind, value, wanted) => {
    expect(isRevoked(calling({ kind, value, before: 1001 }), session, now)).toBe(wanted);
    expect(isRevoked(calling({ kind, value, before: 1000.5 }), session, now)).toBe(wanted);
    // Names that return, a person and a session at the provider, are revoked until then; the others for ever.
    const comesAgain = kind === 'sub' || kind === 'psid';
    expect(isRevoked(calling({ kind, value, before: 1000 }), session, now)).toBe(wanted && !comesAgain);
  });

  it.each<[Revocation['kind'], string]>([
    ['kid', ofAny('ring-1')],
    ['sid', ofAny('s1')],
    ['jti', ofAny('j1')],
  ])('of a %s applies whatever time and cut-off the credential has', (kind, value) => {
    const latest = 253402300799;
    for (const at of [0, 1e12, latest, Number.POSITIVE_INFINITY]) {
      expect(isRevoked(calling({ kind, value, before: latest }), { ...session, at, cut: latest }, now)).toBe(true);
    }
  });

  it.each([0, 30])('of a person applies to a session from the future, with clocks that differ by %i s', (skew) => {
    const look = calling({ kind: 'sub', value: ofPerson('https://okta', ['sub', 'u1']), before: now });
    const limit = now + 2 * skew + 1;
    for (const [at, cut, wanted] of [
      [limit, 0, false],
      [limit + 1, 0, true],
      [limit, limit, false],
      [limit, limit + 1, true],
    ] as const) {
      expect([at, cut, isRevoked(look, { ...session, at, cut, skew }, now)]).toEqual([at, cut, wanted]);
    }
  });

  it('applies if its time cannot be read, or the credential has none', () => {
    expect(isRevoked(() => 'x', session, now)).toBe(true);
    const undated = { ...session, at: Number.NaN };
    expect(
      isRevoked(calling({ kind: 'sub', value: ofPerson('https://okta', ['sub', 'u1']), before: 5 }), undated, now),
    ).toBe(true);
  });

  it.each(['x'.repeat(1000), 'a\nb', 'a\u0000b', 'é', '\ud800'])('finds %j, and nothing that begins like it', (jti) => {
    const look = calling({ kind: 'jti', value: ofAny(jti), before: 2000 });
    expect(isRevoked(look, { ...session, jti }, now)).toBe(true);
    for (const other of [`${jti}y`, jti.slice(0, -1), `${jti}\n`]) {
      expect(isRevoked(look, { ...session, jti: other }, now)).toBe(false);
    }
  });

  it('of one issuer and claim does not apply to others that begin or end like it', () => {
    const look = calling({ kind: 'sub', value: ofPerson('a', ['b', 'c d']), before: 2000 });
    const of = (issuer: string, claim: string, value: string) =>
      isRevoked(look, { ...session, issuers: [issuer], names: [[claim, value]] }, now);
    expect(of('a', 'b', 'c d')).toBe(true);
    expect(of('a b', 'c', 'd')).toBe(false);
    expect(of('a', 'b c', 'd')).toBe(false);
    expect(of('a', 'b', 'c')).toBe(false);
  });

  it('looks up only the ids that the credential has', () => {
    const requested: string[] = [];
    isRevoked(
      (key) => {
        requested.push(key);
        return undefined;
      },
      { issuers: ['kc'], names: [['sub', 'u']], kids: [], at: 0 },
      now,
    );
    expect(requested).toEqual(['sub\nkc\nsub\nu\n', FLOOR]);
  });

  it.each<[string, Revocation['kind'], number, number]>([
    ['of this second', 'sub', 1002, 1002],
    ['of before', 'sub', 1001, 1001],
    ['that lies ahead', 'sub', 1003, 0],
    ['of what does not come again', 'sid', 1e12, 0],
    ['that cannot be read', 'sub', Number.NaN, 0],
  ])('is known to a session that begins after it: a cut-off %s', (_, kind, before, wanted) => {
    const value = kind === 'sub' ? ofPerson('https://okta', ['sub', 'u1']) : ofAny('s1');
    expect(cutBefore(calling({ kind, value, before }), { ...session, at: 1001 })).toBe(wanted);
  });

  it('is never shortened by another one of the same name, in whatever order they come', () => {
    const [long, late] = [
      { before: 5, until: 900, made: 4 },
      { before: 7, until: 100, made: 6 },
    ];
    expect(mergedFloors(long, late)).toEqual({ before: 7, until: 900, made: 6 });
    expect(mergedFloors(late, long)).toEqual({ before: 7, until: 900, made: 6 });
    expect(mergedFloors(late, undefined)).toEqual(late);
  });

  it('is read as it was written, and applies for ever if it cannot be read', () => {
    for (const reported of [
      { before: 5, until: 9, made: 4 },
      { before: 0, until: 9, made: 4, ended: ['a', 'b'] },
    ]) {
      expect(readReported(reportedText(reported))).toEqual(reported);
    }
    expect(readReported('')).toEqual({ before: 253402300799, until: 253402300799, made: 0 });
    expect(readReported('x')).toEqual({ before: 253402300799, until: 253402300799, made: 0 });
  });
});
