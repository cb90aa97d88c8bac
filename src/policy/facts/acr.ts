import * as s from '../scalars.ts';
import { claimIs } from './compare.ts';
import { type Evaluation, type OfProvider, type Operator, SIGNIN, TOKEN } from './operator.ts';

/** A fact about how the person signed in. A step-up may make it true. */
export interface Acr extends OfProvider {
  readonly op: 'acr';
  readonly value: string;
}

export const evaluation: Evaluation<Acr> = {
  on: TOKEN | SIGNIN,
  truth: ({ value }, { verified }) => claimIs(verified.claims.acr, value),
};

const keys = () => ({ acr: s.acrValue.describe('The person signed in this way (claim acr).').optional() });

export const operator: Operator<Acr, typeof keys> = {
  keys,
  /** Each provider defines what its acr values mean. If another fact of the `all` names a provider, the acr belongs to
   * this provider. */
  provider: 'required unless pinned',
  reads: () => [{ path: 'acr' }],
};
