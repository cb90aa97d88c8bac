import { optional } from '../mapping.ts';
import * as s from '../scalars.ts';
import { type Evaluation, type Operator, TOKEN, type Valued } from './operator.ts';

type Provider = Valued<'provider'>;

export const evaluation: Evaluation<Provider> = {
  on: TOKEN,
  truth: ({ value }, { verified }) => value === verified.provider,
};

/** If another operator stands beside this key, the provider is the one whose tokens that operator is about. */
const keys = () => ({ provider: optional(s.reference('provider'), 'The provider whose tokens this is about.') });

export const operator: Operator<Provider, typeof keys> = { keys };
