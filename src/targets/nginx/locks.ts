import { MAX_QUESTION_WAITERS, MAX_QUESTIONS } from '../../limits.ts';
import type { Policy } from '../../policy/types.ts';
import { isAsked } from '../../rules/client-table.ts';
import {
  LOCK_BYTES,
  LOCKS_PER_PERSON,
  LOCKS_PER_PROVIDER,
  LOCKS_PER_SESSION,
  MIN_LOCKS_BYTES,
} from '../../session/limits.ts';

const PAGE = 64 * 1024;

/** Bytes of a zone for a number of locks. */
const bytesOf = (locks: number): number => MIN_LOCKS_BYTES + Math.floor((locks * LOCK_BYTES) / PAGE) * PAGE;

/** Bytes of the zone with locks of sessions, for as many people as have sessions, because all may be renewed at
 * once. */
export const renewalsBytes = (people: number): number => bytesOf(people * LOCKS_PER_SESSION);

/** Bytes of the zone in which the sign-ins of as many people are counted. */
export const signinsBytes = (people: number): number => bytesOf(people * LOCKS_PER_PERSON);

/** Bytes of the zone with locks: for all providers at once, and for all questions that each is asked at a time. */
export function locksBytes({ gateway, providers }: Pick<Policy, 'gateway' | 'providers'>): number {
  const all = Object.values(providers);
  const locks =
    all.length * LOCKS_PER_PROVIDER +
    // Two counters of its address and its site, and of a question that is asked a lock.
    all.filter(isAsked).length * 3 * (MAX_QUESTIONS + MAX_QUESTION_WAITERS) +
    (gateway.store?.endpoints.length ?? 0);
  return bytesOf(locks);
}
