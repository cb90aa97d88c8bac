import type { At } from './at.ts';
import type { BoundBy } from './facts/bound.ts';
import type { ClaimFact } from './facts/claim.ts';
import type { Fact } from './facts/index.ts';
import type { Limit } from './limit-types.ts';

export type { BoundBy } from './facts/bound.ts';
export type { ClaimFact } from './facts/claim.ts';
export type { Fact } from './facts/index.ts';

/*
 * What a policy says of who asks: roles, the facts that give them, and agents.
 */

export interface Role {
  readonly name: string;
  readonly fact: Fact;
  readonly at: At;
}

/** Software that acts for a person, or by itself. */
export interface Agent {
  readonly name: string;
  /** How it is known. */
  readonly match: AgentMatch;
  /** Roles that may travel from the person behind it; none: it acts for nobody. */
  readonly actsFor: readonly string[];
  /** It may ask for itself, without a person. */
  readonly alone?: true;
  /** Longest chain of actors, this one included. */
  readonly hops: number;
  /** What its tokens have to be bound to; of a service, which shows its certificate, nothing is said. */
  readonly bound?: Bound;
  /** What it may ask for each person that it acts for; absent: what the gateway says. */
  readonly limit?: Limit;
  readonly at: At;
}

/** What an agent's tokens have to be bound to; `none` is said, not assumed. */
export type Bound = BoundBy | 'none';

export type AgentMatch =
  /** Comes to the inner listener, with the certificate of this service. */
  | { readonly kind: 'service'; readonly service: string }
  /** Comes with tokens that were issued to this client, or name it as who acts. */
  | { readonly kind: 'client'; readonly client: string; readonly provider?: string }
  /** Comes with a JWT-SVID of this id, or with tokens that name it as who acts. */
  | { readonly kind: 'spiffe'; readonly spiffe: string; readonly provider?: string }
  /** Comes with tokens of which this is true. */
  | { readonly kind: 'claim'; readonly fact: ClaimFact };
