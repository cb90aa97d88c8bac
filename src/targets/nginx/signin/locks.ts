import { MAX_QUESTION_WAITERS, MAX_QUESTIONS } from '../../../base/limits.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { isQueried } from '../../../rules/table/client-table.ts';
import {
  LOCK_BYTES,
  LOCKS_PER_PERSON,
  LOCKS_PER_PROVIDER,
  LOCKS_PER_SESSION,
  MIN_LOCKS_BYTES,
} from '../../../session/limits.ts';

const PAGE = 64 * 1024;

/** The size in bytes of a zone with room for a number of locks. */
const bytesOf = (locks: number): number => MIN_LOCKS_BYTES + Math.floor((locks * LOCK_BYTES) / PAGE) * PAGE;

/** The size in bytes of the zone with locks of sessions: all people may renew theirs at once. */
export const renewalsBytes = (people: number): number => bytesOf(people * LOCKS_PER_SESSION);

/** The size in bytes of the zone that counts sign-ins, with room for this number of people. */
export const signinsBytes = (people: number): number => bytesOf(people * LOCKS_PER_PERSON);

/** The size in bytes of the zone with locks of all providers and of all introspection calls at a time. */
export function locksBytes({ gateway, providers }: Pick<Policy, 'gateway' | 'providers'>): number {
  const all = Object.values(providers);
  const locks =
    all.length * LOCKS_PER_PROVIDER +
    // Each call needs two counters (for the address and for the site), and one lock.
    all.filter(isQueried).length * 3 * (MAX_QUESTIONS + MAX_QUESTION_WAITERS) +
    (gateway.store?.endpoints.length ?? 0);
  return bytesOf(locks);
}
