import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { audience, group } from './policy.ts';

export type Alg = 'RS256' | 'ES256';

/** Signs the benchmark's tokens. */
export interface Signer {
  readonly issuer: string;
  readonly jwks: { readonly keys: readonly object[] };
  /** The RSA key, as the C module wants it. */
  readonly rsaPem: string;
  /** Returns `count` new tokens. */
  sign(alg: Alg, count: number, more?: Readonly<Record<string, unknown>>): Promise<string[]>;
}

/** How many signatures wait for a thread at once. */
const batch = 512;

/** @param now seconds since the epoch */
export async function createSigner(issuer: string, now: number): Promise<Signer> {
  const pairs = {
    RS256: await generateKeyPair('RS256', { modulusLength: 2048, extractable: true }),
    ES256: await generateKeyPair('ES256', { extractable: true }),
  };
  let serial = 0;
  const one = (alg: Alg, more: Readonly<Record<string, unknown>>) => {
    const jti = String(++serial).padStart(8, '0');
    return new SignJWT({ ...claimsOf(jti), ...more })
      .setProtectedHeader({ alg, typ: 'at+jwt', kid: alg })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + 86400)
      .sign(pairs[alg].privateKey);
  };
  const publicKey = async (alg: Alg) => ({ ...(await exportJWK(pairs[alg].publicKey)), kid: alg, alg, use: 'sig' });
  return {
    issuer,
    jwks: { keys: [await publicKey('RS256'), await publicKey('ES256')] },
    rsaPem: await exportSPKI(pairs.RS256.publicKey),
    async sign(alg, count, more = {}) {
      const tokens: string[] = [];
      while (tokens.length < count) {
        const some = Array.from({ length: Math.min(batch, count - tokens.length) }, () => one(alg, more));
        tokens.push(...(await Promise.all(some)));
      }
      return tokens;
    },
  };
}

/** Similar to an access token of Keycloak or Okta; of equal length for all serial numbers of eight digits. */
export function claimsOf(jti: string) {
  return {
    jti: `5b2f7c1e-8a0d-4f6b-9d43-${jti}`,
    sub: `00u1a2b3c4-${jti}`,
    azp: 'bench-client',
    scope: 'openid profile email',
    email: `person-${jti}@example.com`,
    email_verified: true,
    name: 'A Person Of The Benchmark',
    groups: ['everyone', 'staff', group, 'berlin-office', 'on-call'],
  };
}

/** The same token with another signature of the right length, or the same cookie with another tag. */
export function forged(token: string): string {
  if (token.startsWith('__Host-'))
    return `${token.slice(0, -10)}${token.at(-10) === 'A' ? 'B' : 'A'}${token.slice(-9)}`;
  const [head, payload, signature, ...rest] = token.split('.') as [string, string, string];
  const other = signature[10] === 'A' ? 'B' : 'A';
  return [head, payload, `${signature.slice(0, 10)}${other}${signature.slice(11)}`, ...rest].join('.');
}

/** The input of the load generator: one line for each token, with the paths in turn. */
export function linesOf(paths: readonly string[], tokens: readonly (string | undefined)[]): string {
  return tokens.map((token, i) => `${paths[i % paths.length]} ${token ?? '-'}\n`).join('');
}

/** Walks forward through a list of tokens: it returns each token once. */
export function walk(tokens: readonly string[]): (count: number) => readonly string[] {
  let at = 0;
  return (count) => {
    if (at + count > tokens.length) throw new Error(`${tokens.length} tokens are signed, and more are asked for`);
    at += count;
    return tokens.slice(at - count, at);
  };
}
