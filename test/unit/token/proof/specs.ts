import { createHash } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { ExpectedProof } from '../../../../src/token/proof/types.ts';
import { b64, type Jwk, type KeyName, makeToken, privateJwk, publicJwk } from '../maker.ts';
import type { ProofCase } from './case.ts';

/*
 * The expected results of proofs, as data: one line each, run in Node, in the njs command and in nginx. The signatures
 * are Node's own, the thumbprints jose's.
 */

const now = 1_800_000_000;
const url = 'https://wiki.example.com/rest/page';
const tokenHash = createHash('sha256').update('a token').digest('base64url');

const usualClaims = { jti: 'p-1', htm: 'GET', htu: url, iat: now - 1, ath: tokenHash };

const bare = (key: KeyName): Jwk => publicJwk(key, { kid: undefined });

interface Change {
  readonly key?: KeyName;
  readonly alg?: string;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly rawPayload?: string;
  readonly signWith?: KeyName;
}

function proofOf({ key = 'p256', alg = 'ES256', header, claims, signWith, ...rest }: Change = {}): string {
  const members = { typ: 'dpop+jwt', alg, jwk: bare(key), ...header };
  return makeToken({
    ...rest,
    alg,
    key: signWith ?? key,
    rawHeader: JSON.stringify(members),
    claims: { ...usualClaims, ...claims },
  });
}

const thumbprints = new Map<KeyName, string>();
for (const key of ['p256', 'p256b', 'p384', 'p521', 'rsa', 'pss', 'weak', 'ed'] as const) {
  thumbprints.set(key, await calculateJwkThumbprint(bare(key)));
}

function expectedOf(more: Partial<ExpectedProof> & { readonly key?: KeyName } = {}): ExpectedProof {
  const { key = 'p256', ...rest } = more;
  return { thumbprint: thumbprints.get(key)!, method: 'GET', url, tokenHash, now, age: 60, skew: 30, ...rest };
}

function spec(
  name: string,
  outcome: ProofCase['outcome'],
  change: Change | string = {},
  more: { readonly expected?: ExpectedProof; readonly detail?: string } = {},
): ProofCase {
  const proof = typeof change === 'string' ? change : proofOf(change);
  return { name, outcome, proof, expected: more.expected ?? expectedOf(), detail: more.detail };
}

const good = proofOf();
const [head, payload, signature] = good.split('.') as [string, string, string];
const other = createHash('sha256').update('another token').digest('base64url');

const keys: readonly ProofCase[] = [
  spec('ES256', 'proved'),
  ...(
    [
      ['ES384', 'p384'],
      ['ES512', 'p521'],
      ['PS256', 'pss'],
      ['RS256', 'rsa'],
    ] as const
  ).map(([alg, key]) => spec(alg, 'proved', { alg, key }, { expected: expectedOf({ key }) })),
  spec(
    'the key of another client',
    'proof_invalid',
    { key: 'p256b' },
    {
      detail: 'the token is not bound to the key of the proof',
    },
  ),
  spec('a known key, for a token of another client', 'proof_invalid', {}, { expected: expectedOf({ key: 'p256b' }) }),
  spec(
    'the right key in it, signed by another',
    'proof_invalid',
    { signWith: 'p256b' },
    {
      detail: 'the signature does not match the proof',
    },
  ),
  spec('Ed25519', 'proof_invalid', { alg: 'EdDSA', key: 'ed' }, { expected: expectedOf({ key: 'ed' }) }),
  spec('RSA of 1024 bits', 'proof_invalid', { alg: 'RS256', key: 'weak' }, { expected: expectedOf({ key: 'weak' }) }),
  ...['none', 'HS256', 'ES256K', 'RS384', '', 7, null].map((alg) =>
    spec(`alg ${JSON.stringify(alg)}`, 'proof_invalid', { header: { alg } }),
  ),
  spec(
    'the public key as an HMAC secret',
    'proof_invalid',
    { alg: 'HS256', key: 'rsa' },
    {
      expected: expectedOf({ key: 'rsa' }),
    },
  ),
  spec(
    'alg none and no signature',
    'proof_invalid',
    `${b64(JSON.stringify({ typ: 'dpop+jwt', alg: 'none' }))}.${payload}.`,
  ),
  spec('the algorithm of another curve', 'proof_invalid', { alg: 'ES384' }),
  spec(
    'the private key in it',
    'proof_invalid',
    { header: { jwk: { ...privateJwk('p256'), kid: undefined } } },
    {
      detail: 'the proof\'s "jwk" contains a private member: anyone who saw the proof may have the private key',
    },
  ),
  spec('a member that only private keys have', 'proof_invalid', { header: { jwk: { ...bare('p256'), d: null } } }),
  spec('a symmetric key', 'proof_invalid', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }),
  ...[undefined, null, 'x', [bare('p256')], {}].map((jwk) =>
    spec(`the jwk ${JSON.stringify(jwk)?.slice(0, 13)}`, 'proof_invalid', { header: { jwk } }),
  ),
  spec('a jwk for another algorithm', 'proof_invalid', { header: { jwk: { ...bare('p256'), alg: 'ES384' } } }),
  spec('a jwk with its algorithm, name and use', 'proved', {
    header: { jwk: { ...bare('p256'), alg: 'ES256', kid: 'a', use: 'sig' } },
  }),
  spec('a coordinate that is too short', 'proof_invalid', { header: { jwk: { ...bare('p256'), x: 'AAAA' } } }),
  spec('a coordinate with padding', 'proof_invalid', { header: { jwk: { ...bare('p256'), x: `${bare('p256').x}=` } } }),
  spec('coordinates that hold JSON', 'proof_invalid', { header: { jwk: { ...bare('p256'), x: '","y":"' } } }),
];

/** A point that is on no curve, of the right length: the token would have to be bound to it. */
const noPoint = { kty: 'EC', crv: 'P-256', x: b64(Buffer.alloc(32, 1)), y: b64(Buffer.alloc(32, 2)) };
const noPointThumbprint = await calculateJwkThumbprint(noPoint);

const forms: readonly ProofCase[] = [
  spec(
    'a key that is no point',
    'proof_invalid',
    { header: { jwk: noPoint } },
    {
      expected: { ...expectedOf(), thumbprint: noPointThumbprint },
      detail: 'the signature does not match the proof',
    },
  ),
  ...['', '.', '..', '...', 'x', `${head}.${payload}`, `${good}.`, `.${good}`, `${good} `, ` ${good}`].map((text) =>
    spec(
      `the text ${JSON.stringify(text.replace(good, 'PROOF').replace(head, 'HEAD').replace(payload, 'PAYLOAD'))}`,
      'proof_invalid',
      text,
    ),
  ),
  spec('two headers, as nginx joins them', 'proof_invalid', `${good}, ${good}`, {
    detail: 'the proof is not a signed JWT, or there are several "DPoP" headers',
  }),
  spec('two headers without a space', 'proof_invalid', `${good},${good}`),
  spec('longer than any', 'proof_invalid', `${head}.${payload}.${'A'.repeat(5000)}`),
  spec('padding at the end', 'proof_invalid', `${good}==`),
  spec('one bit of the payload altered', 'proof_invalid', `${head}.${payload.slice(0, -2)}AA.${signature}`),
  spec('one bit of the signature altered', 'proof_invalid', `${head}.${payload}.${signature.slice(0, -4)}AAAA`),
  spec('the signature cut', 'proof_invalid', `${head}.${payload}.${signature.slice(0, 40)}`),
  spec('a signature in DER', 'proof_invalid', `${head}.${payload}.${b64(Buffer.alloc(70, 48))}`),
  spec('no header of JSON', 'proof_invalid', `${b64('x')}.${payload}.${signature}`),
  spec('a header that is a list', 'proof_invalid', `${b64('[]')}.${payload}.${signature}`),
  ...[undefined, 'jwt', 'JWT', 'at+jwt', 'DPoP+jwt', 'application/dpop+jwt', 1].map((typ) =>
    spec(`the type ${JSON.stringify(typ)}`, 'proof_invalid', { header: { typ } }),
  ),
  ...['crit', 'b64', 'zip'].map((name) => spec(`${name} in the header`, 'proof_invalid', { header: { [name]: [] } })),
  spec('a URL of keys in the header', 'proved', { header: { jku: 'https://evil.example.com', kid: 'x', x5c: ['AA'] } }),
  ...['[]', 'null', '"x"', '{', ''].map((rawPayload) =>
    spec(`the payload ${rawPayload}`, 'proof_invalid', { rawPayload }),
  ),
];

const claims: readonly ProofCase[] = [
  ...[undefined, '', 7, null, ['p'], 'x'.repeat(257)].map((jti) =>
    spec(`the jti ${JSON.stringify(jti)?.slice(0, 20)}`, 'proof_invalid', { claims: { jti } }),
  ),
  spec('the longest jti', 'proved', { claims: { jti: 'x'.repeat(256) } }),
  ...['POST', 'get', '', 'GET ', undefined, null, ['GET']].map((htm) =>
    spec(`the method ${JSON.stringify(htm)}`, 'proof_invalid', { claims: { htm } }),
  ),
  spec(
    'another method, asked by it',
    'proved',
    { claims: { htm: 'POST' } },
    { expected: expectedOf({ method: 'POST' }) },
  ),
  ...[other, undefined, null, '', 'a token', tokenHash.slice(0, -1)].map((ath) =>
    spec(
      `the hash ${JSON.stringify(ath)}`,
      'proof_invalid',
      { claims: { ath } },
      {
        detail: 'the proof\'s "ath" is not the hash of this token',
      },
    ),
  ),
  ...[-30, -60, 0, 30].map((age) => spec(`made ${age}s from now`, 'proved', { claims: { iat: now + age } })),
  ...[-61, -3600, 31, 3600].map((age) =>
    spec(`made ${age}s from now`, 'proof_invalid', { claims: { iat: now + age } }),
  ),
  ...[undefined, null, String(now), [now], 1e300, -1e300, now * 1000].map((iat) =>
    spec(`the iat ${JSON.stringify(iat)}`, 'proof_invalid', { claims: { iat } }),
  ),
  spec('an iat that JSON reads as infinite', 'proof_invalid', {
    rawPayload: JSON.stringify(usualClaims).replace(/"iat":\d+/, '"iat":1e999'),
  }),
  spec('a fraction of a second', 'proved', { claims: { iat: now - 0.5 } }),
  spec('it has expired by itself', 'proof_invalid', { claims: { exp: now - 31 } }),
  spec('it has an exp that is no date', 'proof_invalid', { claims: { exp: 'x' } }),
  spec('it is not valid yet by itself', 'proof_invalid', { claims: { nbf: now + 31 } }),
  spec('it says when it expires', 'proved', { claims: { exp: now + 60, nbf: now - 1 } }),
];

const nonces = { expected: expectedOf({ nonces: ['n2', 'n1'] }) };

const nonceSpecs: readonly ProofCase[] = [
  spec('the nonce of now', 'proved', { claims: { nonce: 'n2' } }, nonces),
  spec('the nonce before', 'proved', { claims: { nonce: 'n1' } }, nonces),
  ...['n0', '', undefined, null, ['n1'], 1].map((nonce) =>
    spec(`the nonce ${JSON.stringify(nonce)}`, 'proof_nonce_required', { claims: { nonce } }, nonces),
  ),
  spec('a nonce where none is asked for', 'proved', { claims: { nonce: 'x' } }),
];

const same = [
  `${url}?page=1`,
  `${url}#part`,
  `${url}?`,
  'HTTPS://WIKI.example.com/rest/page',
  'https://wiki.example.com:443/rest/page',
  'https://wiki.example.com/%72est/page',
];

const different = [
  'https://wiki.example.com/rest/page/',
  'https://wiki.example.com/rest/Page',
  'https://wiki.example.com/rest',
  'https://wiki.example.com/rest//page',
  'https://wiki.example.com/x/../rest/page',
  'https://wiki.example.com/rest%2Fpage',
  'http://wiki.example.com/rest/page',
  'https://wiki.example.com:8443/rest/page',
  'https://wiki.example.com:443:443/rest/page',
  'https://wiki.example.com./rest/page',
  'https://wiki.example.com@evil.example/rest/page',
  'https://evil.example/rest/page',
  'https://evil.example\\@wiki.example.com/rest/page',
  '//wiki.example.com/rest/page',
  '/rest/page',
  '',
  ' https://wiki.example.com/rest/page',
  undefined,
  null,
  [url],
];

const at = (path: string) => expectedOf({ url: `https://wiki.example.com${path}` });

const urls: readonly ProofCase[] = [
  ...same.map((htu) => spec(`the URL ${htu}`, 'proved', { claims: { htu } })),
  ...different.map((htu) => spec(`the URL ${JSON.stringify(htu)}`, 'proof_invalid', { claims: { htu } })),
  ...['https://wiki.example.com', 'https://wiki.example.com/', 'https://wiki.example.com?x'].map((htu) =>
    spec(`the root as ${htu}`, 'proved', { claims: { htu } }, { expected: at('/') }),
  ),
  spec(
    'escapes in another case',
    'proved',
    { claims: { htu: 'https://wiki.example.com/%c3%bc%20' } },
    {
      expected: at('/%C3%BC%20'),
    },
  ),
  spec(
    'escapes of other bytes',
    'proof_invalid',
    { claims: { htu: 'https://wiki.example.com/%c3%bd' } },
    {
      expected: at('/%C3%BC'),
    },
  ),
  spec(
    'an escape that stands for itself is none of a slash',
    'proof_invalid',
    {
      claims: { htu: 'https://wiki.example.com/a%252Fb' },
    },
    { expected: at('/a%2Fb') },
  ),
];

export const proofSpecs: readonly ProofCase[] = [...keys, ...forms, ...claims, ...nonceSpecs, ...urls];
