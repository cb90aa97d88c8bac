import type { TokenProvider } from '../../../../src/token/types.ts';
import type { Expected } from '../case.ts';

/**
 * The expected results of tokens, as data: one line each, run in Node, in the njs command and in nginx. `../build.ts`
 * makes the tokens.
 */
export interface Spec {
  readonly name: string;
  readonly make: (m: Maker) => string;
  readonly expect: Expected['outcome'];
  readonly detail?: string | null;
  readonly ed25519?: true;
  /** Changes to the provider. */
  readonly provider?: Partial<TokenProvider>;
  /** A second provider on the host. */
  readonly second?: Partial<TokenProvider>;
  /** Another key set than the usual one: a name in `build.ts`. */
  readonly keys?:
    | 'none yet'
    | 'two of one kid'
    | 'without kid'
    | 'five without kid'
    | 'one of each type without kid'
    | 'one without kid, one with'
    | 'unusable'
    | 'private';
}

/** The token builder for a spec. */
export interface Maker {
  /** Signed by RS256 with the key `rsa` by default; claims are the usual ones with these changes. */
  token(parts?: TokenChange): string;
  /** Replaces one of the three parts (0, 1, 2) of a token. */
  part(token: string, index: number, change: (text: string, bytes: Uint8Array) => string | Uint8Array): string;
  /** A token of any header text. */
  headed(header: string | Uint8Array): string;
  /** A token of any payload text, with a valid signature. */
  loaded(payload: string | Uint8Array): string;
  /** A public key as JSON. */
  jwk(key: string): Record<string, unknown>;
}

export interface TokenChange {
  readonly alg?: string;
  readonly key?: string;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signAs?: string;
}

/** The clock of every spec. */
export const now = 1_800_000_000;
export const skew = 30;

export const usualProvider: TokenProvider = {
  name: 'main',
  kind: 'generic',
  issuer: 'https://issuer.example.com',
  audiences: ['api://wiki'],
  algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
  subject: { claim: 'sub', prefix: '' },
};

export const usualClaims = {
  iss: 'https://issuer.example.com',
  aud: 'api://wiki',
  sub: 'alice',
  iat: now - 60,
  exp: now + 600,
};

/** One line of a list of specs. */
export function spec(
  name: string,
  expect: Spec['expect'],
  make: Spec['make'],
  more: Omit<Spec, 'name' | 'expect' | 'make'> = {},
): Spec {
  return { name, expect, make, ...more };
}

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

export const text = (data: Uint8Array): string => String.fromCharCode(...data);

/** Changes one bit. */
export const flip = (_: string, data: Uint8Array): Uint8Array =>
  data.map((byte, index) => (index === 9 ? byte ^ 1 : byte));

/** Replaces the last character by one that differs in unused bits only. */
export function looseEnd(encoded: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return encoded.slice(0, -1) + alphabet[alphabet.indexOf(encoded[encoded.length - 1]!) + 1];
}
