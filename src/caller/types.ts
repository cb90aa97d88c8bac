import type { Agent, AgentMatch, Fact } from '../policy/checked/types.ts';
import type { Binding, Claims, TokenProvider } from '../token/types.ts';
import type { Hide, LoggedClaim } from './claimed.ts';

/** The caller of a request, as the rules need it. */
export interface Caller {
  readonly provider: string;
  /** The subject claim, preceded by the provider's prefix. */
  readonly subject: string;
  /** The e-mail address. It is set only if the provider has verified it, it has exactly one `@`, and a header sends it. */
  readonly email?: string;
  /** The name. It is set only if a header sends it, as are the groups. */
  readonly name?: string;
  /** The roles in the policy's order. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** The claims that the policy's headers send, and no others. */
  readonly claims: Claims;
  /** The agent that acts for the person. */
  readonly agent?: string;
  /** Whether the agent is alone: it acts for no person, and the subject is the agent itself. */
  readonly alone?: true;
  /** The actor chain, the current actor first: SPIFFE ids, or names at the provider. */
  readonly actors?: readonly string[];
  /** What the token is bound to; absent: the token is not bound. */
  readonly binding?: Binding['kind'];
  /** When the age of the sign-in next changes the roles, in seconds since the epoch; absent: never. */
  readonly until?: number;
  /** Roles that the caller lacks only because of how and when the person signed in; absent: none. */
  readonly stepUp?: readonly string[];
  /** Roles that the token lacks only because of scopes, each with the scopes that it requires; absent: none. */
  readonly scopeUp?: Readonly<Record<string, string>>;
  /** The truth of each fact of the token on which the request's roles depend, as letters; absent: none. */
  readonly truths?: string;
  /** Roles that the caller lacks only because of the client's address; absent: none. */
  readonly elsewhere?: readonly string[];
  /** The host that verified the certificate on which the caller or a role depends. It is known only at the second hop. */
  readonly certificateHost?: string;
  /** The claims that roles read, as JSON for the log, see `claimedBy`; absent: the log has no claims. */
  readonly claimed?: string;
  /** Whether the caller is anonymous. The request itself then gives the roles. */
  readonly nobody?: true;
}

/** The part of the rendered policy that determines callers. The whole table has this type too. */
export interface CallerTable {
  readonly providers: Readonly<Record<string, TokenProvider>>;
  /** Names and facts of the roles, in the policy's order. */
  readonly roles: readonly (readonly [name: string, fact: Fact])[];
  readonly claims: readonly string[];
  /** Which other values of a caller a header sends. To save time, values that no header sends are not computed. */
  readonly sends: Sends;
  /** Agents that send tokens, in the policy's order; absent: none. */
  readonly agents?: readonly TokenAgent[];
  /** Whether a route accepts certificates as credentials. Then the subjects of certificates are reserved. */
  readonly certificates?: true;
  /** For each provider, the claims that the log contains; absent: the log contains none. */
  readonly logged?: Readonly<Record<string, readonly LoggedClaim[]>>;
  /** Set if the log has pseudonyms: hides values of these claims that may name a person. */
  readonly hide?: Hide;
  /** For each role, the scopes that a client must request; absent: no role depends on scopes. */
  readonly scopes?: Readonly<Record<string, string>>;
}

export interface TokenAgent extends Omit<Agent, 'match' | 'limit' | 'at'> {
  readonly match: Exclude<AgentMatch, { kind: 'service' }>;
}

/** Which values of a caller some header of the policy sends. */
export interface Sends {
  readonly email: boolean;
  readonly name: boolean;
  readonly groups: boolean;
}
