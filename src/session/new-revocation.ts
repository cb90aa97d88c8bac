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

/** Maximum time for which a revocation is kept, in seconds: that of a shared dict. A longer time would not help,
 * because the gateway does not know the lifetime of a revoked token. */
export const LONGEST_REVOCATION_S = 46 * 86400;

const KINDS: readonly Revocation['kind'][] = ['sid', 'psid', 'sub', 'kid', 'jti', 'out'];

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_NUMERIC_DATE;

const isEndedList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MAX_ENDED &&
  value.every((name) => typeof name === 'string' && ENDED_NAME.test(name));

/** Reads a revocation from etcd or from a file of `meshgate revoke`; `undefined` for any other text. */
export function readRevocation(text: string): Revocation | undefined {
  const { kind, value, before, until, made, ended = [] } = objectIn(text) ?? {};
  if (!KINDS.includes(kind as Revocation['kind']) || !isRevocationValue(value) || !isTime(before) || !isTime(until)) {
    return undefined;
  }
  if (!isTime(made) || !isEndedList(ended) || (kind !== 'out' && ended.length > 0)) return undefined;
  const said = { kind: kind as Revocation['kind'], value, before, until, made };
  return ended.length === 0 ? said : { ...said, ended };
}

/** Makes a revocation that begins now.
 * @param value result of `ofAny` or `ofProvider`
 * @param life maximum number of seconds for which a revoked credential can still be valid */
export function revocation(kind: Revocation['kind'], value: string, now: number, life = LONGEST_REVOCATION_S) {
  // A subject can sign in again, and a provider's session can continue. The next second covers times without fractions.
  const before = kind === 'sub' || kind === 'psid' ? Math.floor(now) + 1 : MAX_NUMERIC_DATE;
  return { kind, value, before, until: Math.ceil(now + life), made: Math.floor(now) };
}

/** Makes the revocation of one session of the gateway or of the provider. It is stored in the entry of its person, so
 * that no one can fill the zone of revocations by repeated sign-ins and sign-outs.
 * @param what the session, with a known person
 * @param life maximum number of seconds for which the session can still be valid */
export function ending(what: Revocable, now: number, life: number): Revocation {
  const { provider = '', sid, psid } = what;
  const ended: string[] = [];
  if (sid !== undefined) ended.push(endedName('sid', ofAny(sid)));
  if (psid !== undefined) ended.push(endedUntil(provider, psid, now));
  return { ...revocation('out', personOf(what), now, life), before: 0, ended };
}
