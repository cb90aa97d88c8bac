import * as acr from './acr.ts';
import * as bound from './bound.ts';
import * as certificate from './certificate.ts';
import * as claim from './claim.ts';
import type { Combined } from './combined.ts';
import * as group from './group.ts';
import * as provider from './issued-by.ts';
import * as maxAge from './max-age.ts';
import * as network from './network.ts';
import type { Evaluation } from './operator.ts';
import type { RoleFact } from './role.ts';
import * as scope from './scope.ts';

/* The operators of facts. To add an operator, write a file, a row in each of the two tables, and a line in
 * docs/policy.md. */

/** How the gateway evaluates facts, by operator. The bundles for nginx contain only this part of an operator. */
export const evaluations = {
  group: group.evaluation,
  is: claim.evaluation,
  has: claim.evaluation,
  like: claim.evaluation,
  scope: scope.evaluation,
  acr: acr.evaluation,
  max_age: maxAge.evaluation,
  bound: bound.evaluation,
  network: network.evaluation,
  certificate: certificate.evaluation,
  provider: provider.evaluation,
};

/** What policies and commands need of each operator, by policy key. The order is that of the schema and of errors. */
export const operators = {
  group: group.operator,
  claim: claim.operator,
  scope: scope.operator,
  acr: acr.operator,
  max_age: maxAge.operator,
  bound: bound.operator,
  network: network.operator,
  certificate: certificate.operator,
  provider: provider.operator,
};

/** A fact without inner facts. */
export type Leaf = (typeof evaluations)[keyof typeof evaluations] extends infer E
  ? E extends Evaluation<infer F>
    ? F
    : never
  : never;

/** A fact about a token or a request. */
export type Fact = Leaf | RoleFact | Combined<Fact>;
