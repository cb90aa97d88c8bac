import { describe, expect, test } from 'vitest';
import { claimedBy } from '../../../src/caller/claimed.ts';
import { pseudonymKeys, pseudonymOf } from '../../../src/caller/pseudonym.ts';

const logged = [
  { path: 'groups', values: ['staff'], likes: ['ops-*'] },
  { path: 'employee.id', values: [7] },
  { path: 'scope' },
];
const claims = {
  sub: 'ada',
  scope: 'read write',
  groups: ['staff', 'ops-1', 'ada and ben', true],
  employee: { id: 4711, name: 'Ada' },
};

describe('the claims of a line', () => {
  test('are those that roles read, by their paths, and no others', () => {
    expect(JSON.parse(claimedBy(claims, logged, undefined))).toEqual({
      groups: ['staff', 'ops-1', 'ada and ben', true],
      'employee.id': 4711,
      scope: 'read write',
    });
    expect(claimedBy({ sub: 'ada' }, logged, undefined)).toBe('{}');
  });

  test('with pseudonyms have only the values that the policy names, and no value of a person', () => {
    const hide = (value: string) => `<${value.length}>`;
    expect(JSON.parse(claimedBy(claims, logged, hide))).toEqual({
      groups: ['staff', 'ops-<5>', '<11>', true],
      'employee.id': '<4>',
      scope: 'read write',
    });
    expect(claimedBy({ groups: { ada: 1 } }, logged, hide)).toBe('{"groups":"<9>"}');
  });

  test.each([
    ['ada@example.com', ['*@example.com'], '<15>@example.com'],
    ['ada.k@example.com', ['ada*', '*@example.com'], 'ada<17>@example.com'],
    ['ada@example.com', ['*@*.com'], '<15>@<15>.com'],
    ['ada', ['*'], '<3>'],
    ['ada', ['ada'], 'ada'],
    ['ada and ada', ['*ada'], '<11>ada'],
    // What stands for the star would match the second pattern, so it is better not to match than to say who it is.
    ['ops-ada', ['ops-*', '*<*'], '<7>'],
  ])('of %s with pseudonyms has no more than the patterns %j name', (mail, likes, shown) => {
    const claimed = claimedBy({ mail }, [{ path: 'mail', values: [], likes }], (value) => `<${value.length}>`);
    expect(JSON.parse(claimed)).toEqual({ mail: shown });
  });

  test('fit into a header: ASCII without control characters, whatever the provider says', () => {
    const text = claimedBy({ groups: 'a\tb\u007f é 🙂 \ud800' }, logged, undefined);
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(text)).toEqual({ groups: 'a\tb\u007f é 🙂 \ud800' });
  });

  test('are cut after 4,096 characters', () => {
    const text = claimedBy({ groups: Array.from({ length: 1000 }, (_, i) => `group ${i}`) }, logged, undefined);
    expect([text.length, text.slice(0, 21), text.at(-1)]).toEqual([4097, '{"groups":["group 0",', '\ufffd']);
  });
});

describe('a pseudonym', () => {
  const jwk = (kid: string, byte: number) => ({ kid, k: Buffer.alloc(32, byte).toString('base64url') });
  const file = (...keys: object[]) => JSON.stringify({ keys });
  const [first, second] = pseudonymKeys(file(jwk('a', 1), jwk('b', 2)));

  // python3: hmac.new(hmac.new(b'\1'*32, b'pseudonyms of the log', 'sha256').digest(), b'okta\nada', 'sha256')
  test('is the id of the key and a keyed hash of provider and subject', () => {
    expect(pseudonymOf(first!, 'okta', 'ada')).toBe('a.75EsAE3DDsgSfYPRazF7Gx');
  });

  test('differs between people, providers and keys', () => {
    const all = [
      pseudonymOf(first!, 'okta', 'ada'),
      pseudonymOf(first!, 'okta', 'ben'),
      pseudonymOf(first!, 'entra', 'ada'),
      pseudonymOf(second!, 'okta', 'ada'),
    ];
    expect(new Set(all.map((it) => it.split('.')[1])).size).toBe(4);
  });

  test.each([
    ['no JSON', '-----BEGIN'],
    ['no keys', '{}'],
    ['a key that is too short', file({ kid: 'a', k: 'c2hvcnQ' })],
    ['a key without a name', file({ k: jwk('a', 1).k })],
    ['a name that a line would have to escape', file(jwk('a"b', 1))],
  ])('needs a file of keys, not %s', (_, text) => {
    expect(() => pseudonymKeys(text)).toThrow();
  });
});
