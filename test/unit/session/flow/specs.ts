import {
  type ClientKey,
  readClientKey,
  shownSecrets,
  signClientAssertion,
} from '../../../../src/session/flow/client-assertion.ts';
import { verifyIdToken } from '../../../../src/session/flow/id-token.ts';
import { formText, parseParams } from '../../../../src/session/flow/query.ts';
import { randomText, sha256 } from '../../../../src/session/flow/random.ts';
import { safeReturn } from '../../../../src/session/flow/signin-request.ts';
import type { ProviderTokenContext } from '../../../../src/session/provider-token.ts';
import { parseHeader, splitJws } from '../../../../src/token/format.ts';
import { algorithms } from '../../../../src/token/keys/algorithms.ts';
import { readKeySet } from '../../../../src/token/keys/jwks.ts';
import { verifySignature } from '../../../../src/token/signature.ts';
import type { ProviderKey } from '../../../../src/token/types.ts';

/*
 * The parts of a sign-in that an engine can get wrong: signing as a client, hashes, patterns, encodings. Plain values,
 * no Node in here; keys are the engine's own.
 */

interface Spec {
  readonly name: string;
  readonly got: () => unknown;
  readonly wanted: unknown;
}

const encoder = new TextEncoder();
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };

/** The parameters of a key for an algorithm. */
const generated: Readonly<Record<string, object>> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', ...rsa },
  RS512: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512', ...rsa },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', ...rsa },
};

interface Pair {
  readonly client: ClientKey;
  readonly keys: readonly ProviderKey[];
}

/** A private key as the gateway reads it from its file, and its public part as a provider reads it. */
async function pairFor(alg: string): Promise<Pair> {
  const { subtle } = crypto;
  const made = (await subtle.generateKey(generated[alg] as never, true, ['sign', 'verify'])) as unknown as {
    privateKey: never;
  };
  const { kty, crv, x, y, n, e, ...secret } = (await subtle.exportKey('jwk', made.privateKey)) as unknown as Record<
    string,
    unknown
  >;
  const open = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, it]) => it !== undefined));
  const { d, p, q, dp, dq, qi } = secret;
  const client = await readClientKey(JSON.stringify({ keys: [{ ...open, d, p, q, dp, dq, qi, alg, kid: alg }] }));
  if (typeof client === 'string') throw new Error(client);
  const set = await readKeySet(JSON.stringify({ keys: [{ ...open, kid: alg }] }));
  if (!set.ok) throw new Error(set.error);
  return { client, keys: set.keys };
}

async function holds(text: string, keys: readonly ProviderKey[]): Promise<string> {
  const jws = splitJws(text);
  const header = jws.ok ? parseHeader(jws.header) : jws;
  if (!jws.ok || !header.ok) return 'malformed';
  const signer = await verifySignature(jws, header.value, keys, { imported: new Map() }, (found) => found);
  return signer.ok ? 'holds' : signer.reason;
}

/** HMAC-SHA-256 as RFC 2104 defines it, for a secret of less than 64 bytes, in base64url. */
async function hmac(secret: string, text: string): Promise<string> {
  const padded = (pad: number) => Uint8Array.from({ length: 64 }, (_, i) => (secret.charCodeAt(i) || 0) ^ pad);
  const hash = async (...parts: Uint8Array[]) => {
    const digest = await crypto.subtle.digest('SHA-256', Buffer.concat(parts.map((it) => Buffer.from(it))) as never);
    return new Uint8Array(digest as ArrayBuffer);
  };
  return Buffer.from(await hash(padded(0x5c), await hash(padded(0x36), encoder.encode(text)))).toString('base64url');
}

/** Claims signed as a provider would. */
async function idToken({ client: { alg, key } }: Pair, claims: Record<string, unknown>): Promise<string> {
  const input = `${part({ alg, kid: alg })}.${part(claims)}`;
  const how = algorithms.get(alg)?.verify as never;
  const signature = await crypto.subtle.sign(how, key as never, encoder.encode(input) as never);
  return `${input}.${Buffer.from(signature as ArrayBuffer).toString('base64url')}`;
}

const now = 1_790_000_000;
const accessToken = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';

/** `at_hash` of that token. */
const hashes: Readonly<Record<string, string>> = {
  ES256: '77QmUPtjPfzWtF2AnpK9RQ',
  ES384: 'jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs',
  RS512: 'q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM',
};

async function verdictOf(alg: string, changes: Record<string, unknown> = {}): Promise<string> {
  const pair = await pairFor(alg);
  const context: ProviderTokenContext = {
    provider: { issuer: 'https://issuer.example.com', algorithms: [alg as 'ES256'] },
    clientId: 'wiki',
    keys: pair.keys,
    skew: 30,
    imported: new Map(),
  };
  const claims = {
    iss: 'https://issuer.example.com',
    sub: 'ada',
    aud: 'wiki',
    iat: now,
    exp: now + 60,
    nonce: 'NONCE',
    at_hash: hashes[alg],
    ...changes,
  };
  const result = await verifyIdToken(await idToken(pair, claims), { nonce: 'NONCE', accessToken }, context, now);
  return result.ok ? 'verified' : result.reason;
}

export const flowSpecs: readonly Spec[] = [
  ...Object.keys(generated).map((alg) => ({
    name: `a client assertion by ${alg}`,
    got: async () => {
      const { client, keys } = await pairFor(alg);
      return holds(await signClientAssertion(client, 'wiki', 'https://issuer.example.com', now), keys);
    },
    wanted: 'holds',
  })),
  {
    name: 'a client assertion by a secret',
    got: async () => {
      const client = { id: 'wiki', auth: { kind: 'client_secret_jwt', secretFile: '/s' } } as const;
      const shown = await shownSecrets(client, 's'.repeat(32), 'https://issuer.example.com', now);
      if (typeof shown === 'string' || shown[0] === undefined || !('assertion' in shown[0])) return shown;
      const [header = '', claims = '', signature] = shown[0].assertion.split('.');
      return (await hmac('s'.repeat(32), `${header}.${claims}`)) === signature ? 'holds' : 'differs';
    },
    wanted: 'holds',
  },
  ...Object.keys(hashes).flatMap((alg) => [
    { name: `an ID token by ${alg}`, got: () => verdictOf(alg), wanted: 'verified' },
    { name: `another nonce, by ${alg}`, got: () => verdictOf(alg, { nonce: 'OTHER' }), wanted: 'claim_absent' },
    { name: `another at_hash, by ${alg}`, got: () => verdictOf(alg, { at_hash: 'AAAA' }), wanted: 'signature_invalid' },
  ]),
  {
    name: 'the challenge of RFC 7636, appendix B',
    got: () => sha256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
    wanted: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  },
  {
    name: 'random text',
    got: () => [randomText(16).length, randomText(32).length, new Set([1, 2, 3].map(() => randomText(16))).size],
    wanted: [22, 43, 3],
  },
  {
    name: 'pages to come back to',
    got: () =>
      ['/a?b=//c', '//a', '/\\a', '/%09/a', '/\u2028', '/a;b', '/.meshgate/signout', '/%E2%80%A8x', '/é'].map(
        safeReturn,
      ),
    wanted: ['/a?b=//c', '/', '/', '/', '/', '/', '/', '/', '/'],
  },
  {
    name: 'parameters',
    got: () => [formText([['a b', "é!'()*~&="]]), parseParams('a+b=%C3%A9%21&c'), parseParams('a=%ff') ?? null],
    wanted: [
      'a+b=%C3%A9%21%27%28%29*%7E%26%3D',
      [
        ['a b', 'é!'],
        ['c', ''],
      ],
      null,
    ],
  },
];
