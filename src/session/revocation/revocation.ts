import { claimAt } from '../../base/claim-at.ts';
import { composed, partsOf } from '../../base/composed-key.ts';
import { MAX_NUMERIC_DATE } from '../../base/limits.ts';
import { ownOf } from '../../base/own.ts';
import { CERTIFICATE_PROVIDER } from '../../policy/forms/reserved-names.ts';
import type { Claims, TokenProvider } from '../../token/types.ts';
import { sha256 } from '../flow/random.ts';
import type { SessionClaims } from '../types.ts';
import type { Revocation } from './store.ts';

/* The format of revocations in the dict zone `meshgate_revoked`. The key consists of kind and value. The entry contains
 * a cut-off: credentials that were issued before it are revoked. The entry stays as long as such a credential can be
 * valid. No value contains a name that the policy chooses, because a policy can rename a provider or use its name for
 * another issuer: a person is an issuer, a claim and its value. */

/** A claim that identifies a caller, and its value without the policy's prefix. */
export type NamedClaim = readonly [claim: string, value: string];

export interface Revocable {
  /** The issuer of the credential, in all forms that its provider accepts; absent if the caller is not known yet. */
  readonly issuers?: readonly string[];
  /** The claims of the caller that can be revoked; absent if the caller is not known yet. */
  readonly names?: readonly NamedClaim[];
  /** The id of the gateway's session, and the id of the provider's session. */
  readonly sid?: string;
  readonly psid?: string;
  /** Names of the key: for a token its `kid` and the key's thumbprint; for a session the `kid` of the session key. */
  readonly kids: readonly (string | undefined)[];
  readonly jti?: string;
  /** When the credential was issued, in seconds since the epoch: `iat`, or the begin of the sign-in; 0 if not known. */
  readonly at: number;
  /** The latest cut-off that was known when the session began. Cut-offs up to this one do not apply to the session. */
  readonly cut?: number;
  /** How far ahead the issuer's clock can be, in seconds. */
  readonly skew?: number;
}

/** Maximum length of a value that is stored unchanged. It limits memory and the length of etcd's answers. */
const MAX_VALUE_LENGTH = 256;

/** Matches texts that need one byte per character in every store. */
const PLAIN = /^[\n\x20-\x7e]*$/;

const HASH = 'sha256 ';
const isHash = (value: string): boolean => value.startsWith(HASH);

/** Returns a value as it is stored: unchanged, or as a hash if it is long or has other characters. */
function kept(...parts: readonly string[]): string {
  const value = composed(...parts);
  return value.length <= MAX_VALUE_LENGTH && PLAIN.test(value) ? value : HASH + sha256(value);
}

/** Whether a text can be the value of a revocation, as {@link ofAny}, {@link ofIssuer} and {@link ofPerson} make it. */
export const isRevocationValue = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_VALUE_LENGTH && PLAIN.test(value);

/** Returns the value for a revocation of a session, a key or a token. */
export const ofAny = (id: string): string => kept(id);

/** Returns the value for a session of an issuer, or for the list of a person's ended sessions. */
export const ofIssuer = (issuer: string, value: string): string => kept(issuer, value);

/** Returns the value for a revocation of a person, by the claim that was the subject when the person was revoked. */
export function ofPerson(issuer: string, [claim, value]: NamedClaim): string {
  const person = kept(issuer, claim, value);
  return isHash(person) ? `person ${person}` : person;
}

/** Reads the value of a revocation of a person by an earlier build, which named the provider.
 * @returns undefined for {@link ofPerson}; `unreadable` for a hash */
export function earlierPerson(value: string): readonly [provider: string, subject: string] | 'unreadable' | undefined {
  if (isHash(value)) return 'unreadable';
  const parts = partsOf(value);
  return parts.length === 2 ? (parts as readonly string[] as [string, string]) : undefined;
}

/** Returns the properties by which the subject of a client certificate can be revoked. */
export const ofCertificate = (subject: string): Pick<Revocable, 'issuers' | 'names'> => ({
  issuers: [CERTIFICATE_PROVIDER],
  names: [['sub', subject]],
});

export const revocationKey = (kind: Revocation['kind'], value: string): string => composed(kind) + value;

/** The content of a revocation, without kind and value. */
export type RevocationTimes = Pick<Revocation, 'before' | 'until' | 'made' | 'ended'>;

/** Returns the name of an ended session. It is short, because all ended sessions of a person share one entry. */
export const endedName = (kind: 'sid' | 'psid', value: string): string =>
  sha256(revocationKey(kind, value)).slice(0, 12);

/** Returns the name of a provider's session that has ended now, with the cut-off: the session may continue at the
 * provider, so only gateway sessions that began before now are revoked. */
export const endedUntil = (issuer: string, psid: string, now: number): string =>
  `${endedName('psid', ofIssuer(issuer, psid))}.${(Math.floor(now) + 1).toString(36)}`;

/** The format of these names. */
export const ENDED_NAME = /^[\w-]{12}(\.[0-9a-z]{1,8})?$/;

/** Maximum number of ended sessions that are stored one by one for a person. With their times they fit into 256 bytes,
 * a size in which nginx allocates memory. One more ended session revokes all sessions of the person until now. */
export const MAX_ENDED = 14;

/** Returns the text of a revocation in the dict: cut-off, end and time, then the ended sessions. */
export const reportedText = ({ before, until, made, ended = [] }: RevocationTimes): string =>
  [before, until, made, ...ended].join(' ');

/** Whether the name of an ended session revokes more than a cut-off for all sessions of the person does. */
const saysMore = (name: string, before: number): boolean =>
  !name.includes('.') || !(Number.parseInt(name.slice(name.indexOf('.') + 1), 36) <= before);

/** Parses a number in a text of {@link reportedText}. */
function numberIn(text: string | undefined, fallback: number): number {
  const number = Number(text);
  return text === undefined || text === '' || Number.isNaN(number) ? fallback : number;
}

/** Parses a text of {@link reportedText}. If a part cannot be read, everything is revoked forever. */
export function readReported(text: string): RevocationTimes {
  const [before, until, made, ...ended] = text.split(' ');
  return {
    before: numberIn(before, MAX_NUMERIC_DATE),
    until: numberIn(until, MAX_NUMERIC_DATE),
    made: numberIn(made, 0),
    ...(ended.length > 0 && { ended }),
  };
}

/** Joins two revocations with the same key: the result revokes all that either revokes, for the longer time. */
export function mergedFloors(one: RevocationTimes, other: RevocationTimes | undefined): RevocationTimes {
  if (other === undefined) return one;
  const before = Math.max(one.before, other.before);
  const until = Math.max(one.until, other.until);
  const made = Math.max(one.made, other.made);
  const names = new Set([...(other.ended ?? []), ...(one.ended ?? [])]);
  const ended = [...names].filter((name) => saysMore(name, before));
  if (ended.length === 0) return { before, until, made };
  const reported = { before, until, made, ended };
  return ended.length <= MAX_ENDED ? reported : withoutList(reported);
}

/** Replaces a list of ended sessions by a shorter text, which revokes all sessions of the person until now. */
export const withoutList = ({ before, until, made }: RevocationTimes): RevocationTimes => ({
  before: Math.max(before, Math.floor(made) + 1),
  until,
  made,
});

/** Name of the entry in place of revocations that were dropped for lack of room: it revokes all that is older. */
export const FLOOR = composed('floor');

/** The same for dropped revocations of providers' sessions without a person. It revokes sessions with such an id. */
export const PSID_FLOOR = composed('floor', 'psid');

/** Returns the keys for the credential itself and for its keys. They revoke it, whatever time it contains. */
function namesOf({ sid, kids, jti }: Revocable): string[] {
  const keys: string[] = [];
  if (sid !== undefined) keys.push(revocationKey('sid', ofAny(sid)));
  if (jti !== undefined) keys.push(revocationKey('jti', ofAny(jti)));
  for (const kid of kids) if (kid !== undefined) keys.push(revocationKey('kid', ofAny(kid)));
  return keys;
}

/** Returns the keys that later credentials share. They revoke only what was issued before their cut-off. */
function cutOffsOf({ issuers = [], names, psid }: Revocable): string[] {
  const keys: string[] = [];
  for (const issuer of issuers) {
    for (const name of names ?? []) keys.push(revocationKey('sub', ofPerson(issuer, name)));
    if (psid !== undefined) keys.push(revocationKey('psid', ofIssuer(issuer, psid)));
  }
  if (psid !== undefined) keys.push(PSID_FLOOR);
  // If only the key is known, the time of the text that the key sealed is not known yet.
  if (names !== undefined) keys.push(FLOOR);
  return keys;
}

/** Returns the value for the revocation that lists the ended sessions of a person. It names `sub`, which stays if the
 * policy reads the subject from another claim. */
export function endedOf(issuer: string, { names = [] }: Pick<Revocable, 'names'>): string {
  const [, value = ''] = names.find(([claim]) => claim === 'sub') ?? names[0] ?? [];
  return ofIssuer(issuer, value);
}

/** Returns the cut-off of a session of the provider in the list. A name without a cut-off ends the session forever. */
function cutOffIn(ended: readonly string[], name: string): number | undefined {
  let cutOff: number | undefined;
  for (const one of ended) {
    if (!one.startsWith(name)) continue;
    const at = one.length === name.length ? MAX_NUMERIC_DATE : Number.parseInt(one.slice(name.length + 1), 36);
    if (cutOff === undefined || !(at <= cutOff)) cutOff = at;
  }
  return cutOff;
}

/** Returns the cut-offs in a person's entry that apply to a session. */
function endedCutOffs(issuer: string, { psid }: Revocable, { before, ended = [] }: RevocationTimes): readonly number[] {
  const ofOne = psid === undefined ? undefined : cutOffIn(ended, endedName('psid', ofIssuer(issuer, psid)));
  return ofOne === undefined ? [before] : [before, ofOne];
}

function hasEnded(look: (key: string) => string | undefined, what: Revocable, now: number): boolean {
  const { sid, issuers = [] } = what;
  if (sid === undefined) return false;
  return issuers.some((issuer) => {
    const text = look(revocationKey('out', endedOf(issuer, what)));
    if (text === undefined) return false;
    const reported = readReported(text);
    if (reported.ended?.includes(endedName('sid', ofAny(sid)))) return true;
    return endedCutOffs(issuer, what, reported).some((before) => isBefore(what, before, now));
  });
}

/** Whether a credential was issued before a cut-off. This is true if its time cannot be read or is later than any clock
 * can show, because anyone who has a session key can choose that time. */
function isBefore({ at, cut = 0, skew = 0 }: Revocable, before: number, now: number): boolean {
  const latest = now + 2 * skew + 1;
  if (!(at <= latest && cut <= latest)) return true;
  return before > cut && at < before + skew;
}

/** Whether a credential is revoked. */
export function isRevoked(look: (key: string) => string | undefined, what: Revocable, now: number): boolean {
  for (const key of namesOf(what)) if (look(key) !== undefined) return true;
  for (const key of cutOffsOf(what)) {
    const text = look(key);
    if (text !== undefined && isBefore(what, readReported(text).before, now)) return true;
  }
  return hasEnded(look, what, now);
}

/** Returns the latest cut-off that this gateway knows when a sign-in begins, for {@link Revocable.cut}; 0 if there is
 * none. Cut-offs are at the end of their second and allow for clocks that are ahead. So without this value, they would
 * also revoke the session of a person who signs in again at once. */
export function cutBefore(look: (key: string) => string | undefined, what: Revocable): number {
  let cut = 0;
  const note = (before: number) => {
    if (before <= what.at + 1 && before > cut) cut = before;
  };
  for (const key of cutOffsOf(what)) {
    const text = look(key);
    if (text !== undefined) note(readReported(text).before);
  }
  for (const issuer of what.issuers ?? []) {
    const out = look(revocationKey('out', endedOf(issuer, what)));
    if (out !== undefined) endedCutOffs(issuer, what, readReported(out)).forEach(note);
  }
  return cut;
}

/** What identifies a provider's callers: its issuer with the other spellings, and the subject claim. */
export type Identifying = Pick<TokenProvider, 'issuer' | 'issuers' | 'subject'>;

/** Stands for the provider of client certificates, see {@link ofCertificate}. */
const certificateIdentity: Identifying = {
  issuer: CERTIFICATE_PROVIDER,
  subject: { claim: 'sub', prefix: '' },
};

/** Returns what identifies the callers of a provider, by its name in the policy or in a line of the log. */
export const identifyingClaims = (
  providers: Readonly<Record<string, Identifying>>,
  name: string,
): Identifying | undefined => (name === CERTIFICATE_PROVIDER ? certificateIdentity : ownOf(providers, name));

/** Returns all forms of a provider's issuer. */
const issuersOf = ({ issuer, issuers = [] }: Identifying): readonly string[] => [...new Set([issuer, ...issuers])];

/** Returns the claims by which a caller can be revoked: the subject, `sub`, and those that revocations name. */
export const claimsToRevoke = (subject: string, revoked: readonly string[]): readonly string[] => [
  ...new Set([subject, 'sub', ...revoked]),
];

/** Returns the values of claims that identify a caller. */
export const claimsNaming = (claims: Claims, wanted: readonly string[]): readonly NamedClaim[] =>
  wanted.flatMap((claim): NamedClaim[] => {
    const value = claimAt(claims, claim);
    return typeof value === 'string' && value !== '' ? [[claim, value]] : [];
  });

/** Returns the issuers and claims that the subject of a provider can mean, as an operator types it: with the prefix as
 * in the log, or `sub`, or the value of the subject claim without the prefix. */
export function meantBy(provider: Identifying, typed: string): Required<Pick<Revocable, 'issuers' | 'names'>> {
  const { claim, prefix } = provider.subject;
  const value = typed.startsWith(prefix) && typed !== prefix ? typed.slice(prefix.length) : typed;
  const names: readonly NamedClaim[] =
    claim === 'sub' && value === typed
      ? [['sub', typed]]
      : [
          [claim, value],
          ['sub', typed],
        ];
  return { issuers: issuersOf(provider), names };
}

/** Returns the properties by which the caller of a provider's token can be revoked. */
export const ofCaller = (provider: Identifying, names: readonly NamedClaim[]) => ({
  issuers: issuersOf(provider),
  names,
});

/** Returns the properties by which a session can be revoked.
 * @param provider the provider of the session, for further forms of its issuer; absent if the policy no longer has it
 * @param revoked the claims that revocations name
 * @param skew seconds by which the clocks of replicas can differ
 * @param kid id of the session key that sealed the cookie; absent if not known */
export function revocableSession(
  { issuer, sid, psid, since, cut, claims }: SessionClaims,
  provider: Identifying | undefined,
  revoked: readonly string[],
  { skew, kid }: { readonly skew: number; readonly kid?: string | undefined },
): Revocable {
  const others = provider?.issuer === issuer ? issuersOf(provider) : [];
  return {
    issuers: [...new Set([issuer, ...others])],
    names: claimsNaming(claims, claimsToRevoke(provider?.subject.claim ?? 'sub', revoked)),
    sid,
    ...(psid !== undefined && { psid }),
    kids: [kid],
    at: since,
    ...(cut !== undefined && { cut }),
    skew,
  };
}
