import { MAX_NUMERIC_DATE } from '../../base/limits.ts';
import { objectIn } from '../../token/json.ts';
import {
  ENDED_NAME,
  earlierPerson,
  endedName,
  endedOf,
  endedUntil,
  type Identifying,
  isRevocationValue,
  MAX_ENDED,
  meantBy,
  ofAny,
  ofPerson,
  type Revocable,
} from './revocation.ts';
import type { Revocation } from './store.ts';

/** Maximum time for which a revocation is kept, in seconds: that of a shared dict. A longer time would not help,
 * because the gateway does not know the lifetime of a revoked token. */
const LONGEST_REVOCATION_S = 46 * 86400;

const KINDS: readonly Revocation['kind'][] = ['sid', 'psid', 'sub', 'kid', 'jti', 'out'];

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_NUMERIC_DATE;

const isEndedList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MAX_ENDED &&
  value.every((name) => typeof name === 'string' && ENDED_NAME.test(name));

/** Reads a revocation from etcd or from a file of `meshgate revoke`; `undefined` for any other text. */
export function readRevocation(text: string): Revocation | undefined {
  const { kind, value, claim, before, until, made, ended = [] } = objectIn(text) ?? {};
  if (!KINDS.includes(kind as Revocation['kind']) || !isRevocationValue(value) || !isTime(before) || !isTime(until)) {
    return undefined;
  }
  if (!isTime(made) || !isEndedList(ended) || (kind !== 'out' && ended.length > 0)) return undefined;
  if (claim !== undefined && (kind !== 'sub' || typeof claim !== 'string')) return undefined;
  const reported = {
    kind: kind as Revocation['kind'],
    value,
    ...(claim !== undefined && { claim }),
    before,
    until,
    made,
  };
  return ended.length === 0 ? reported : { ...reported, ended };
}

/** Makes a revocation that begins now.
 * @param value result of `ofAny`, `ofIssuer` or `ofPerson`
 * @param life maximum number of seconds for which a revoked credential can still be valid */
export function revocation(kind: Revocation['kind'], value: string, now: number, life = LONGEST_REVOCATION_S) {
  // A subject can sign in again, and a provider's session can continue. The next second covers times without fractions.
  const before = kind === 'sub' || kind === 'psid' ? Math.floor(now) + 1 : MAX_NUMERIC_DATE;
  return { kind, value, before, until: Math.ceil(now + life), made: Math.floor(now) };
}

/** Makes the revocations of a person: one for each form of the issuer and each claim.
 * @param reported a revocation whose times count */
export const revocationsOf = (
  { issuers, names }: Required<Pick<Revocable, 'issuers' | 'names'>>,
  reported: Pick<Revocation, 'before' | 'until' | 'made'>,
): readonly Revocation[] =>
  issuers.flatMap((issuer) =>
    names.map((name): Revocation => {
      const { before, until, made } = reported;
      return { kind: 'sub', value: ofPerson(issuer, name), claim: name[0], before, until, made };
    }),
  );

/** Returns a revocation as this build looks it up. An earlier build named a person by the policy's name of the provider
 * and the subject, which the policy of today translates.
 * @returns an empty list if the policy has no such provider, or the name cannot be read */
export function present(revocation: Revocation, providerOf: (name: string) => Identifying | undefined) {
  const { kind, value, claim } = revocation;
  const named = kind === 'sub' && claim === undefined ? earlierPerson(value) : undefined;
  if (named === undefined) return [revocation];
  const provider = named === 'unreadable' ? undefined : providerOf(named[0]);
  return provider === undefined ? [] : revocationsOf(meantBy(provider, named[1] as string), revocation);
}

/** What a file of `meshgate revoke` asks for: revocations, or a person of a provider that the policy does not have. */
type Requested = { readonly revocations: readonly Revocation[] } | { readonly unknown: unknown };

/** Reads a file of `meshgate revoke`. It names a person as the log does, which only the gateway can translate.
 * @returns undefined for any other text */
export function readRequested(
  text: string,
  providerOf: (name: string) => Identifying | undefined,
): Requested | undefined {
  const { kind, provider, subject, before, until, made } = objectIn(text) ?? {};
  if (kind === 'sub' && typeof provider === 'string' && typeof subject === 'string' && subject !== '') {
    if (!isTime(before) || !isTime(until) || !isTime(made)) return undefined;
    const of = providerOf(provider);
    return of === undefined
      ? { unknown: provider }
      : { revocations: revocationsOf(meantBy(of, subject), { before, until, made }) };
  }
  const revocation = readRevocation(text);
  if (revocation === undefined) return undefined;
  const revocations = present(revocation, providerOf);
  return revocations.length > 0 ? { revocations } : { unknown: provider };
}

/** Makes the revocation of one session of the gateway or of the provider. It is stored in the entry of its person, so
 * that no one can fill the zone of revocations by repeated sign-ins and sign-outs.
 * @param issuer the issuer of the session
 * @param what the session, with a known person
 * @param life maximum number of seconds for which the session can still be valid */
export function ending(
  issuer: string,
  what: Pick<Revocable, 'names' | 'sid' | 'psid'>,
  now: number,
  life: number,
): Revocation {
  const { sid, psid } = what;
  const ended: string[] = [];
  if (sid !== undefined) ended.push(endedName('sid', ofAny(sid)));
  if (psid !== undefined) ended.push(endedUntil(issuer, psid, now));
  return { ...revocation('out', endedOf(issuer, what), now, life), before: 0, ended };
}
