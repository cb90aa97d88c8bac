import { createHash, randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';

/** A client's key, which tokens are bound to. */
export interface ProofKey {
  readonly alg: string;
  readonly privateKey: GenerateKeyPairResult['privateKey'];
  readonly jwk: JWK;
  readonly privateJwk: JWK;
  /** `cnf.jkt` of tokens that are bound to it. */
  readonly jkt: string;
}

export async function createProofKey(alg = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { alg, privateKey, jwk, privateJwk: await exportJWK(privateKey), jkt: await calculateJwkThumbprint(jwk) };
}

/** The claims of a proof; a value of undefined removes a member. */
export interface ProofWish {
  readonly method?: string;
  readonly url: string;
  /** The token that it is sent with; absent: it is for a token endpoint. */
  readonly token?: string;
  readonly nonce?: string | undefined;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Signs a DPoP proof (RFC 9449 section 4.2). Nothing is checked, so that invalid ones can be made. */
export function signProof(key: ProofKey, wish: ProofWish): Promise<string> {
  const { method = 'GET', url, token, nonce } = wish;
  const claims = {
    ...{ jti: randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), nonce },
    ...(token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }),
    ...wish.claims,
  };
  const header = { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...wish.header };
  return new SignJWT(JSON.parse(JSON.stringify(claims))).setProtectedHeader(header).sign(key.privateKey);
}

/** The headers of a request with a token and a proof. */
export const withProof = (token: string, proof: string): Record<string, string> => ({
  Authorization: `DPoP ${token}`,
  DPoP: proof,
});
