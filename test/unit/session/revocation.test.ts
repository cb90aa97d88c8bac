import { describe, expect, it } from 'vitest';
import {
  beginning,
  FLOOR,
  isRevoked,
  mergedSaid,
  ofAny,
  ofProvider,
  type Revocable,
  readSaid,
  revocationKey,
  saidText,
} from '../../../src/session/revocation.ts';
import type { Revocation } from '../../../src/session/store.ts';

const session: Revocable = {
  provider: 'okta',
  subject: 'okta-u1',
  sub: 'u1',
  sid: 's1',
  psid: 'p1',
  kids: ['ring-1', undefined],
  jti: 'j1',
  at: 1000,
};

function calling(...revocations: readonly Pick<Revocation, 'kind' | 'value' | 'before'>[]) {
  const dict = new Map(
    revocations.map((it) => [revocationKey(it.kind, it.value), saidText({ ...it, until: 9e9, made: 1 })]),
  );
  return (key: string) => dict.get(key);
}

describe('a revocation', () => {
  it.each<[Revocation['kind'], string, boolean]>([
    ['sid', ofAny('s1'), true],
    ['sid', ofAny('s2'), false],
    ['sid', ofAny('p1'), false],
    ['psid', ofProvider('okta', 'p1'), true],
    ['psid', ofProvider('entra', 'p1'), false],
    ['sub', ofProvider('okta', 'okta-u1'), true],
    ['sub', ofProvider('okta', 'u1'), true],
    ['sub', ofProvider('entra', 'u1'), false],
    ['sub', ofAny('u1'), false],
    ['kid', ofAny('ring-1'), true],
    ['kid', ofAny('undefined'), false],
    ['jti', ofAny('j1'), true],
    ['jti', ofAny('s1'), false],
  ])('of %s %s: %s', (kind, value, wanted) => {
    expect(isRevoked(calling({ kind, value, before: 1001 }), session)).toBe(wanted);
    expect(isRevoked(calling({ kind, value, before: 1000.5 }), session)).toBe(wanted);
    expect(isRevoked(calling({ kind, value, before: 1000 }), session)).toBe(false);
  });

  it('holds where its time cannot be read, or the credential has none', () => {
    expect(isRevoked(() => 'x', session)).toBe(true);
    const undated = { ...session, at: Number.NaN };
    expect(isRevoked(calling({ kind: 'sid', value: ofAny('s1'), before: 5 }), undated)).toBe(true);
  });

  it.each(['x'.repeat(1000), 'a\nb', 'a\u0000b', 'é', '\ud800'])('finds %j, and nothing that begins like it', (jti) => {
    const look = calling({ kind: 'jti', value: ofAny(jti), before: 2000 });
    expect(isRevoked(look, { ...session, jti })).toBe(true);
    for (const other of [`${jti}y`, jti.slice(0, -1), `${jti}\n`]) {
      expect(isRevoked(look, { ...session, jti: other })).toBe(false);
    }
  });

  it('of one provider is of no other whose name begins or ends like it', () => {
    const look = calling({ kind: 'sub', value: ofProvider('a', 'b c'), before: 2000 });
    expect(isRevoked(look, { ...session, provider: 'a', subject: 'b c' })).toBe(true);
    expect(isRevoked(look, { ...session, provider: 'a b', subject: 'c' })).toBe(false);
    expect(isRevoked(look, { ...session, provider: 'a', subject: 'b', sub: 'c' })).toBe(false);
  });

  it('looks nothing up that the credential has not', () => {
    const asked: string[] = [];
    isRevoked(
      (key) => {
        asked.push(key);
        return undefined;
      },
      { provider: 'kc', subject: 'u', kids: [], at: 0 },
    );
    expect(asked).toEqual(['sub\nkc\nu\n', FLOOR]);
  });

  it.each<[string, Revocation['kind'], number, number]>([
    ['of another second', 'sub', 1003, 1001],
    ['of this second', 'sub', 1002, 1002],
    ['of before', 'sub', 1001, 1001],
    ['for ever', 'sid', 1e12, 1001],
    ['that cannot be read', 'sub', Number.NaN, 1001],
  ])('begins after a cut-off %s', (_, kind, before, wanted) => {
    const value = kind === 'sub' ? ofProvider('okta', 'u1') : ofAny('s1');
    expect(beginning(calling({ kind, value, before }), { ...session, at: 1001 })).toBe(wanted);
  });

  it('is never shortened by another one of the same name, whichever comes first', () => {
    const [long, late] = [
      { before: 5, until: 900, made: 4 },
      { before: 7, until: 100, made: 6 },
    ];
    expect(mergedSaid(long, late)).toEqual({ before: 7, until: 900, made: 6 });
    expect(mergedSaid(late, long)).toEqual({ before: 7, until: 900, made: 6 });
    expect(mergedSaid(late, undefined)).toEqual(late);
  });

  it('is read as it was written, and holds for ever where it cannot be read', () => {
    for (const said of [
      { before: 5, until: 9, made: 4 },
      { before: 0, until: 9, made: 4, ended: ['a', 'b'] },
    ]) {
      expect(readSaid(saidText(said))).toEqual(said);
    }
    expect(readSaid('')).toEqual({ before: 253402300799, until: 253402300799, made: 0 });
    expect(readSaid('x')).toEqual({ before: 253402300799, until: 253402300799, made: 0 });
  });
});
