import type { At } from './at.ts';
import type { BoundBy } from './facts/bound.ts';
import type { ClaimFact } from './facts/claim.ts';
import type { Fact } from './facts/index.ts';
import type { Limit } from './limit-types.ts';

export type { BoundBy } from './facts/bound.ts';
export type { ClaimFact } from './facts/claim.ts';
export type { Fact } from './facts/index.ts';

/* The part of a policy about callers: roles, the facts that give them, and agents. */

export interface Role {
  readonly name: string;
  readonly fact: Fact;
  readonly at: At;
}

/** Software that acts for a person, or alone. */
export interface Agent {
  readonly name: string;
  /** How the agent is identified. */
  readonly match: AgentMatch;
  /** Roles that it may act for; empty: it acts for nobody. */
  readonly actsFor: readonly string[];
  /** Whether it may act alone, without a person. */
  readonly alone?: true;
  /** Most actors in a chain, this one included. */
  readonly hops: number;
  /** What its tokens must be bound to; absent for a service, which shows its certificate. */
  readonly bound?: Bound;
  /** Its budget for each person that it acts for; absent: the gateway's. */
  readonly limit?: Limit;
  readonly at: At;
}

/** What an agent's tokens must be bound to. `none` must be written; it is no default. */
export type Bound = BoundBy | 'none';

export type AgentMatch =
  /** It uses the inner listener, with the certificate of this service. */
  | { readonly kind: 'service'; readonly service: string }
  /** Its tokens were issued to this client, or name it as the actor. */
  | { readonly kind: 'client'; readonly client: string; readonly provider?: string }
  /** It sends a JWT-SVID with this id, or tokens that name it as the actor. */
  | { readonly kind: 'spiffe'; readonly spiffe: string; readonly provider?: string }
  /** Its tokens meet this fact. */
  | { readonly kind: 'claim'; readonly fact: ClaimFact };
