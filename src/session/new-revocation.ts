import { MAX_NUMERIC_DATE } from '../limits.ts';
import { objectIn } from '../token/json.ts';
import {
  ENDED_NAME,
  endedName,
  endedUntil,
  isRevocationValue,
  MAX_ENDED,
  ofAny,
  personOf,
  type Revocable,
} from './revocation.ts';
import type { Revocation } from './store.ts';

/** Longest time that a revocation is kept, seconds: the most that a shared dict can hold. The lifetime of a token is
 * not known. */
export const LONGEST_REVOCATION_S = 46 * 86400;

const KINDS: readonly Revocation['kind'][] = ['sid', 'psid', 'sub', 'kid', 'jti', 'out'];

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_NUMERIC_DATE;

const isEndedList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MAX_ENDED &&
  value.every((name) => typeof name === 'string' && ENDED_NAME.test(name));

/** Reads a revocation from etcd or from a file of `meshgate revoke`.
 *
 * @returns `undefined` if it is not one
 */
export function readRevocation(text: string): Revocation | undefined {
  const { kind, value, before, until, made, ended = [] } = objectIn(text) ?? {};
  if (!KINDS.includes(kind as Revocation['kind']) || !isRevocationValue(value) || !isTime(before) || !isTime(until)) {
    return undefined;
  }
  if (!isTime(made) || !isEndedList(ended) || (kind !== 'out' && ended.length > 0)) return undefined;
  const said = { kind: kind as Revocation['kind'], value, before, until, made };
  return ended.length === 0 ? said : { ...said, ended };
}

/** A revocation that begins now.
 *
 * @param value of `ofAny` or `ofProvider`
 * @param life seconds for which a revoked credential may still live
 */
export function revocation(
  kind: Revocation['kind'],
  value: string,
  now: number,
  life = LONGEST_REVOCATION_S,
): Revocation {
  // A subject can sign in again, and a session at the provider can go on. Times have no fractions, so this second is
  // included.
  const before = kind === 'sub' || kind === 'psid' ? Math.floor(now) + 1 : MAX_NUMERIC_DATE;
  return { kind, value, before, until: Math.ceil(now + life), made: Math.floor(now) };
}

/** A revocation of one session, the gateway's or the provider's. It is kept in the entry of its person, so that nobody
 * can fill the zone of revocations by signing in and out.
 *
 * @param what the session; its person is known
 * @param life seconds for which the session may live
 */
export function ending(what: Revocable, now: number, life: number): Revocation {
  const { provider = '', sid, psid } = what;
  const ended = [
    ...(sid === undefined ? [] : [endedName('sid', ofAny(sid))]),
    ...(psid === undefined ? [] : [endedUntil(provider, psid, now)]),
  ];
  return { ...revocation('out', personOf(what), now, life), before: 0, ended };
}
