/**
 * Assertions that every service must reject, as an attacker without the gateway's key forges them, or as a gateway would
 * never sign them: what a verifier has to look at, one by one.
 */
import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

export interface Subject {
  /** Header and claims of a valid assertion. */
  readonly header: Json;
  readonly claims: Json;
  /** The gateway's private keys as JWKs: the one that signs, and the one that signs next. */
  readonly keys: readonly Json[];
}

export interface Forged {
  readonly name: string;
  readonly text: string;
  /** It names a key that is not published: a verifier may ask for keys, but not once for each of these. */
  readonly unknownKey?: true;
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const es256 = (input: string, key: KeyObject, hash = 'sha256') =>
  sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });

/** Seconds by which each token is early or late: more than the clock skew, and than the run of all verifiers takes. */
const HOUR = 3600;

/** All forged assertions; times are relative to now. */
export function forgedAssertions({ header, claims, keys }: Subject): readonly Forged[] {
  const now = Math.floor(Date.now() / 1000);
  const [own, next] = keys.map((jwk) => createPrivateKey({ key: jwk as never, format: 'jwk' })) as [
    KeyObject,
    KeyObject,
  ];
  const [stranger, p384] = (['P-256', 'P-384'] as const).map(
    (namedCurve) => generateKeyPairSync('ec', { namedCurve }).privateKey,
  ) as [KeyObject, KeyObject];
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  const jwkOf = (key: KeyObject) => createPublicKey(key).export({ format: 'jwk' });

  const input = (head: unknown, payload: unknown) => `${encode(head)}.${encode(payload)}`;
  const joined = (text: string, signature: Buffer | string) =>
    `${text}.${typeof signature === 'string' ? signature : signature.toString('base64url')}`;
  const signed = (payload: unknown, head: unknown = header, key = own) => {
    const text = input(head, payload);
    return joined(text, es256(text, key));
  };
  const reported = (changed: Json) => signed({ ...claims, ...changed });
  const without = (name: string) => signed(Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)));
  const headed = (changed: Json, key = own) => signed(claims, { ...header, ...changed }, key);
  const hmac = (secret: string | Buffer) => {
    const text = input({ ...header, alg: 'HS256' }, claims);
    return joined(text, createHmac('sha256', secret).update(text).digest());
  };

  const [head = '', payload = '', signature = ''] = signed(claims).split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const altered = encode({ ...claims, sub: 'root' });
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const spki = createPublicKey(own).export({ format: 'pem', type: 'spki' }).toString();
  const der = sign('sha256', Buffer.from(`${head}.${payload}`), own);

  const times: readonly (readonly [string, string])[] = [
    ['ended ten seconds ago', reported({ iat: now - 70, exp: now - 10 })],
    ['ended 59 seconds ago', reported({ iat: now - 119, exp: now - 59 })],
    ['ended an hour ago', reported({ iat: now - HOUR - 60, exp: now - HOUR })],
    ['ended in 1970', reported({ exp: 0 })],
    ['ended before 1970', reported({ exp: -1 })],
    ['ended half a second before ten seconds ago', reported({ iat: now - 70, exp: now - 10.5 })],
    ['does not end', without('exp')],
    ['ends at null', reported({ exp: null })],
    ['ends at a text', reported({ exp: String(now + HOUR) })],
    ['ends at an empty text', reported({ exp: '' })],
    ['ends at true', reported({ exp: true })],
    ['ends at a list', reported({ exp: [now + HOUR] })],
    ['ends at an object', reported({ exp: { at: now + HOUR } })],
    ['is of an hour from now', reported({ iat: now + HOUR, exp: now + HOUR + 60 })],
    ['has no beginning', without('iat')],
    ['begins at null', reported({ iat: null })],
    ['begins at a text', reported({ iat: String(now) })],
    ['begins at a list', reported({ iat: [now] })],
    ['holds from an hour from now', reported({ nbf: now + HOUR })],
  ];
  const callers: readonly (readonly [string, string])[] = [
    ['has no subject', without('sub')],
    ['has null for a subject', reported({ sub: null })],
    ['has an empty subject', reported({ sub: '' })],
    ['has a number for a subject', reported({ sub: 7 })],
    ['has a list of subjects', reported({ sub: ['ada'] })],
    ['has an object for a subject', reported({ sub: { id: 'ada' } })],
  ];
  const places: readonly (readonly [string, string])[] = [
    ['has no issuer', without('iss')],
    ['has null for an issuer', reported({ iss: null })],
    ['has an empty issuer', reported({ iss: '' })],
    ['is of another issuer', reported({ iss: 'https://evil.example.com' })],
    ['is of an issuer with a slash more', reported({ iss: `${claims.iss}/` })],
    ['is of an issuer in capitals', reported({ iss: String(claims.iss).toUpperCase() })],
    ['is of a list of issuers', reported({ iss: [claims.iss] })],
    ['has no audience', without('aud')],
    ['has null for an audience', reported({ aud: null })],
    ['has an empty audience', reported({ aud: '' })],
    ['is for no one of a list', reported({ aud: [] })],
    ['is for another service', reported({ aud: 'dashboard' })],
    ['is for other services', reported({ aud: ['dashboard', 'board'] })],
    ['is for a service in capitals', reported({ aud: String(claims.aud).toUpperCase() })],
    ['is for a service whose name begins with the right one', reported({ aud: `${claims.aud}-canary` })],
    ['is for an object', reported({ aud: { wiki: true } })],
  ];
  const types: readonly (readonly [string, string])[] = [
    ['is an access token', headed({ typ: 'at+jwt' })],
    ['is any JWT', headed({ typ: 'JWT' })],
    ['is a logout token', headed({ typ: 'logout+jwt' })],
    ['is a DPoP proof', headed({ typ: 'dpop+jwt' })],
    ['is of a type that begins with the right one', headed({ typ: 'meshgate+jwt2' })],
    ['has no type', headed({ typ: undefined })],
    ['has an empty type', headed({ typ: '' })],
    ['has a number for a type', headed({ typ: 7 })],
    ['has a list of types', headed({ typ: ['meshgate+jwt'] })],
  ];
  const algorithms: readonly (readonly [string, string])[] = [
    ['says that it is not signed', `${input({ ...header, alg: 'none' }, claims)}.`],
    ['says so in other letters', `${input({ ...header, alg: 'nOnE' }, claims)}.`],
    ['says so, and is signed', headed({ alg: 'none' })],
    ['has no algorithm', headed({ alg: undefined })],
    ['has a list of algorithms', headed({ alg: ['ES256'] })],
    ['has its algorithm in small letters', headed({ alg: 'es256' })],
    ['is authenticated with the public key as PEM', hmac(spki)],
    ['is authenticated with the public key as JWK', hmac(JSON.stringify(jwkOf(own)))],
    ['is authenticated with nothing', hmac('')],
    [
      'is signed by RSA',
      (() => {
        const text = input({ ...header, alg: 'RS256' }, claims);
        return joined(text, sign('sha256', Buffer.from(text), rsa));
      })(),
    ],
    [
      'is signed over another curve',
      (() => {
        const text = input({ ...header, alg: 'ES384' }, claims);
        return joined(text, es256(text, p384, 'sha384'));
      })(),
    ],
    [
      'is signed by Ed25519',
      (() => {
        const text = input({ ...header, alg: 'EdDSA' }, claims);
        return joined(text, sign(null, Buffer.from(text), ed25519));
      })(),
    ],
  ];
  const signatures: readonly (readonly [string, string])[] = [
    ['has other claims', `${head}.${altered}.${signature}`],
    ['has another header', `${encode({ ...header, more: 1 })}.${payload}.${signature}`],
    ['is signed by another key', signed(claims, header, stranger)],
    ['is signed by the next key under the name of this one', signed(claims, header, next)],
    ['is signed by another key, and names none', headed({ kid: undefined }, stranger)],
    ['has no signature', `${head}.${payload}.`],
    ['has half a signature', `${head}.${payload}.${bytes.subarray(0, 32).toString('base64url')}`],
    [
      'has a signature with a byte more',
      `${head}.${payload}.${Buffer.concat([bytes, Buffer.of(0)]).toString('base64url')}`,
    ],
    ['has a signature as DER', `${head}.${payload}.${der.toString('base64url')}`],
    ['has a signature of zeros', `${head}.${payload}.${Buffer.alloc(64).toString('base64url')}`],
    [
      'has a signature of the order of the curve',
      `${head}.${payload}.${Buffer.concat([order, order]).toString('base64url')}`,
    ],
    ['has its signature backwards', `${head}.${payload}.${Buffer.from(bytes).reverse().toString('base64url')}`],
  ];
  const unknown: readonly (readonly [string, string])[] = [
    ['brings its key', headed({ kid: 'evil', jwk: jwkOf(stranger) }, stranger)],
    ['brings its key under the gateway’s key id', headed({ jwk: { ...jwkOf(stranger), kid: header.kid } }, stranger)],
    ['says where its keys are', headed({ kid: 'evil-2', jku: 'https://evil.example.com/jwks' }, stranger)],
    ['says where its certificate is', headed({ kid: 'evil-3', x5u: 'https://evil.example.com/cert.pem' }, stranger)],
    ['names a file as its key', headed({ kid: '../../dev/null' }, stranger)],
    ['names an empty key', headed({ kid: '' }, stranger)],
    ['names a number as its key', headed({ kid: 7 }, stranger)],
    ['has an empty list of such extensions', headed({ crit: [] })],
    ['has an extension that must be understood', headed({ crit: ['exp-2'], 'exp-2': now })],
  ];
  const forms: readonly (readonly [string, string])[] = [
    ['is not a JWT', 'x'],
    ['is only dots', '..'],
    ['has two parts', `${head}.${payload}`],
  ];
  const all = [...times, ...callers, ...places, ...types, ...algorithms, ...signatures, ...unknown, ...forms];
  return all.map(([name, text]) => ({ name: `one that ${name}`, text }));
}

/** Forgeries that each name a key that is not published. */
export function strangersAssertions({ header, claims }: Subject, count: number): readonly string[] {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return Array.from({ length: count }, (_, i) => {
    const text = `${encode({ ...header, kid: `stranger-${i}` })}.${encode(claims)}`;
    return `${text}.${es256(text, privateKey).toString('base64url')}`;
  });
}
