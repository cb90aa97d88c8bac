/** What the misbehaving provider's tokens and answers are altered by; all of it is JSON. */

/** A member's new value: null takes it out, `{ $now: -60 }` is a time a minute ago, anything else stands as it is. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * Who signs: the published key, the one that follows it, an unknown one (under the published one's kid), an EC
 * key, the client's secret (HS256), none (alg none), or the published or EC key with the signature spoilt.
 */
export type Signer = 'main' | 'next' | 'stranger' | 'ec' | 'secret' | 'none' | 'spoilt' | 'spoilt-ec';

export interface TokenAlteration {
  readonly claims?: Members;
  readonly header?: Members;
  readonly signer?: Signer;
}

export interface Alterations {
  /** Who signs in, without being asked; default `ada`. */
  readonly person?: string;
  /** Members of the discovery document. */
  readonly discovery?: Members;
  /** Keys that are published, in order; default the main one. `kids: false`: without their names. */
  readonly jwks?: { readonly keys?: readonly ('main' | 'next' | 'ec')[]; readonly kids?: boolean };
  /** Parameters of the answer that goes to the callback: a list stands several times. `error` there means no code. */
  readonly callback?: Readonly<Record<string, string | readonly string[] | null>>;
  /** The token endpoint's answer: another status, other members, or any text instead. */
  readonly token?: { readonly status?: number; readonly members?: Members; readonly text?: string };
  readonly idToken?: TokenAlteration;
  /** The ID token that comes with a refresh, over what `idToken` says. */
  readonly refreshed?: TokenAlteration;
  readonly userinfo?: { readonly status?: number; readonly claims?: Members; readonly text?: string };
  /** Parameters of the way back from sign-out. */
  readonly signedOut?: Readonly<Record<string, string | null>>;
}

/** The object with members changed, added or taken out. */
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
