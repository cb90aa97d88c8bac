import * as s from '../scalars.ts';
import { type Evaluation, type Operator, type Placed, TOKEN } from './operator.ts';

/** The token is of this provider. */
export interface Provider extends Placed {
  readonly op: 'provider';
  readonly value: string;
}

export const evaluation: Evaluation<Provider> = {
  on: TOKEN,
  truth: ({ value }, { verified }) => value === verified.provider,
};

/** Beside another operator it names the provider whose tokens that one is about. */
const keys = () => ({
  provider: s.reference('provider').describe('The provider whose tokens this is about.').optional(),
});

/** Beside another operator it names the provider whose tokens that one is about. */
export const operator: Operator<Provider, typeof keys> = { keys };
