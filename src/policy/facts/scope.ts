import { claimAt } from '../../base/claim-at.ts';
import type { ProviderKind } from '../../providers/index.ts';
import { optional } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { claimHas } from './claim-values.ts';
import {
  type Evaluation,
  type OfProvider,
  type Operator,
  SCOPE,
  TOKEN,
  type TokenView,
  type Valued,
} from './operator.ts';

type Scope = OfProvider & Valued<'scope'>;

/** The scopes of a token: the value of the first present claim in which its provider may put scopes. */
export function scopesClaim({ claims }: TokenView, { scopes }: ProviderKind): unknown {
  for (let i = 0; i < scopes.length; i++) {
    const value = claimAt(claims, scopes[i] as string);
    if (value !== undefined) return value;
  }
  return undefined;
}

export const evaluation: Evaluation<Scope> = {
  on: TOKEN | SCOPE,
  truth: ({ value }, { verified, kind, scopes }) =>
    scopes?.includes(value) === true || claimHas(scopesClaim(verified, kind), value),
};

const keys = () => ({
  scope: optional({ decides: 'request', team: 'free' }, s.plainText, 'The token has this scope.'),
});

export const operator: Operator<Scope, typeof keys> = {
  keys,
  provider: 'required',
  reads: (_, { scopes }) => scopes.map((path) => ({ path })),
  never: (_, { kind }) =>
    kind?.scopes.length === 0
      ? `tokens of the kind ${kind.name} have no scopes; write { claim: NAME, is: VALUE }`
      : undefined,
};
