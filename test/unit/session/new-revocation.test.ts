import { describe, expect, test } from 'vitest';
import { composed } from '../../../src/base/composed-key.ts';
import {
  ending,
  present,
  readRequested,
  readRevocation,
  revocation,
} from '../../../src/session/revocation/new-revocation.ts';
import { isRevoked, reportedText, revocationKey } from '../../../src/session/revocation/revocation.ts';
import type { Revocation } from '../../../src/session/revocation/store.ts';

const LATEST = 253402300799;

/** A revocation of each kind. The compiler asks for a kind that is missing here. */
const OF_KIND: Readonly<Record<Revocation['kind'], Revocation>> = {
  sid: { kind: 'sid', value: 's1\n', before: LATEST, until: 900, made: 100 },
  psid: { kind: 'psid', value: 'https://okta\np1\n', before: 101, until: 900, made: 100 },
  sub: { kind: 'sub', value: 'https://okta\nsub\nu1\n', claim: 'sub', before: 101, until: 900, made: 100 },
  kid: { kind: 'kid', value: 'k1\n', before: LATEST, until: 900, made: 100 },
  jti: { kind: 'jti', value: 'j1\n', before: LATEST, until: 900, made: 100 },
  out: { kind: 'out', value: 'https://okta\nu1\n', before: 0, until: 900, made: 100, ended: ['abcdefghijkl'] },
};

const read = (changed: object) => readRevocation(JSON.stringify({ ...OF_KIND.out, ...changed }));

describe('the text of a revocation', () => {
  test.each(Object.entries(OF_KIND))('is read as it was written: %s', (_, wanted) => {
    expect(readRevocation(JSON.stringify(wanted))).toEqual(wanted);
    expect(readRequested(JSON.stringify(wanted), () => undefined)).toEqual({ revocations: [wanted] });
  });

  test.each(['before', 'until', 'made'])('has whole seconds up to the latest one: %s', (name) => {
    for (const time of [0, LATEST]) expect(read({ [name]: time })).toMatchObject({ [name]: time });
    for (const time of [-1, LATEST + 1, 1.5, '5', null]) expect(read({ [name]: time })).toBeUndefined();
  });

  test.each([
    ['another kind', { kind: 'all' }],
    ['no kind', { kind: undefined }],
    ['an empty value', { value: '' }],
    ['a value that is no text', { value: 7 }],
    ['a name of another length', { ended: ['abcdefghijkl', 'abcdefghijk'] }],
    ['a name that is no text', { ended: [7] }],
    ['a list that is a text', { ended: 'abcdefghijkl' }],
    ['more names than the list has room for', { ended: Array(15).fill('abcdefghijkl') }],
    ['a claim of something that is no person', { claim: 'sub' }],
    ['a claim that is no text', { kind: 'sub', ended: undefined, claim: 7 }],
    ['a list of something that is no list', { kind: 'sub' }],
  ])('is rejected if it has %s', (_, changed) => {
    expect(read(changed)).toBeUndefined();
  });

  test('has as many names as the list has room for, or none', () => {
    const ended = Array(14).fill('abcdefghijkl.1a2b');
    expect(read({ ended })?.ended).toEqual(ended);
    const { ended: _, ...without } = OF_KIND.out;
    expect(read({ ended: [] })).toEqual(without);
    expect(read({ ended: undefined })).toEqual(without);
  });

  test.each(['', '[', '[]', 'null', '"sid"'])('is rejected if it is %j', (text) => {
    expect(readRevocation(text)).toBeUndefined();
    expect(readRequested(text, () => undefined)).toBeUndefined();
  });
});

describe('a new revocation', () => {
  test.each([
    ['sid', LATEST],
    ['psid', 1001],
    ['sub', 1001],
    ['kid', LATEST],
    ['jti', LATEST],
  ] as const)('%s revokes what was issued before %i, and is kept for 46 days', (kind, before) => {
    const value = OF_KIND[kind].value;
    expect(revocation(kind, value, 1000.4)).toEqual({ kind, value, before, until: 1001 + 46 * 86400, made: 1000 });
    expect(revocation(kind, value, 1000.4, 60)).toMatchObject({ until: 1061 });
  });

  test('of a session lists the session in the entry of its person', () => {
    const names = [['sub', 'u1']] as const;
    const one = ending('https://okta', { names, sid: 's1' }, 1000.4, 60);
    expect(one).toMatchObject({ kind: 'out', value: 'https://okta\nu1\n', before: 0, until: 1061, made: 1000 });
    expect(one.ended).toEqual([expect.stringMatching(/^[\w-]{12}$/)]);
    const stored = (key: string) => (key === revocationKey('out', one.value) ? reportedText(one) : undefined);
    const session = { issuers: ['https://okta'], names, kids: [], at: 900 };
    expect(isRevoked(stored, { ...session, sid: 's1' }, 1001)).toBe(true);
    expect(isRevoked(stored, { ...session, sid: 's2' }, 1001)).toBe(false);
    const both = ending('https://okta', { names, sid: 's1', psid: 'p1' }, 1000.4, 60);
    expect(both.ended).toEqual([...(one.ended ?? []), expect.stringMatching(/^[\w-]{12}\.rt$/)]);
    expect(readRevocation(JSON.stringify(both))).toEqual(both);
    expect(ending('https://okta', { names, psid: 'p1' }, 1000.4, 60).ended).toEqual(both.ended?.slice(1));
  });
});

describe('a revocation of a person', () => {
  const okta = { issuer: 'https://okta', issuers: ['https://okta/'], subject: { claim: 'uid', prefix: 'o-' } };
  const providerOf = (name: string) => (name === 'okta' ? okta : undefined);
  const times = { before: 101, until: 900, made: 100 };
  const translated = ['https://okta', 'https://okta/'].flatMap((issuer) => [
    { kind: 'sub', value: composed(issuer, 'uid', 'ann'), claim: 'uid', ...times },
    { kind: 'sub', value: composed(issuer, 'sub', 'o-ann'), claim: 'sub', ...times },
  ]);

  test('names each form of the issuer, and each claim', () => {
    const text = JSON.stringify({ kind: 'sub', provider: 'okta', subject: 'o-ann', ...times });
    expect(readRequested(text, providerOf)).toEqual({ revocations: translated });
  });

  test('of an earlier build is translated, and is left out if that is not possible', () => {
    const earlier = { kind: 'sub', value: composed('okta', 'o-ann'), ...times } as const;
    expect(present(earlier, providerOf)).toEqual(translated);
    expect(present({ ...earlier, value: composed('gone', 'o-ann') }, providerOf)).toEqual([]);
    expect(present({ ...earlier, value: `sha256 ${'x'.repeat(43)}` }, () => okta)).toEqual([]);
    expect(present(OF_KIND.sub, providerOf)).toEqual([OF_KIND.sub]);
    const text = JSON.stringify({ ...earlier, value: composed('gone', 'o-ann'), provider: 'gone' });
    expect(readRequested(text, providerOf)).toEqual({ unknown: 'gone' });
  });

  test('of a provider that the policy does not have is named', () => {
    const text = JSON.stringify({ kind: 'sub', provider: 'gone', subject: 'o-ann', ...times });
    expect(readRequested(text, providerOf)).toEqual({ unknown: 'gone' });
  });

  test.each([
    ['another kind', { kind: 'sid' }],
    ['no subject', { subject: '' }],
    ['a provider that is no text', { provider: 7 }],
    ['no cut-off', { before: undefined }],
    ['no end', { until: undefined }],
    ['no time', { made: undefined }],
  ])('is rejected if it has %s', (_, changed) => {
    const text = JSON.stringify({ kind: 'sub', provider: 'okta', subject: 'o-ann', ...times, ...changed });
    expect(readRequested(text, providerOf)).toBeUndefined();
  });
});
