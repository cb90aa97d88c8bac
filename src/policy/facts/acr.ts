import * as s from '../scalars.ts';
import { claimIs } from './compare.ts';
import { type Evaluation, type OfProvider, type Operator, SIGNIN, TOKEN } from './operator.ts';

/** How the person signed in; a step-up may make it true. */
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
  /** The provider defines the meaning of an acr. If another fact names a provider, the acr is that provider's. */
  provider: 'required unless pinned',
  reads: () => [{ path: 'acr' }],
};
