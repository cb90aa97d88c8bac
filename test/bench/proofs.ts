import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { Signer } from './tokens.ts';

/** Credentials of one client with a bound token: the same token each time, and a new proof each time. */
export interface Prover {
  /** So many, as load.lua takes them: `DPoP~TOKEN~PROOF`. */
  readonly proofs: (count: number) => readonly string[];
}

const b64 = (value: string | Buffer): string => Buffer.from(value as string).toString('base64url');

/** Proofs are made on demand, because a proof is valid for a minute. */
export async function createProver(signer: Signer, url: string): Promise<Prover> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
  const jkt = sha256(JSON.stringify({ crv, kty, x, y }));
  const [token] = (await signer.sign('RS256', 1, { cnf: { jkt } })) as [string];
  const head = b64(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: { crv, kty, x, y } }));
  const ath = sha256(token);
  let serial = 0;
  const one = (): string => {
    const jti = `3d2e8f0a-51c7-4b9e-a1d4-${String(++serial).padStart(12, '0')}`;
    const claims = { jti, htm: 'GET', htu: url, iat: Math.floor(Date.now() / 1000), ath };
    const input = `${head}.${b64(JSON.stringify(claims))}`;
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `DPoP~${token}~${input}.${b64(signature)}`;
  };
  return { proofs: (count) => Array.from({ length: count }, one) };
}
