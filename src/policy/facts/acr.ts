import { optional } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { claimIs } from './claim-values.ts';
import { type Evaluation, type OfProvider, type Operator, SIGNIN, TOKEN, type Valued } from './operator.ts';

/** A fact about how the person signed in. A step-up may make it true. */
type Acr = OfProvider & Valued<'acr'>;

export const evaluation: Evaluation<Acr> = {
  on: TOKEN | SIGNIN,
  truth: ({ value }, { verified }) => claimIs(verified.claims.acr, value),
};

const keys = () => ({
  acr: optional({ decides: 'request', team: 'free' }, s.acrValue, 'The person signed in this way (claim acr).'),
});

export const operator: Operator<Acr, typeof keys> = {
  keys,
  /** Each provider defines its acr values. Another fact of the `all` may name the provider. */
  provider: 'required unless pinned',
  reads: () => [{ path: 'acr' }],
};
