import { claimAt } from '../claim-at.ts';
import { composed } from '../composed.ts';
import { MAX_NUMERIC_DATE } from '../limits.ts';
import type { TokenProvider } from '../token/types.ts';
import { sha256 } from './flow/random.ts';
import type { Revocation } from './store.ts';
import type { SessionClaims } from './types.ts';

/* Revocations as they are kept in the dict zone `meshgate_revoked`. The key is kind and value. The entry says before
 * which time a credential must have been issued to be revoked, and stays as long as such a credential may live. */

/** The properties by which a credential can be revoked. */
export interface Revocable {
  /** Name of the provider, and the subject as services receive it; absent if the caller is not known yet. */
  readonly provider?: string;
  readonly subject?: string;
  /** The `sub` claim, if it differs from the subject. */
  readonly sub?: string;
  /** Ids of the gateway's session and of the provider's session. */
  readonly sid?: string;
  readonly psid?: string;
  /** Names of the key: a token's `kid` and its thumbprint, or the `kid` of the session key. */
  readonly kids: readonly (string | undefined)[];
  readonly jti?: string;
  /** When it was issued (`iat` of a token), or when the session's sign-in began; seconds since the epoch; 0 if not
   * known. */
  readonly at: number;
  /** Cut-offs up to this one were known when the session began. They do not apply to it. */
  readonly cut?: number;
  /** How far ahead the clock of the issuer may be, seconds. */
  readonly skew?: number;
}

/** Longest value that is kept unchanged. Keys of a dict use memory, and the gateway reads answers of etcd only up to a
 * limit. */
const MAX_VALUE_LENGTH = 256;

/** Texts that use one byte per character in every store. */
const PLAIN = /^[\n\x20-\x7e]*$/;

/** A value as it is kept: unchanged, or as a hash if it is long or has other characters. */
function kept(...parts: readonly string[]): string {
  const value = composed(...parts);
  return value.length <= MAX_VALUE_LENGTH && PLAIN.test(value) ? value : `sha256 ${sha256(value)}`;
}

/** Whether a text can be the value of a revocation, as {@link ofAny} and {@link ofProvider} make it. */
export const isRevocationValue = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_VALUE_LENGTH && PLAIN.test(value);

/** The value of a revocation of a session, a key or a token. */
export const ofAny = (id: string): string => kept(id);

/** The value of a revocation that applies to one provider: of a subject, or of the provider's own session.
 *
 * @param value the subject with or without the provider's prefix; the provider's session id
 */
export const ofProvider = (provider: string, value: string): string => kept(provider, value);

/** Key of a revocation in the dict. */
export const revocationKey = (kind: Revocation['kind'], value: string): string => composed(kind) + value;

/** The content of a revocation without its name. */
export type Said = Pick<Revocation, 'before' | 'until' | 'made' | 'ended'>;

/** The short name of an ended session. A person's ended sessions share one entry, so names use few characters. */
export const endedName = (kind: 'sid' | 'psid', value: string): string =>
  sha256(revocationKey(kind, value)).slice(0, 12);

/** The name of a provider's session that has ended now. The session may go on at the provider, so only what began
 * before now is revoked, and the name contains that cut-off. */
export const endedUntil = (provider: string, psid: string, now: number): string =>
  `${endedName('psid', ofProvider(provider, psid))}.${(Math.floor(now) + 1).toString(36)}`;

/** The form of these names. */
export const ENDED_NAME = /^[\w-]{12}(\.[0-9a-z]{1,8})?$/;

/** Most ended sessions that are kept one by one for a person. With their times they fit into 256 bytes, a size in which
 * nginx allocates memory. One more revokes all of the person's sessions until now. */
export const MAX_ENDED = 14;

/** The text of a revocation in the dict: cut-off, end and time, then the ended sessions. */
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

/** Reads a text of {@link saidText}. An unreadable part revokes everything, forever. */
export function readSaid(text: string): Said {
  const [before, until, made, ...ended] = text.split(' ');
  return {
    before: numberIn(before, MAX_NUMERIC_DATE),
    until: numberIn(until, MAX_NUMERIC_DATE),
    made: numberIn(made, 0),
    ...(ended.length > 0 && { ended }),
  };
}

/** Joins two revocations of the same name: the result revokes all that either revokes, and lasts as long as the longer
 * one. */
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

/** Replaces a list of ended sessions by one revocation of all sessions of the person that began until now. That is
 * shorter. */
export const withoutList = ({ before, until, made }: Said): Said => ({
  before: Math.max(before, Math.floor(made) + 1),
  until,
  made,
});

/** Name of the entry that replaces revocations for which there was no room. It revokes whatever was issued before its
 * cut-off. */
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

/** Names that later credentials share. A match revokes only what was issued before the cut-off. */
function cutOffsOf({ provider, subject, sub, psid }: Revocable): string[] {
  const keys: string[] = [];
  if (provider !== undefined) {
    if (subject !== undefined) keys.push(revocationKey('sub', ofProvider(provider, subject)));
    if (sub !== undefined && sub !== subject) keys.push(revocationKey('sub', ofProvider(provider, sub)));
    if (psid !== undefined) keys.push(revocationKey('psid', ofProvider(provider, psid)), PSID_FLOOR);
  }
  // If only the key is known, it is not known yet what it sealed.
  if (subject !== undefined) keys.push(FLOOR);
  return keys;
}

/** Value of the revocation that lists the ended sessions of a person. */
export const personOf = ({ provider = '', subject = '', sub = subject }: Revocable): string =>
  ofProvider(provider, sub);

const outKey = (what: Revocable): string => revocationKey('out', personOf(what));

/** The cut-off of a listed session of the provider. A name without a cut-off ends the session forever. */
function cutOffIn(ended: readonly string[], name: string): number | undefined {
  let cutOff: number | undefined;
  for (const one of ended) {
    if (!one.startsWith(name)) continue;
    const at = one.length === name.length ? MAX_NUMERIC_DATE : Number.parseInt(one.slice(name.length + 1), 36);
    if (cutOff === undefined || !(at <= cutOff)) cutOff = at;
  }
  return cutOff;
}

/** The cut-offs that apply to a session among the ended ones of its person. */
function endedCutOffs({ psid, provider = '' }: Revocable, { before, ended = [] }: Said): readonly number[] {
  const ofOne = psid === undefined ? undefined : cutOffIn(ended, endedName('psid', ofProvider(provider, psid)));
  return ofOne === undefined ? [before] : [before, ofOne];
}

/** Whether a session is among the ended ones of its person. */
function hasEnded(look: (key: string) => string | undefined, what: Revocable, now: number): boolean {
  const { sid } = what;
  if (sid === undefined) return false;
  const text = look(outKey(what));
  if (text === undefined) return false;
  const said = readSaid(text);
  if (said.ended?.includes(endedName('sid', ofAny(sid)))) return true;
  return endedCutOffs(what, said).some((before) => isBefore(what, before, now));
}

/** Whether a credential was issued before a cut-off. It counts as before if its time cannot be read or is later than
 * any clock may say, because anyone who can seal can choose that time. */
function isBefore({ at, cut = 0, skew = 0 }: Revocable, before: number, now: number): boolean {
  const latest = now + 2 * skew + 1;
  if (!(at <= latest && cut <= latest)) return true;
  return before > cut && at < before + skew;
}

/** Whether a credential was revoked.
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

/** The latest cut-off that this gateway knows when a sign-in begins. A cut-off is at the end of its second and allows
 * for clocks that are ahead. Without this value it would also revoke the session of somebody who signs in again at
 * once.
 *
 * @param look gives the value of a key in the dict
 * @returns the value of {@link Revocable.cut}; 0 if there is no cut-off
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

/** The properties by which a session can be revoked.
 *
 * @param provider the session's; absent if the policy no longer has it
 * @param skew seconds by which clocks of replicas may differ
 * @param kid of the session key that sealed the cookie; absent if not known
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
