import type { Limit } from './limit-types.ts';
import type { At } from './types.ts';

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

/**
 * What can be true of a token, or of a request. `claim` with `is` holds if the claim, or an element of it when it is an array,
 * equals the value; with `has`, if an array or space-delimited string contains it; with `like`, if the text, or an element,
 * is as the pattern says, in which `*` stands for any characters.
 * `none` is false where a fact's claim is absent.
 */
export type Fact =
  | { readonly op: 'group'; readonly value: string; readonly provider?: string; readonly at: At }
  | {
      readonly op: 'is' | 'has';
      readonly claim: string;
      readonly value: string | number | boolean;
      readonly provider?: string;
      readonly at: At;
    }
  | {
      readonly op: 'like';
      readonly claim: string;
      readonly value: string;
      readonly provider?: string;
      readonly at: At;
    }
  | { readonly op: 'scope'; readonly value: string; readonly provider?: string; readonly at: At }
  | { readonly op: 'provider'; readonly value: string; readonly at: At }
  /** How the person signed in; a step up may make it true. */
  | { readonly op: 'acr'; readonly value: string; readonly provider?: string; readonly at: At }
  /** Seconds since the person signed in, at most. */
  | { readonly op: 'max_age'; readonly value: number; readonly provider?: string; readonly at: At }
  /** The token is bound to a key of the sender's; who passes with one has proved it. */
  | { readonly op: 'bound'; readonly value: BoundBy; readonly at: At }
  /** Ranges of addresses, of which the client's is in one. */
  | { readonly op: 'network'; readonly value: readonly string[]; readonly at: At }
  /** A name in the client's certificate: a SPIFFE id, a DNS name, or `*.` and one. */
  | { readonly op: 'certificate'; readonly value: string; readonly at: At }
  | { readonly op: 'role'; readonly value: string; readonly at: At }
  | { readonly op: 'any' | 'all' | 'none'; readonly facts: readonly Fact[]; readonly at: At };

/** A fact about one claim. */
export type ClaimFact = Extract<Fact, { readonly claim: string }>;

/** How a token has to be bound to its sender: to a DPoP key, to a client certificate, or to either. */
export type BoundBy = 'dpop' | 'certificate' | 'any';
