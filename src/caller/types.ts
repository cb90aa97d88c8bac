import type { Agent, AgentMatch, Fact } from '../policy/types.ts';
import type { Binding, Claims, TokenProvider } from '../token/types.ts';

/** Who asks, as far as the rules are concerned. */
export interface Caller {
  readonly provider: string;
  /** The subject claim with the provider's prefix. */
  readonly subject: string;
  /** Only if the provider says it is verified and it has exactly one `@`, and a header sends it. */
  readonly email?: string;
  /** Only if a header sends it, as the groups. */
  readonly name?: string;
  /** In the order in which the policy defines them. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** Only the claims that the policy's headers name. */
  readonly claims: Claims;
  /** The agent that asks for them. */
  readonly agent?: string;
  /** That agent asks for itself: nobody is behind it, and the subject is its own. */
  readonly alone?: true;
  /** Who acts for them: SPIFFE ids, or names at the provider; the one that asks first. */
  readonly actors?: readonly string[];
  /** How their token is bound to a key of theirs; absent: it is not. */
  readonly binding?: Binding['kind'];
  /** When a role comes or goes because of how long ago they signed in, seconds since the epoch; absent: none does. */
  readonly until?: number;
  /** Roles that they lack only for how and when they signed in; absent: none. */
  readonly stepUp?: readonly string[];
  /** Roles that their token lacks only for want of scopes, each with the scopes that it takes; absent: none. */
  readonly scopeUp?: Readonly<Record<string, string>>;
  /** What their token says of each fact that roles of the request rest on, a letter each; absent: no role rests on such. */
  readonly truths?: string;
  /** Roles that they lack only for where they ask from; absent: none. */
  readonly elsewhere?: readonly string[];
  /** Host that verified the certificate which they, or a role of theirs, rest on; known at the second hop only. */
  readonly certificateHost?: string;
  /** There is no credential: roles are by the request alone. */
  readonly nobody?: true;
}

/** What of the rendered policy says who a caller is; the whole table is one. */
export interface CallerTable {
  readonly providers: Readonly<Record<string, TokenProvider>>;
  /** Name and fact, in the policy's order. */
  readonly roles: readonly (readonly [name: string, fact: Fact])[];
  /** Claims that headers name. */
  readonly claims: readonly string[];
  /** What else of a caller some header sends: nothing more is worked out, each new token passes there. */
  readonly sends: Sends;
  /** Agents that come with tokens, in the policy's order; absent: none. */
  readonly agents?: readonly TokenAgent[];
  /** Some route takes certificates as credentials: their subjects are nobody else's. */
  readonly certificates?: true;
}

/** An agent that comes with tokens. */
export interface TokenAgent extends Omit<Agent, 'match' | 'limit' | 'at'> {
  readonly match: Exclude<AgentMatch, { kind: 'service' }>;
}

/** Which of a caller's own values some header of the policy sends. */
export interface Sends {
  readonly email: boolean;
  readonly name: boolean;
  readonly groups: boolean;
}
