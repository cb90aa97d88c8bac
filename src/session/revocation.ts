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
  /** When it was issued (a token's `iat`), or the sign-in of the session began; seconds since the epoch. Not known: 0. */
  readonly at: number;
  /** Cut-offs up to this one were known when the session began: they do not hold for it. */
  readonly cut?: number;
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

/**
 * The name of a session of the provider's that ended now. It may go on there: only what began before is revoked, so the
 * name has the cut-off with it.
 */
export const endedUntil = (provider: string, psid: string, now: number): string =>
  `${endedName('psid', ofProvider(provider, psid))}.${(Math.floor(now) + 1).toString(36)}`;

/** The form of both names. */
export const ENDED_NAME = /^[\w-]{12}(\.[0-9a-z]{1,8})?$/;

/**
 * Most names of sessions that are kept one by one for a person: with the times they fit into 256 bytes, a size in which
 * nginx keeps room. With one more, all of the person's sessions until now are revoked.
 */
export const MAX_ENDED = 14;

/** Text of a revocation in the dict: cut-off, end and time, then the sessions that ended. */
export const saidText = ({ before, until, made, ended = [] }: Said): string =>
  [before, until, made, ...ended].join(' ');

/** Whether a name of a session that ended says more than a cut-off for all of the person's sessions. */
const saysMore = (name: string, before: number): boolean =>
  !name.includes('.') || !(Number.parseInt(name.slice(name.indexOf('.') + 1), 36) <= before);

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
  const names = new Set([...(other.ended ?? []), ...(one.ended ?? [])]);
  const ended = [...names].filter((name) => saysMore(name, before));
  if (ended.length === 0) return { before, until, made };
  const said = { before, until, made, ended };
  return ended.length <= MAX_ENDED ? said : withoutList(said);
}

/** A revocation of sessions as one of all the person's that began until now, those in its list among them: it is shorter. */
export const withoutList = ({ before, until, made }: Said): Said => ({
  before: Math.max(before, Math.floor(made) + 1),
  until,
  made,
});

/**
 * Name of the entry that stands for revocations that had to make room: whatever was issued before its cut-off is
 * revoked.
 */
export const FLOOR = composed('floor');

/** The same for revocations of providers' sessions without a person: it holds for sessions that a provider named. */
export const PSID_FLOOR = composed('floor', 'psid');

/** Names of the very credential, and of its keys: what has one of them is revoked whatever time it says of itself. */
function namesOf({ sid, kids, jti }: Revocable): string[] {
  const keys: string[] = [];
  if (sid !== undefined) keys.push(revocationKey('sid', ofAny(sid)));
  if (jti !== undefined) keys.push(revocationKey('jti', ofAny(jti)));
  for (const kid of kids) if (kid !== undefined) keys.push(revocationKey('kid', ofAny(kid)));
  return keys;
}

/** Names of what comes again: what was issued before the cut-off is revoked. */
function cutOffsOf({ provider, subject, sub, psid }: Revocable): string[] {
  const keys: string[] = [];
  if (provider !== undefined) {
    if (subject !== undefined) keys.push(revocationKey('sub', ofProvider(provider, subject)));
    if (sub !== undefined && sub !== subject) keys.push(revocationKey('sub', ofProvider(provider, sub)));
    if (psid !== undefined) keys.push(revocationKey('psid', ofProvider(provider, psid)), PSID_FLOOR);
  }
  // Of a key alone it is not known yet what it sealed.
  if (subject !== undefined) keys.push(FLOOR);
  return keys;
}

/** Value of the revocation with the sessions of a person that ended one by one. */
export const personOf = ({ provider = '', subject = '', sub = subject }: Revocable): string =>
  ofProvider(provider, sub);

const outKey = (what: Revocable): string => revocationKey('out', personOf(what));

/** The cut-off in a list for a session of the provider's; a name without one is of the session for ever. */
function cutOffIn(ended: readonly string[], name: string): number | undefined {
  let cutOff: number | undefined;
  for (const one of ended) {
    if (!one.startsWith(name)) continue;
    const at = one.length === name.length ? MAX_NUMERIC_DATE : Number.parseInt(one.slice(name.length + 1), 36);
    if (cutOff === undefined || !(at <= cutOff)) cutOff = at;
  }
  return cutOff;
}

/** The cut-offs for a session among those of its person that ended. */
function endedCutOffs({ psid, provider = '' }: Revocable, { before, ended = [] }: Said): readonly number[] {
  const ofOne = psid === undefined ? undefined : cutOffIn(ended, endedName('psid', ofProvider(provider, psid)));
  return ofOne === undefined ? [before] : [before, ofOne];
}

/** Whether a session is among those of its person that ended. */
function hasEnded(look: (key: string) => string | undefined, what: Revocable, now: number): boolean {
  const { sid } = what;
  if (sid === undefined) return false;
  const text = look(outKey(what));
  if (text === undefined) return false;
  const said = readSaid(text);
  if (said.ended?.includes(endedName('sid', ofAny(sid)))) return true;
  return endedCutOffs(what, said).some((before) => isBefore(what, before, now));
}

/**
 * Whether a credential is from before a cut-off. A time that cannot be read, or is later than any clock may say, makes it
 * one: anyone who can seal chooses it.
 */
function isBefore({ at, cut = 0, skew = 0 }: Revocable, before: number, now: number): boolean {
  const latest = now + 2 * skew + 1;
  if (!(at <= latest && cut <= latest)) return true;
  return before > cut && at < before + skew;
}

/**
 * Whether a credential was called back.
 *
 * @param look gives the value of a key in the dict
 * @param now seconds since the epoch
 */
export function isRevoked(look: (key: string) => string | undefined, what: Revocable, now: number): boolean {
  for (const key of namesOf(what)) if (look(key) !== undefined) return true;
  for (const key of cutOffsOf(what)) {
    const text = look(key);
    if (text !== undefined && isBefore(what, readSaid(text).before, now)) return true;
  }
  return hasEnded(look, what, now);
}

/**
 * The latest cut-off that was there when a sign-in began, of those that are known here. A cut-off lies at the end of its
 * second, and holds for sessions that began by a clock that is ahead: both would hold for someone who signs in again.
 *
 * @param look gives the value of a key in the dict
 * @returns for {@link Revocable.cut}; 0: there is none
 */
export function cutBefore(look: (key: string) => string | undefined, what: Revocable): number {
  let cut = 0;
  const note = (before: number) => {
    if (before <= what.at + 1 && before > cut) cut = before;
  };
  for (const key of cutOffsOf(what)) {
    const text = look(key);
    if (text !== undefined) note(readSaid(text).before);
  }
  const out = look(outKey(what));
  if (out !== undefined) endedCutOffs(what, readSaid(out)).forEach(note);
  return cut;
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
  { provider, sid, psid, since, cut, claims }: SessionClaims,
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
    ...(cut !== undefined && { cut }),
    skew,
  };
}
