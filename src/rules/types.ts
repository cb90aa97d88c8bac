import type { ClientCas, KnownAgents } from '../assertion/agent.ts';
import type { Sends, TokenAgent } from '../caller/types.ts';
import type { Assertion, At, CredentialKind, Fact, Headers, ProofPolicy, SessionPolicy, Who } from '../policy/types.ts';
import type { ReasonCode } from '../reasons.ts';
import type { StepUp } from '../session/signin-table.ts';
import type { KeptClaims } from '../session/types.ts';
import type { TokenProvider } from '../token/types.ts';
import type { TableBudgets } from './budgets.ts';
import type { McpHeaders } from './tools.ts';

/** Which paths a rule speaks of. A prefix leaves out what more specific routes of the host take. */
export type Path = { readonly exact: string } | { readonly prefix: string; readonly except: readonly Path[] };

/** One positive statement: a request it covers is allowed. */
export interface Rule {
  /** `route#n`, n counting from 1 as written. */
  readonly id: string;
  readonly at: At;
  readonly route: string;
  readonly host: string;
  readonly path: Path;
  /** With HEAD beside GET; absent: all. */
  readonly methods?: readonly string[];
  readonly who: Who;
  readonly service: string;
  /** Mesh identity; empty when the service is reached directly. */
  readonly as: string;
}

/**
 * A rule as a mesh keeps it: an authority or a workload stands for host and service, and `as` is the SPIFFE id of the
 * connection.
 */
export interface MeshRule extends Rule {
  /**
   * What `agent` in the assertion must be: a name; null: there must be none; absent: the policy has no agents, or the
   * mesh does not look.
   */
  readonly agent?: string | null;
  /** That agent asks for itself; absent: for a person, or the mesh does not look. */
  readonly alone?: true;
  /** Tools that the agent calls, as policies write them; absent: whatever it asks, or the mesh does not look. */
  readonly tools?: readonly string[];
  /** The assertion that has to come along, in words; absent: none is looked at, but for the role. */
  readonly asserted?: string;
}

/** What of a request the rules look at. */
export interface Request {
  readonly route: string;
  readonly method: string;
  /** What it says of itself as a message of MCP; absent: nothing. */
  readonly mcp?: McpHeaders;
}

export type Decision<R = Rule> =
  | { readonly allow: true; readonly rule: R }
  | {
      readonly allow: false;
      readonly reason: ReasonCode;
      readonly nearest?: R;
      /** With `step_up_required`: the role that another sign-in would give. */
      readonly stepUp?: string;
      /** With `scope_missing`: the scopes that the request takes, spaces between. */
      readonly scope?: string;
    };

/** What the check needs of one route. */
export interface TableRoute {
  readonly providers: readonly string[];
  /** Without `at` and `path`: nginx has matched already. */
  readonly rules: readonly Pick<Rule, 'id' | 'methods' | 'who' | 'service' | 'as'>[];
  readonly headers: Headers;
  /** What a token must be for; absent: for an audience of its provider. */
  readonly audiences?: readonly string[];
  /** What callers may show; absent: a bearer token. */
  readonly accept?: readonly CredentialKind[];
  /** Origins of others whose pages may ask with credentials; absent: none. */
  readonly origins?: readonly string[];
  /** The same without credentials, where a network gives roles. */
  readonly openOrigins?: readonly string[];
  /** What is counted of its requests; absent: nothing. */
  readonly budgets?: TableBudgets;
}

/** policy.js: all that the gateway's JavaScript knows of the policy. */
export interface Table {
  /** Hash of what a cached caller depends on: providers, roles, what headers send. */
  readonly selection: string;
  readonly clockSkew: number;
  readonly tokenCache: number;
  readonly keys: { readonly refresh: number; readonly stale: number; readonly coolDown: number };
  readonly providers: Readonly<Record<string, TokenProvider>>;
  /** Name and fact, in the policy's order; a fact without `at`. */
  readonly roles: readonly (readonly [name: string, fact: Fact])[];
  /** Claims that headers name. */
  readonly claims: readonly string[];
  readonly sends: Sends;
  /** Agents that come with tokens; absent: none. */
  readonly agents?: readonly TokenAgent[];
  /** Every identity header of the policy; a value travels from the check to nginx under its index here. */
  readonly headerNames: readonly string[];
  readonly routes: Readonly<Record<string, TableRoute>>;
  /** Bytes that the lines about a caller may take in an answer. */
  readonly answerRoom: number;
  /** Unix socket of the egress server. */
  readonly egress: string;
  readonly assertion?: Assertion;
  /** Who may ask on the inner listener, where the policy has agents. */
  readonly hop?: TableHop;
  /** How DPoP proofs are taken. */
  readonly proof?: Omit<ProofPolicy, 'rate'> & {
    /** Proofs that one caller may use in a second, and one key. */
    readonly perCaller: number;
  };
  /** Where browsers sign in. */
  readonly session?: TableSession;
  /** Unix socket of the check's server, where providers are asked about tokens; absent: none is. */
  readonly asking?: string;
  /** By role, where roles ask for something of the sign-in. */
  readonly stepUps?: Readonly<Record<string, StepUp>>;
  /** By role, where roles take scopes: those to ask for, spaces between. */
  readonly scopes?: Readonly<Record<string, string>>;
  /** Port of the hosts' own URLs; absent: 443. */
  readonly publicPort?: number;
  /** Requests pass uncounted where there is no room to count them. */
  readonly passWhenFull?: true;
  /** What roles ask of the request, where they do. */
  readonly request?: TableRequest;
  /** Some route takes certificates as credentials. */
  readonly certificates?: true;
}

/** What roles ask of the request. */
export interface TableRequest {
  /** Ranges of one fact each, joined by spaces; nginx says of each whether the client's address is in it. */
  readonly networks: readonly string[];
  /** Names in certificates. */
  readonly certificates: readonly string[];
}

/** By provider: claims that its ID tokens may lack, each with what to do at the provider. */
export type SigninHelp = Readonly<Record<string, readonly (readonly [claim: string, help: string])[]>>;

/** What sessions are opened and judged by. */
export interface TableSession extends SessionPolicy {
  readonly keep: KeptClaims;
  /** Path of the check server's unix socket, where sessions are renewed. */
  readonly socket: string;
  /** Several replicas share what is revoked: none takes sessions before it has read that once. */
  readonly shared?: true;
  /** Claims that roles rest on; absent: nothing is known of what a sign-in may lack. */
  readonly help?: SigninHelp;
}

/** What the second hop is decided by. */
export interface TableHop extends ClientCas {
  /** Hash of what a cached caller depends on there. */
  readonly selection: string;
  readonly agents: KnownAgents;
}
