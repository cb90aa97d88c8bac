import { decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { assertionClaims } from '../../../src/assertion/claims.ts';
import { newSigningKeys, rotateSigningKeys } from '../../../src/assertion/rotate.ts';
import { type SigningKeys, signAssertion } from '../../../src/assertion/sign.ts';
import { readSigningKeys } from '../../../src/assertion/signing-keys.ts';

const NOW = 1_800_000_000;
const HOUR = 3600;
const file = await newSigningKeys(NOW);

type Jwk = Record<string, unknown>;
const keysOf = (text: string): Jwk[] => JSON.parse(text).keys;
const kids = (text: string) => keysOf(text).map(({ kid }) => kid);

async function read(text: string): Promise<SigningKeys> {
  const keys = await readSigningKeys(text);
  if (typeof keys === 'string') throw new Error(keys);
  return keys;
}

describe('reading a key file', () => {
  test('the first key signs, and the public keys of all are published', async () => {
    const { kid, published } = await read(file);
    expect(kid).toBe(kids(file)[0]);
    expect(kids(published)).toEqual(kids(file));
    for (const key of keysOf(published)) {
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
      expect(Object.keys(key)).not.toContain('d');
    }
  });

  test('a key without "kid" is named by its thumbprint, as new keys are', async () => {
    const nameless = { keys: keysOf(file).map(({ kid: _, ...key }) => key) };
    expect((await read(JSON.stringify(nameless))).published).toBe((await read(file)).published);
  });

  const [first, second] = keysOf(file) as [Jwk, Jwk];
  const set = (...keys: unknown[]) => JSON.stringify({ keys });
  test.each([
    ['an empty file', '', 'the file is not JSON'],
    ['half a file', file.slice(0, 300), 'the file is not JSON'],
    ['a list', '[]', 'the file has no list "keys"'],
    ['no key', set(), 'the file has no key'],
    ['an invalid key', set(null), 'key 1 is not an EC key on the curve P-256'],
    ['another curve', set(first, { ...second, crv: 'P-384' }), 'key 2 is not an EC key on the curve P-256'],
    ['a public key', set({ ...first, d: undefined }), 'key 1 lacks "d", "x" or "y"'],
    ['a short coordinate', set({ ...first, x: 'AAAA' }), 'key 1 lacks "d", "x" or "y"'],
    ['a "kid" that is a number', set({ ...first, kid: 1 }), 'the "kid" of key 1 is not a string'],
    ['one "kid" for two keys', set(first, { ...second, kid: first.kid }), 'two keys have the same "kid"'],
    ['halves of two pairs', set({ ...first, x: second.x, y: second.y }), 'the first key is not a key pair'],
    ['a point off the curve', set({ ...first, x: 'A'.repeat(43) }), 'the first key is not a key pair'],
    ['a huge file', ' '.repeat(300_000), 'the file is too large'],
  ])('%s is rejected, and the error shows nothing of the file', async (_, text, error) => {
    expect(await readSigningKeys(text)).toBe(error);
  });
});

describe('rotation', () => {
  async function rotated(text: string, now: number, early = false): Promise<string> {
    const outcome = await rotateSigningKeys(text, now, early);
    if (!outcome.ok) throw new Error(outcome.error);
    return outcome.text;
  }

  test('each key is published, signs, stays published, and is removed', async () => {
    const [a, b] = kids(file);
    const once = await rotated(file, NOW + HOUR);
    const [, c] = kids(once);
    expect(kids(once)).toEqual([b, c, a]);
    const twice = await rotated(once, NOW + 2 * HOUR);
    const [, d] = kids(twice);
    expect(kids(twice)).toEqual([c, d, b]);
    expect(new Set([a, b, c, d]).size).toBe(4);
    await read(twice);
  });

  test('no key signs that was published for less than an hour, unless that is requested', async () => {
    expect(await rotateSigningKeys(file, NOW + HOUR - 1, false)).toEqual({
      ok: false,
      error: expect.stringMatching(/wait 1 more, or use --early$/),
    });
    expect(kids(await rotated(file, NOW + 1, true))[0]).toBe(kids(file)[1]);
  });

  test('a single key goes on signing beside the new one', async () => {
    const lone = JSON.stringify({ keys: keysOf(file).slice(0, 1) });
    const outcome = await rotateSigningKeys(lone, NOW, false);
    expect(outcome).toMatchObject({ ok: true, signs: false });
    expect(kids((outcome as { text: string }).text)[0]).toBe(kids(file)[0]);
    expect(kids((outcome as { text: string }).text)).toHaveLength(2);
  });

  test('a broken file stays unchanged', async () => {
    expect(await rotateSigningKeys('{', NOW, true)).toEqual({ ok: false, error: 'the file is not JSON' });
  });
});

describe('an assertion', () => {
  const settings = { issuer: 'https://wiki.example.com', keysFile: '/k', lifetime: 60 };
  const caller = { provider: 'okta', subject: 'okta-ann', roles: ['editor', 'reader'] };

  test('names the caller, the service, the identity and the expiry', () => {
    expect(assertionClaims(settings, { service: 'wiki', as: 'wiki-editor' }, caller, NOW + 0.9)).toEqual({
      iss: 'https://wiki.example.com',
      aud: 'wiki',
      sub: 'okta-ann',
      provider: 'okta',
      roles: ['editor', 'reader'],
      as: 'wiki-editor',
      iat: NOW,
      exp: NOW + 60,
    });
    expect(assertionClaims(settings, { service: 'wiki', as: '' }, caller, NOW)).not.toHaveProperty('as');
  });

  test('has a type that no access token has', async () => {
    const signed = await signAssertion(await read(file), { sub: 'ann' });
    expect(decodeProtectedHeader(signed.ok ? signed.value : '')).toEqual({
      alg: 'ES256',
      kid: kids(file)[0],
      typ: 'meshgate+jwt',
    });
  });

  test('is refused if it is too long for a header', async () => {
    const keys = await read(file);
    const signed = await signAssertion(keys, { sub: 'x'.repeat(5950) });
    expect(signed).toMatchObject({ ok: true });
    expect(signed.ok && signed.value.length).toBeLessThanOrEqual(8192);
    expect(await signAssertion(keys, { sub: 'x'.repeat(6100) })).toMatchObject({ ok: false, reason: 'claim_absent' });
  });
});
