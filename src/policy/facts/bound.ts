import * as z from 'zod';
import { optional } from '../forms/mapping.ts';
import { type Evaluation, type Operator, TOKEN, type Valued } from './operator.ts';

/** How a token must be bound to its sender: to a DPoP key, to a client certificate, or to either. */
export type BoundBy = (typeof BOUND_BY)[number];

export const BOUND_BY = ['dpop', 'certificate', 'any'] as const;

/** The token is bound to a key of the sender. The gateway verifies the proof of this key before it evaluates rules. */
type Bound = Valued<'bound', BoundBy>;

export const evaluation: Evaluation<Bound> = {
  on: TOKEN,
  truth: ({ value }, { verified: { binding } }) => binding !== undefined && (value === 'any' || value === binding.kind),
};

const keys = () => ({
  bound: optional(
    { decides: 'request', team: 'free' },
    z.enum(BOUND_BY),
    'The token is bound to a key of the sender: dpop, certificate, or any for either.',
  ),
});

export const operator: Operator<Bound, typeof keys> = {
  keys,
  never: ({ bound }, { unbound }) => {
    const why = bound && unbound(bound);
    return why === undefined ? undefined : { path: ['bound'], message: `never true: ${why}` };
  },
};
