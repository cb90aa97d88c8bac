import { MAX_CLOCK_SKEW } from '../forms/bounds.ts';
import { optional } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { seconds } from '../forms/units.ts';
import { type Evaluation, type OfProvider, type Operator, SIGNIN, TOKEN, type Valued } from './operator.ts';

type MaxAge = OfProvider & Valued<'max_age', number>;

export const evaluation: Evaluation<MaxAge> = {
  on: TOKEN | SIGNIN,
  /** This fact expires, so the context also gets the time until which it is true. */
  truth: ({ value }, { verified, signin }) => {
    const signedIn = verified.claims.auth_time;
    // If the time is further in the future than clocks may differ, it is not the time of a sign-in.
    if (signin === undefined || typeof signedIn !== 'number' || signedIn > signin.now + MAX_CLOCK_SKEW)
      return undefined;
    const end = signedIn + value;
    if (signin.now >= end) return false;
    if (end < signin.until) signin.until = end;
    return true;
  },
};

const keys = () => ({
  max_age: optional(
    { decides: 'request', team: 'free' },
    s.duration,
    'The person signed in (claim auth_time) no longer ago than this.',
  ),
});

export const operator: Operator<MaxAge, typeof keys> = {
  keys,
  provider: 'optional',
  build: ({ max_age = '' }) => ({ op: 'max_age', value: seconds(max_age) }),
  text: ({ value }) => `max_age ${value}s`,
  reads: () => [{ path: 'auth_time', kept: true }],
  malformed: ({ max_age }) =>
    max_age === undefined || seconds(max_age) >= 1
      ? undefined
      : { path: ['max_age'], message: `${max_age} is too short, so the fact is never true; write at least 1s` },
};
