/** Faults in the tokens and answers of the faulty provider; all of it is JSON. */

/** The new value of a member: null removes it, `{ $now: -60 }` is a time a minute ago, any other value is used as it
 * is. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * The signer: the published key, the one that follows it, an unknown one (under the published one's kid), an EC key,
 * the client's secret (HS256), none (alg none), or the published or EC key with a broken signature.
 */
export type Signer = 'main' | 'next' | 'stranger' | 'ec' | 'secret' | 'none' | 'spoilt' | 'spoilt-ec';

export interface TokenAlteration {
  readonly claims?: Members;
  readonly header?: Members;
  readonly signer?: Signer;
}

export interface Alterations {
  /** The person who signs in, without a form; default `ada`. */
  readonly person?: string;
  /** Members of the discovery document. */
  readonly discovery?: Members;
  /** Published keys, in order; default the main one. `kids: false`: without their names. */
  readonly jwks?: { readonly keys?: readonly ('main' | 'next' | 'ec')[]; readonly kids?: boolean };
  /** Parameters of the callback: a list is sent as several parameters. `error` there means no code. */
  readonly callback?: Readonly<Record<string, string | readonly string[] | null>>;
  /** The answer of the token endpoint: another status, other members, or any text instead. */
  readonly token?: { readonly status?: number; readonly members?: Members; readonly text?: string };
  readonly idToken?: TokenAlteration;
  /** The ID token of a refresh, in addition to the faults of `idToken`. */
  readonly refreshed?: TokenAlteration;
  readonly userinfo?: { readonly status?: number; readonly claims?: Members; readonly text?: string };
  /** Parameters of the return from a sign-out. */
  readonly signedOut?: Readonly<Record<string, string | null>>;
}

/** The object with members changed, added or removed. */
export function altered(object: Members, members: Members = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const result: Record<string, unknown> = { ...object };
  for (const [name, value] of Object.entries(members)) {
    if (value === null) delete result[name];
    else if (typeof value === 'object' && '$now' in value) result[name] = now + Number(value.$now);
    else result[name] = value;
  }
  return result;
}
