import type { TokenProvider } from '../../../src/token/types.ts';
import type { Vector } from '../../vectors.ts';
import type { TokenCase } from './case.ts';
import { b64, jwks, type KeyName, makeToken, privateJwk, publicJwk } from './maker.ts';
import { type Maker, now, type Spec, skew, usualClaims, usualProvider } from './specs/spec.ts';

/** The usual key set: each key under its own name, `pss` bound to PS256, `enc` for encryption, `weak` too short. */
const usualKeys = (): string =>
  jwks(
    publicJwk('rsa'),
    publicJwk('rsa3072'),
    publicJwk('p256', { use: 'sig' }),
    publicJwk('p384', { alg: 'ES384' }),
    publicJwk('p521', { key_ops: ['verify'] }),
    publicJwk('ed'),
    publicJwk('pss', { alg: 'PS256' }),
    publicJwk('enc', { use: 'enc' }),
    publicJwk('weak'),
  );

const noKid = (name: KeyName) => publicJwk(name, { kid: undefined });

const keySets: Readonly<Record<Exclude<Spec['keys'], undefined | 'none yet'>, () => string>> = {
  'two of one kid': () => jwks(publicJwk('rsa', { kid: 'one' }), publicJwk('rsa2', { kid: 'one' })),
  'without kid': () => jwks(noKid('p256'), noKid('p256b')),
  'five without kid': () =>
    jwks(noKid('rsa2'), noKid('rsa3072'), noKid('pss'), publicJwk('enc', { kid: undefined }), noKid('rsa')),
  'one of each type without kid': () => jwks(noKid('p256'), noKid('rsa')),
  'one without kid, one with': () => jwks(noKid('p256'), publicJwk('rsa')),
  unusable: () =>
    jwks(publicJwk('weak'), { kty: 'oct', k: 'AAAA', kid: 'rsa' }, { kty: 'RSA', kid: 'rsa', n: '!', e: 'AQAB' }),
  private: () => jwks(privateJwk('rsa')),
};

const maker: Maker = {
  token: ({ claims, key, ...rest } = {}) =>
    makeToken({ ...rest, key: (key ?? 'rsa') as KeyName, claims: { ...usualClaims, ...claims } }),
  part(token, index, change) {
    const parts = token.split('.');
    const changed = change(parts[index]!, Buffer.from(parts[index]!, 'base64url'));
    const isEncoded = typeof changed === 'string' && (index === 2 || !/[{"]/.test(changed));
    parts[index] = isEncoded ? changed : b64(changed);
    return parts.join('.');
  },
  headed: (header) => makeToken({ rawHeader: header, claims: usualClaims }),
  loaded: (payload) => makeToken({ rawPayload: payload }),
  jwk: (key) => publicJwk(key as KeyName),
};

const second: TokenProvider = { ...usualProvider, name: 'second', issuer: 'https://second.example.com' };

/** Makes a spec's token and the data that it is checked with. */
export function buildCase(spec: Spec): TokenCase {
  const keys: Record<string, string> = {};
  if (spec.keys !== 'none yet') keys.main = (spec.keys === undefined ? usualKeys : keySets[spec.keys])();
  if (spec.second) keys.second = jwks(publicJwk('rsa2'));
  return {
    name: spec.name,
    token: spec.make(maker),
    providers: [{ ...usualProvider, ...spec.provider }, ...(spec.second ? [{ ...second, ...spec.second }] : [])],
    keys,
    now,
    skew,
    expected: {
      outcome: spec.expect,
      ...(spec.detail !== undefined && { detail: spec.detail }),
      ...(spec.ed25519 && { ed25519: true as const }),
    },
  };
}

/** A vector as a case: its group's keys are those of the only provider. */
export function vectorCase(vector: Vector): TokenCase {
  const provider = {
    ...usualProvider,
    issuer: vector.issuer ?? usualProvider.issuer,
    audiences: [vector.audience ?? 'api://wiki'],
  };
  const keys = { main: JSON.stringify(vector.jwks) };
  return { name: vector.id, token: vector.token, providers: [provider], keys, now, skew, expected: vector.expected };
}
