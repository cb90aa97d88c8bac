import type { Agent, AgentMatch, Fact } from '../policy/types.ts';
import type { Binding, Claims, TokenProvider } from '../token/types.ts';

/** The caller of a request, as the rules need it. */
export interface Caller {
  readonly provider: string;
  /** The subject claim with the provider's prefix. */
  readonly subject: string;
  /** Only if the provider says that it is verified, it has exactly one `@`, and a header sends it. */
  readonly email?: string;
  /** Only if a header sends it; the same applies to groups. */
  readonly name?: string;
  /** In the policy's order. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** Only the claims that the policy's headers send. */
  readonly claims: Claims;
  /** The agent that acts for the person. */
  readonly agent?: string;
  /** The agent is alone: no person is behind it, and the subject is its own. */
  readonly alone?: true;
  /** The actor chain, the current actor first: SPIFFE ids, or names at the provider. */
  readonly actors?: readonly string[];
  /** How the token is bound to a key; absent: it is not. */
  readonly binding?: Binding['kind'];
  /** When a role is gained or lost because of the age of the sign-in, seconds since the epoch; absent: never. */
  readonly until?: number;
  /** Roles that the caller lacks only because of how and when the person signed in; absent: none. */
  readonly stepUp?: readonly string[];
  /** Roles that the token lacks only because of scopes, each with the scopes that it requires; absent: none. */
  readonly scopeUp?: Readonly<Record<string, string>>;
  /** What the token says about each fact that roles of the request depend on, one letter each; absent: there are
   * none. */
  readonly truths?: string;
  /** Roles that the caller lacks only because of the address; absent: none. */
  readonly elsewhere?: readonly string[];
  /** Host that verified the certificate which the caller, or one of the roles, depends on; known only at the second
   * hop. */
  readonly certificateHost?: string;
  /** There is no credential: the request itself gives the roles. */
  readonly nobody?: true;
}

/** The part of the rendered policy that determines callers; the whole table has this type too. */
export interface CallerTable {
  readonly providers: Readonly<Record<string, TokenProvider>>;
  /** Name and fact, in the policy's order. */
  readonly roles: readonly (readonly [name: string, fact: Fact])[];
  /** Claims that headers send. */
  readonly claims: readonly string[];
  /** What else of a caller some header sends. Nothing more is computed, because each new token needs it. */
  readonly sends: Sends;
  /** Agents that send tokens, in the policy's order; absent: none. */
  readonly agents?: readonly TokenAgent[];
  /** Whether a route accepts certificates as credentials, so that their subjects are reserved. */
  readonly certificates?: true;
  /** By role, the scopes to ask for; absent: no role takes scopes. */
  readonly scopes?: Readonly<Record<string, string>>;
}

/** An agent that sends tokens. */
export interface TokenAgent extends Omit<Agent, 'match' | 'limit' | 'at'> {
  readonly match: Exclude<AgentMatch, { kind: 'service' }>;
}

/** Which of a caller's own values some header of the policy sends. */
export interface Sends {
  readonly email: boolean;
  readonly name: boolean;
  readonly groups: boolean;
}
