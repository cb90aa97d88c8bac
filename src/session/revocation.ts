import { composed } from '../composed.ts';
import { claimAt } from '../token/claim-at.ts';
import type { TokenProvider } from '../token/types.ts';
import { sha256 } from './flow/random.ts';
import type { Revocation } from './store.ts';
import type { SessionClaims } from './types.ts';

/*
 * Revocations as they lie in the dict zone `meshgate_revoked`: kind and value with the time before which it holds, for as
 * long as anything lives that it calls back.
 */

/** What a credential can be called back by. */
export interface Revocable {
  /** Name of the provider, and the subject as services see it; absent: it is not known yet whose the credential is. */
  readonly provider?: string;
  readonly subject?: string;
  /** The `sub` claim where that is another. */
  readonly sub?: string;
  /** Ids of the session, and of the provider's own. */
  readonly sid?: string;
  readonly psid?: string;
  /** Names of the key: a token's `kid` and the thumbprint, or the ring's key. */
  readonly kids: readonly (string | undefined)[];
  readonly jti?: string;
  /** When it was issued (a token's `iat`), or the session began; seconds since the epoch. Not known: 0. */
  readonly at: number;
}

/** Longest value that is kept as it is. Keys of a dict take room, and an answer of etcd is read to a limit only. */
const MAX_VALUE_LENGTH = 256;

/** Texts that take one byte a character, wherever they are kept. */
const PLAIN = /^[\n\x20-\x7e]*$/;

/** A value as it is kept: itself, or its hash where it is long or has other characters. */
function kept(...parts: readonly string[]): string {
  const value = composed(...parts);
  return value.length <= MAX_VALUE_LENGTH && PLAIN.test(value) ? value : `sha256 ${sha256(value)}`;
}

/** Whether a text is the value of a revocation: what {@link ofAny} and {@link ofProvider} make. */
export const isRevocationValue = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_VALUE_LENGTH && PLAIN.test(value);

/** The value of a revocation of a session, a key or a token. */
export const ofAny = (id: string): string => kept(id);

/**
 * The value of a revocation of what only one provider's credentials have: a subject, the provider's own session.
 *
 * @param value the subject with or without the provider's prefix; the provider's session id
 */
export const ofProvider = (provider: string, value: string): string => kept(provider, value);

/** Key of a revocation in the dict. */
export const revocationKey = (kind: Revocation['kind'], value: string): string => composed(kind) + value;

/** Value of a revocation in the dict. */
export const revocationValue = ({ before }: Pick<Revocation, 'before'>): string => String(before);

/** The later of two cut-offs: a revocation never shortens one that is there. */
export const laterValue = (value: string, present: string | undefined): string =>
  present !== undefined && Number(present) > Number(value) ? present : value;

/** What is looked up for a credential, in the order of the look-ups. */
function keysOf({ provider, subject, sub, sid, psid, kids, jti }: Revocable): string[] {
  const keys: string[] = [];
  if (provider !== undefined) {
    if (subject !== undefined) keys.push(revocationKey('sub', ofProvider(provider, subject)));
    if (sub !== undefined && sub !== subject) keys.push(revocationKey('sub', ofProvider(provider, sub)));
    if (psid !== undefined) keys.push(revocationKey('psid', ofProvider(provider, psid)));
  }
  if (sid !== undefined) keys.push(revocationKey('sid', ofAny(sid)));
  if (jti !== undefined) keys.push(revocationKey('jti', ofAny(jti)));
  for (const kid of kids) if (kid !== undefined) keys.push(revocationKey('kid', ofAny(kid)));
  return keys;
}

/**
 * Whether a credential was called back.
 *
 * @param look gives the value of a key in the dict
 */
export function isRevoked(look: (key: string) => string | undefined, what: Revocable): boolean {
  for (const key of keysOf(what)) {
    const before = look(key);
    // What cannot be read holds.
    if (before !== undefined && !(what.at >= Number(before))) return true;
  }
  return false;
}

/**
 * When something begins that begins now, with whatever is called back here known: a cut-off lies at the end of its second,
 * and would hold for who signs in again within the same one.
 *
 * @param look gives the value of a key in the dict
 * @returns seconds since the epoch; `what.at`, or at most one more
 */
export function beginning(look: (key: string) => string | undefined, what: Revocable): number {
  let begins = what.at;
  for (const key of keysOf(what)) {
    const before = Number(look(key));
    if (before > begins && before <= what.at + 1) begins = before;
  }
  return begins;
}

const usual = { subject: { claim: 'sub', prefix: '' } } as const;

/**
 * What a session can be called back by.
 *
 * @param provider the session's; absent: the policy has it no more
 * @param kid of the ring's key that its cookie is sealed with; absent where that is not known
 */
export function revocableSession(
  { provider, sid, psid, since, claims }: SessionClaims,
  { subject }: Pick<TokenProvider, 'subject'> = usual,
  kid?: string,
): Revocable {
  const { sub } = claims;
  return {
    provider,
    subject: `${subject.prefix}${claimAt(claims, subject.claim)}`,
    ...(typeof sub === 'string' && { sub }),
    sid,
    ...(psid !== undefined && { psid }),
    kids: [kid],
    at: since,
  };
}
