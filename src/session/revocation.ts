import { composed } from '../composed.ts';
import { MAX_NUMERIC_DATE } from '../limits.ts';
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
  /** How far ahead the clock may be by which that was said, seconds. */
  readonly skew?: number;
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

/** What a revocation says beside its name. */
export type Said = Pick<Revocation, 'before' | 'until' | 'made' | 'ended'>;

/** A session among those that ended: few characters, since a person's are kept in one entry. */
export const endedName = (kind: 'sid' | 'psid', value: string): string =>
  sha256(revocationKey(kind, value)).slice(0, 12);

/** Most sessions that are kept one by one for a person. With one more, all of the person's until now are revoked. */
export const MAX_ENDED = 16;

/** Text of a revocation in the dict: cut-off, end and time, then the sessions that ended. */
export const saidText = ({ before, until, made, ended = [] }: Said): string =>
  [before, until, made, ...ended].join(' ');

/** A number as {@link saidText} writes it. */
function numberIn(text: string | undefined, fallback: number): number {
  const number = Number(text);
  return text === undefined || text === '' || Number.isNaN(number) ? fallback : number;
}

/** What a text of {@link saidText} says. What cannot be read holds for everything, and for ever. */
export function readSaid(text: string): Said {
  const [before, until, made, ...ended] = text.split(' ');
  return {
    before: numberIn(before, MAX_NUMERIC_DATE),
    until: numberIn(until, MAX_NUMERIC_DATE),
    made: numberIn(made, 0),
    ...(ended.length > 0 && { ended }),
  };
}

/**
 * Two revocations of the same name as one: it holds for all that either holds for, and as long as the one that holds
 * longer. None is ever shortened by another.
 */
export function mergedSaid(one: Said, other: Said | undefined): Said {
  if (other === undefined) return one;
  const before = Math.max(one.before, other.before);
  const until = Math.max(one.until, other.until);
  const made = Math.max(one.made, other.made);
  const ended = [...new Set([...(other.ended ?? []), ...(one.ended ?? [])])];
  if (ended.length === 0) return { before, until, made };
  if (ended.length <= MAX_ENDED) return { before, until, made, ended };
  // All sessions that began until now, those in the list among them.
  return { before: Math.max(before, Math.floor(made) + 1), until, made };
}

/**
 * Name of the entry that stands for revocations that had to make room: whatever was issued before its cut-off is
 * revoked.
 */
export const FLOOR = composed('floor');

/** What is looked up for a credential, in the order of the look-ups. */
function keysOf(what: Revocable): string[] {
  const { provider, subject, sub, sid, psid, kids, jti } = what;
  const keys: string[] = [];
  if (provider !== undefined) {
    if (subject !== undefined) keys.push(revocationKey('sub', ofProvider(provider, subject)));
    if (sub !== undefined && sub !== subject) keys.push(revocationKey('sub', ofProvider(provider, sub)));
    if (psid !== undefined) keys.push(revocationKey('psid', ofProvider(provider, psid)));
  }
  if (sid !== undefined) keys.push(revocationKey('sid', ofAny(sid)));
  if (jti !== undefined) keys.push(revocationKey('jti', ofAny(jti)));
  for (const kid of kids) if (kid !== undefined) keys.push(revocationKey('kid', ofAny(kid)));
  // Of a key alone it is not known yet what it sealed.
  if (subject !== undefined) keys.push(FLOOR);
  return keys;
}

/** Value of the revocation with the sessions of a person that ended one by one. */
export const personOf = ({ provider = '', subject = '', sub = subject }: Revocable): string =>
  ofProvider(provider, sub);

const outKey = (what: Revocable): string => revocationKey('out', personOf(what));

/** Whether a session is among those of its person that ended. */
function hasEnded(look: (key: string) => string | undefined, what: Revocable): boolean {
  const { sid, psid, provider = '' } = what;
  if (sid === undefined) return false;
  const text = look(outKey(what));
  if (text === undefined) return false;
  const { before, ended = [] } = readSaid(text);
  if (isBefore(what, before) || ended.includes(endedName('sid', ofAny(sid)))) return true;
  return psid !== undefined && ended.includes(endedName('psid', ofProvider(provider, psid)));
}

/** Whether a credential is from before a cut-off. One that cannot be read holds. */
const isBefore = ({ at, skew = 0 }: Revocable, before: number): boolean => !(at >= before + skew);

/**
 * Whether a credential was called back.
 *
 * @param look gives the value of a key in the dict
 */
export function isRevoked(look: (key: string) => string | undefined, what: Revocable): boolean {
  for (const key of keysOf(what)) {
    const text = look(key);
    if (text !== undefined && isBefore(what, readSaid(text).before)) return true;
  }
  return hasEnded(look, what);
}

/**
 * When a session begins that begins now, with whatever is called back here known: a cut-off lies at the end of its second,
 * and holds for sessions that began by a clock that is ahead. Both would hold for someone who signs in again.
 *
 * @param look gives the value of a key in the dict
 * @returns seconds since the epoch; `what.at`, or later by a second and twice the skew at most
 */
export function beginning(look: (key: string) => string | undefined, what: Revocable): number {
  const { at, skew = 0 } = what;
  let begins = at;
  for (const key of [...keysOf(what), outKey(what)]) {
    const text = look(key);
    const before = text === undefined ? 0 : readSaid(text).before;
    if (before <= at + 1 + skew && before + skew > begins) begins = before + skew;
  }
  return begins;
}

const usual = { subject: { claim: 'sub', prefix: '' } } as const;

/**
 * What a session can be called back by.
 *
 * @param provider the session's; absent: the policy has it no more
 * @param skew seconds by which clocks of replicas may differ
 * @param kid of the ring's key that its cookie is sealed with; absent where that is not known
 */
export function revocableSession(
  { provider, sid, psid, since, claims }: SessionClaims,
  { subject }: Pick<TokenProvider, 'subject'> = usual,
  skew = 0,
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
    skew,
  };
}
