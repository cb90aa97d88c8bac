import { optional } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { type Evaluation, type Operator, TOKEN, type Valued } from './operator.ts';

type Provider = Valued<'provider'>;

export const evaluation: Evaluation<Provider> = {
  on: TOKEN,
  truth: ({ value }, { verified }) => value === verified.provider,
};

/** If a fact also has another operator, this key names the provider whose tokens that operator is about. */
const keys = () => ({
  provider: optional(
    { decides: 'request', team: 'free' },
    s.reference('provider'),
    'The provider whose tokens this fact is about.',
  ),
});

export const operator: Operator<Provider, typeof keys> = { keys };
