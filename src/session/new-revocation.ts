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

/** Longest that a revocation is kept, seconds: what a shared dict can count. How long a token lives is not known. */
export const LONGEST_REVOCATION_S = 46 * 86400;

const KINDS: readonly Revocation['kind'][] = ['sid', 'psid', 'sub', 'kid', 'jti', 'out'];

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_NUMERIC_DATE;

const isEndedList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MAX_ENDED &&
  value.every((name) => typeof name === 'string' && ENDED_NAME.test(name));

/**
 * A revocation as it lies in etcd, or in a file of `meshgate revoke`.
 *
 * @returns `undefined` for what is none
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

/**
 * A revocation from now on.
 *
 * @param value of `ofAny` or `ofProvider`
 * @param life seconds for which something may live that it calls back
 */
export function revocation(
  kind: Revocation['kind'],
  value: string,
  now: number,
  life = LONGEST_REVOCATION_S,
): Revocation {
  // A subject comes again, and a session at the provider may: all of this second is before, since times have no fractions.
  const before = kind === 'sub' || kind === 'psid' ? Math.floor(now) + 1 : MAX_NUMERIC_DATE;
  return { kind, value, before, until: Math.ceil(now + life), made: Math.floor(now) };
}

/**
 * A revocation of one session, ours or the provider's. It lies in the entry of its person, so that nobody fills the room
 * for revocations by signing in and out.
 *
 * @param what of a session; its person is known
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
