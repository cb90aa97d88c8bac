import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { MAX_DOCUMENT_BYTES } from '../../../src/base/limits.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';
import { jwks, privateJwk, publicJwk } from './maker.ts';

/** The log text about one key beside a valid one. */
async function warningFor(jwk: Record<string, unknown> | unknown): Promise<string | undefined> {
  const set = await readKeySet(JSON.stringify({ keys: [publicJwk('p256b', { kid: 'good' }), jwk] }));
  if (!set.ok) throw new Error(set.error);
  expect(set.keys.map(({ kid }) => kid)).toEqual(
    set.warnings.length === 0 && set.keys.length > 1 ? ['good', expect.anything()] : ['good'],
  );
  return set.warnings[0];
}

const rsa = publicJwk('rsa');

/** A number of this many bits: the first and the last are ones. */
function oddNumber(bits: number): string {
  const bytes = Buffer.alloc(Math.ceil(bits / 8));
  bytes[0] = 1 << ((bits - 1) % 8);
  bytes[bytes.length - 1]! |= 1;
  return bytes.toString('base64url');
}

describe('readKeySet', () => {
  it('reads every type of key with its thumbprint, name and binding, and nothing else of it', async () => {
    const published = [
      publicJwk('rsa', { alg: 'RS256', x5c: ['MIIB'], use: 'sig' }),
      publicJwk('p384'),
      publicJwk('ed'),
    ];
    const set = await readKeySet(jwks(...published));
    expect(set).toEqual({
      ok: true,
      warnings: [],
      keys: [
        {
          kid: 'rsa',
          alg: 'RS256',
          kty: 'RSA',
          thumbprint: await calculateJwkThumbprint(rsa as never),
          jwk: { kty: 'RSA', n: rsa.n, e: rsa.e },
        },
        {
          kid: 'p384',
          kty: 'EC',
          crv: 'P-384',
          thumbprint: expect.stringMatching(/^[\w-]{43}$/),
          jwk: { kty: 'EC', crv: 'P-384', x: published[1]!.x, y: published[1]!.y },
        },
        {
          kid: 'ed',
          kty: 'OKP',
          crv: 'Ed25519',
          thumbprint: expect.stringMatching(/^[\w-]{43}$/),
          jwk: { kty: 'OKP', crv: 'Ed25519', x: published[2]!.x },
        },
      ],
    });
  });

  it('has the thumbprint of RFC 7638 section 3.1', async () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const set = await readKeySet(jwks({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }));
    expect(set.ok && set.keys[0]?.thumbprint).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it('keeps two keys of one kid, and keys without; the same key twice counts once', async () => {
    const twice = publicJwk('rsa', { kid: 'one' });
    const set = await readKeySet(
      jwks(twice, publicJwk('rsa2', { kid: 'one' }), publicJwk('p256', { kid: undefined }), twice),
    );
    expect(set.ok && set.keys.map(({ kid }) => kid)).toEqual(['one', 'one', undefined]);
  });

  it.each([
    ['for encryption', { ...rsa, use: 'enc' }],
    ['of an unknown use', { ...rsa, use: 'tls' }],
    ['for other operations', { ...rsa, key_ops: ['encrypt', 'wrapKey'] }],
    ['with operations that are no list', { ...rsa, key_ops: 'verify' }],
  ])('leaves out a key %s without logging it', async (_, jwk) => {
    expect(await warningFor(jwk)).toBeUndefined();
  });

  it.each([
    ['null', null, 'it is not an object'],
    ['text', 'x', 'it is not an object'],
    ['an empty object', {}, 'the key type "undefined" is not supported'],
    ['an unknown type', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' }, 'the key type "AKP" is not supported'],
    ['a symmetric key', { kty: 'oct', k: 'AAAA', kid: 's' }, 'a published key set must not contain symmetric keys'],
    ['a private RSA key', privateJwk('rsa'), 'its private half is published: anyone can sign with it'],
    ['a private EC key', privateJwk('p256'), 'its private half is published: anyone can sign with it'],
    ['a private Ed25519 key', privateJwk('ed'), 'its private half is published: anyone can sign with it'],
    ['a member missing', { kty: 'RSA', e: 'AQAB' }, 'a member is missing'],
    ['a member that is not text', { ...rsa, n: 7 }, 'a member is missing'],
    ['a number as kid', { ...rsa, kid: 7 }, '"kid" is not a string'],
    ['a list as alg', { ...rsa, alg: ['RS256'] }, '"alg" is not a string'],
    ['no base64', { ...rsa, n: '!!!' }, 'it is not a key'],
    ['1024 bits', publicJwk('weak'), 'RSA of 1024 bits is too short; the minimum is 2048'],
    ['2047 bits', { ...rsa, n: oddNumber(2047) }, 'RSA of 2047 bits is too short; the minimum is 2048'],
    ['8193 bits', { ...rsa, n: oddNumber(8193) }, 'RSA of 8193 bits is too long; the maximum is 8192'],
    [
      'a modulus of zeros',
      { ...rsa, n: Buffer.alloc(300).toString('base64url') },
      'RSA of 0 bits is too short; the minimum is 2048',
    ],
    ['exponent 0', { ...rsa, e: 'AA' }, 'the RSA exponent is not an odd number over 1'],
    ['exponent 1', { ...rsa, e: 'AQ' }, 'the RSA exponent is not an odd number over 1'],
    ['an even exponent', { ...rsa, e: 'AQAA' }, 'the RSA exponent is not an odd number over 1'],
    ['an exponent of 34 bits', { ...rsa, e: oddNumber(34) }, 'the RSA exponent is too long'],
    ['an unknown curve', { ...publicJwk('p256'), crv: 'secp256k1' }, 'the curve "secp256k1" is not supported'],
    ['the curve of another type', { ...publicJwk('p256'), crv: 'Ed25519' }, 'the curve "Ed25519" is not supported'],
    ['X25519', { ...publicJwk('ed'), crv: 'X25519' }, 'the curve "X25519" is not supported'],
    ['a point that is not on the curve', { ...publicJwk('p256'), y: publicJwk('p256b').y }, 'it is not a key'],
    ['a point of another curve', { ...publicJwk('p256'), crv: 'P-384' }, 'it is not a key'],
    ['31 bytes of Ed25519', { ...publicJwk('ed'), x: Buffer.alloc(31, 1).toString('base64url') }, 'it is not a key'],
  ])('leaves out %s and logs it', async (_, jwk, why) => {
    expect(await warningFor(jwk)).toMatch(/^key 2( \(kid ".*"\))? is not used: /);
    expect((await warningFor(jwk))?.endsWith(`: ${why}`), String(await warningFor(jwk))).toBe(true);
  });

  it('accepts a modulus with leading zeros, as some providers write it', async () => {
    const n = Buffer.concat([Buffer.alloc(1), Buffer.from(rsa.n!, 'base64url')]).toString('base64url');
    expect(await readKeySet(jwks({ ...rsa, n }))).toMatchObject({ ok: true, warnings: [], keys: [{ kty: 'RSA' }] });
  });

  it('uses the first hundred keys and logs that', async () => {
    const many = Array.from({ length: 101 }, (_, index) => publicJwk('p256', { kid: `k${index}` }));
    const set = await readKeySet(jwks(...many));
    expect(set).toMatchObject({ ok: true, warnings: ['the key set has 101 keys; only the first 100 are used'] });
    expect(set.ok && set.keys).toHaveLength(100);
  });

  it('names a key by a kid that cannot break the log line', async () => {
    expect(await warningFor({ kty: 'oct', kid: `a"\n${'x'.repeat(200)}` })).toBe(
      `key 2 (kid "a\\"\\n${'x'.repeat(61)}…") is not used: a published key set must not contain symmetric keys`,
    );
  });

  it.each([
    ['nothing', '', 'the key set is not JSON'],
    ['a page', '<html></html>', 'the key set is not JSON'],
    ['half of one', jwks(rsa).slice(0, -9), 'the key set is not JSON'],
    ['a list', '[]', 'the key set has no list "keys"'],
    ['null', 'null', 'the key set has no list "keys"'],
    ['keys that are no list', '{"keys":{}}', 'the key set has no list "keys"'],
    ['no keys', '{"keys":[]}', 'the key set has no usable key'],
    [
      'only a broken key',
      '{"keys":[{"kty":"oct"}]}',
      'the key set has no usable key; key 1 is not used: a published key set must not contain symmetric keys',
    ],
    ['too much', `{"keys":[]${' '.repeat(MAX_DOCUMENT_BYTES)}}`, 'the key set is too large'],
  ])('rejects %s', async (_, text, error) => {
    expect(await readKeySet(text)).toEqual({ ok: false, error });
  });

  it('rejects a document that is nested as deeply as its size allows', async () => {
    const deep = `{"keys":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`;
    expect(await readKeySet(deep)).toMatchObject({ ok: false });
  });
});
