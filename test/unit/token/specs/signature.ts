import type { Algorithm } from '../../../../src/policy/checked/types.ts';
import { bytes, flip, type Spec, spec, text } from './spec.ts';

/** Issuer, algorithm, key and signature. */
export const issuers: Spec[] = [
  spec('another issuer', 'issuer_unknown', (m) => m.token({ claims: { iss: 'https://other.example.com' } }), {
    detail: null,
  }),
  ...[
    'https://issuer.example.com/',
    'https://ISSUER.example.com',
    'http://issuer.example.com',
    'https://issuer.example.com ',
    '',
    1,
    null,
    true,
    ['https://issuer.example.com'],
    { iss: 1 },
  ].map(
    (iss): Spec =>
      spec(`the issuer ${JSON.stringify(iss)}`, 'issuer_unknown', (m) => m.token({ claims: { iss } }), {
        detail: null,
      }),
  ),
  spec('no issuer', 'issuer_unknown', (m) => m.token({ claims: { iss: undefined } })),
  spec('the issuer in __proto__ only', 'issuer_unknown', (m) =>
    m.loaded('{"__proto__":{"iss":"https://issuer.example.com"},"exp":1900000000}'),
  ),
  spec(
    'the second provider of two, by its own key set',
    'verified',
    (m) => m.token({ key: 'rsa2', claims: { iss: 'https://second.example.com' } }),
    { second: {} },
  ),
  spec(
    "the second provider's issuer, the first one's key",
    'key_unknown',
    (m) => m.token({ claims: { iss: 'https://second.example.com' } }),
    { second: {} },
  ),
];

export const algorithms: Spec[] = [
  ...(
    [
      ['RS256', 'rsa'],
      ['RS384', 'rsa'],
      ['RS512', 'rsa3072'],
      ['PS256', 'pss'],
      ['PS384', 'rsa'],
      ['PS512', 'rsa3072'],
      ['ES256', 'p256'],
      ['ES384', 'p384'],
      ['ES512', 'p521'],
    ] as [Algorithm, string][]
  ).flatMap(([alg, key]): Spec[] => [
    spec(`${alg} holds`, 'verified', (m) => m.token({ alg, key })),
    spec(`${alg} with a changed payload`, 'signature_invalid', (m) =>
      m.part(m.token({ alg, key }), 1, (_, data) => text(data).replace('alice', 'admin')),
    ),
    spec(`${alg} with a changed signature`, 'signature_invalid', (m) => m.part(m.token({ alg, key }), 2, flip), {
      detail: null,
    }),
    spec(`${alg} where the policy allows it not`, 'algorithm_refused', (m) => m.token({ alg, key }), {
      provider: { algorithms: [alg === 'RS256' ? 'ES256' : 'RS256'] },
      detail: null,
    }),
  ]),
  spec('EdDSA holds', 'verified', (m) => m.token({ alg: 'EdDSA', key: 'ed' }), { ed25519: true }),
  spec(
    'EdDSA with a changed signature',
    'signature_invalid',
    (m) => m.part(m.token({ alg: 'EdDSA', key: 'ed' }), 2, flip),
    { ed25519: true },
  ),
  spec(
    'EdDSA with a short signature',
    'signature_invalid',
    (m) => m.part(m.token({ alg: 'EdDSA', key: 'ed' }), 2, (_, data) => data.slice(0, 63)),
    { ed25519: true },
  ),
  ...[
    'none',
    'None',
    'NONE',
    'HS256',
    'HS384',
    'HS512',
    'rs256',
    'RS1',
    'ES256K',
    'Ed448',
    'RSA-OAEP',
    'dir',
    '',
    ' RS256',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ].map(
    (alg): Spec =>
      spec(`the algorithm ${JSON.stringify(alg)}`, 'algorithm_refused', (m) => m.token({ header: { alg } }), {
        detail: null,
      }),
  ),
  spec('HS256 with the public key as the secret', 'algorithm_refused', (m) => m.token({ alg: 'HS256' })),
  spec('none with an empty signature', 'token_malformed', (m) =>
    m.part(m.token({ header: { alg: 'none' } }), 2, () => ''),
  ),
  spec('RS256 in the header, signed as PS256', 'signature_invalid', (m) => m.token({ signAs: 'PS256' })),
  spec('RS256 in the header, signed as RS512', 'signature_invalid', (m) => m.token({ signAs: 'RS512' })),
  spec('PS256 in the header, signed as RS256', 'signature_invalid', (m) => m.token({ alg: 'PS256', signAs: 'RS256' })),
];

export const keys: Spec[] = [
  spec('an unknown kid', 'key_unknown', (m) => m.token({ header: { kid: 'other' } })),
  spec('an empty kid', 'key_unknown', (m) => m.token({ header: { kid: '' } })),
  spec('a kid of 8 KB', 'key_unknown', (m) => m.token({ header: { kid: 'k'.repeat(8000) } })),
  spec('the kid __proto__', 'key_unknown', (m) => m.token({ header: { kid: '__proto__' } })),
  spec('no kid: the keys that fit are tried', 'verified', (m) =>
    m.token({ alg: 'ES384', key: 'p384', header: { kid: undefined } }),
  ),
  spec('no kid: the second key that fits', 'verified', (m) =>
    m.token({ alg: 'RS256', key: 'rsa3072', header: { kid: undefined } }),
  ),
  spec('no kid, a foreign key', 'signature_invalid', (m) => m.token({ key: 'weak', header: { kid: undefined } })),
  spec(
    'no kid and no key with one',
    'verified',
    (m) => m.token({ alg: 'ES256', key: 'p256b', header: { kid: undefined } }),
    { keys: 'without kid' },
  ),
  spec('a kid and no key with one, two fit', 'key_unknown', (m) => m.token({ alg: 'ES256', key: 'p256b' }), {
    keys: 'without kid',
  }),
  spec('a kid and no key with one, one fits', 'verified', (m) => m.token({ alg: 'ES256', key: 'p256' }), {
    keys: 'one of each type without kid',
  }),
  spec('a kid and no key with one, one fits and did not sign', 'key_unknown', (m) => m.token({ key: 'rsa2' }), {
    keys: 'one of each type without kid',
    detail: 'no key has the "kid" of the token, and the only key without a "kid" that fits did not sign it',
  }),
  spec('a kid and no key with one, none fits', 'key_unknown', (m) => m.token({ alg: 'ES384', key: 'p384' }), {
    keys: 'one of each type without kid',
  }),
  spec(
    'a kid, the key that fits has none and another has one',
    'key_unknown',
    (m) => m.token({ alg: 'ES256', key: 'p256' }),
    {
      keys: 'one without kid, one with',
    },
  ),
  spec(
    'no kid: the fifth key is not tried',
    'signature_invalid',
    (m) => m.token({ alg: 'RS256', key: 'rsa', header: { kid: undefined } }),
    { keys: 'five without kid' },
  ),
  spec('two keys of one kid, the second signed', 'verified', (m) => m.token({ key: 'rsa2', header: { kid: 'one' } }), {
    keys: 'two of one kid',
  }),
  spec("RS256 with another type's kid", 'key_unknown', (m) => m.token({ header: { kid: 'p256' } })),
  spec('ES256 with the kid of a P-384 key', 'key_unknown', (m) =>
    m.token({ alg: 'ES256', key: 'p256', header: { kid: 'p384' } }),
  ),
  spec('ES256 with the kid of a P-521 key that is bound to nothing', 'key_unknown', (m) =>
    m.token({ alg: 'ES256', key: 'p256', header: { kid: 'p521' } }),
  ),
  spec('ES256 signed with a P-384 key', 'key_unknown', (m) => m.token({ alg: 'ES256', key: 'p384' })),
  spec('RS256 with an RSA key bound to PS256', 'key_unknown', (m) => m.token({ key: 'pss' })),
  spec('RS256 with an RSA key bound to PS256, no kid', 'signature_invalid', (m) =>
    m.token({ key: 'pss', header: { kid: undefined } }),
  ),
  spec('a key for encryption', 'key_unknown', (m) => m.token({ key: 'enc' })),
  spec('a key of 1024 bits', 'key_unknown', (m) => m.token({ key: 'weak' })),
  spec('an embedded jwk that signed it, its kid unknown', 'key_unknown', (m) =>
    m.token({ alg: 'ES256', key: 'p256b', header: { jwk: m.jwk('p256b') } }),
  ),
  spec('an embedded jwk that signed it, a known kid', 'signature_invalid', (m) =>
    m.token({ alg: 'ES256', key: 'p256b', header: { kid: 'p256', jwk: m.jwk('p256b') } }),
  ),
  spec('an embedded jwk that signed it, no kid', 'signature_invalid', (m) =>
    m.token({ alg: 'ES256', key: 'p256b', header: { kid: undefined, jwk: m.jwk('p256b') } }),
  ),
  spec('no keys yet', 'provider_unavailable', (m) => m.token(), { keys: 'none yet' }),
  spec(
    'no keys yet, and an algorithm that is refused',
    'algorithm_refused',
    (m) => m.token({ header: { alg: 'none' } }),
    { keys: 'none yet' },
  ),
  spec('only unusable keys', 'key_unknown', (m) => m.token(), { keys: 'unusable' }),
  spec('a key whose private half is published', 'key_unknown', (m) => m.token(), { keys: 'private' }),
];

export const signatures: Spec[] = [
  spec('ES256 in DER', 'signature_invalid', (m) =>
    m.part(m.token({ alg: 'ES256', key: 'p256' }), 2, (_, data) =>
      bytes(0x30, 68, 2, 32, ...data.slice(0, 32), 2, 32, ...data.slice(32)),
    ),
  ),
  spec('ES256 with a byte more', 'signature_invalid', (m) =>
    m.part(m.token({ alg: 'ES256', key: 'p256' }), 2, (_, data) => bytes(...data, 0)),
  ),
  spec('ES256 with a byte less', 'signature_invalid', (m) =>
    m.part(m.token({ alg: 'ES256', key: 'p256' }), 2, (_, data) => data.slice(1)),
  ),
  spec('ES256 of zeros', 'signature_invalid', (m) =>
    m.part(m.token({ alg: 'ES256', key: 'p256' }), 2, () => new Uint8Array(64)),
  ),
  spec('ES512 with both numbers padded to 66 bytes twice', 'signature_invalid', (m) =>
    m.part(m.token({ alg: 'ES512', key: 'p521' }), 2, (_, data) =>
      bytes(0, ...data.slice(0, 66), 0, ...data.slice(66)),
    ),
  ),
  spec('RS256 with a byte more', 'signature_invalid', (m) => m.part(m.token(), 2, (_, data) => bytes(...data, 0))),
  spec('RS256 with a zero before it', 'signature_invalid', (m) => m.part(m.token(), 2, (_, data) => bytes(0, ...data))),
  spec('RS256 with a byte less', 'signature_invalid', (m) => m.part(m.token(), 2, (_, data) => data.slice(1))),
  spec('RS256 of zeros', 'signature_invalid', (m) => m.part(m.token(), 2, () => new Uint8Array(256))),
  spec('RS256 of ones', 'signature_invalid', (m) => m.part(m.token(), 2, () => new Uint8Array(256).fill(255))),
  spec('a signature of one byte', 'signature_invalid', (m) => m.part(m.token(), 2, () => bytes(1))),
  spec('another header over the same signature', 'signature_invalid', (m) =>
    m.part(m.token(), 0, (_, data) => text(data).replace('{', '{ ')),
  ),
];
