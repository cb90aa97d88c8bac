import hash from 'crypto';
import { PEOPLE_BITS } from '../../session/limits.ts';
import { locksDict } from '../shared/dicts.ts';

/* Sets of people, one number each in shared memory: what one account does shows nothing about a provider. */

const bitOf = (person: string): number =>
  1 << (Number.parseInt(hash.createHash('sha256').update(person).digest('hex').slice(0, 8), 16) % PEOPLE_BITS);

/** Returns the number of bits that are set. */
const countOf = (set: number): number => (set >>> 0).toString(2).split('1').length - 1;

/** Adds a person to a set, and returns how many people are in it. Some people share a bit. If a worker overwrites the
 * set of another worker, a person is missing from it.
 * @param ms how long the set is kept, in milliseconds */
export function addPerson(set: string, person: string, ms: number): number {
  const people = (locksDict().get(set) ?? 0) | bitOf(person);
  locksDict().set(set, people, ms);
  return countOf(people);
}
