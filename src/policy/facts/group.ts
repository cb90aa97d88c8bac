import { claimAt } from '../../base/claim-at.ts';
import { optional } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { claimIs } from './claim-values.ts';
import { type Evaluation, type OfProvider, type Operator, TOKEN, type Valued } from './operator.ts';

type Group = OfProvider & Valued<'group'>;

export const evaluation: Evaluation<Group> = {
  on: TOKEN,
  truth: ({ value }, { verified, kind }) =>
    kind.groups === undefined ? undefined : claimIs(claimAt(verified.claims, kind.groups), value),
};

const keys = () => ({
  group: optional({ decides: 'request', team: 'free' }, s.groupName, 'The caller is in this group.'),
});

export const operator: Operator<Group, typeof keys> = {
  keys,
  provider: 'required',
  reads: ({ value }, { groups }) => (groups === undefined ? [] : [{ path: groups, value }]),
  never: (_, { kind }) =>
    kind && kind.groups === undefined
      ? `tokens of the kind ${kind.name} have no groups; write { claim: NAME, is: VALUE }`
      : undefined,
};
