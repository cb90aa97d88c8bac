import type { ClientCas, KnownAgents } from '../assertion/agent.ts';
import type { Sends, TokenAgent } from '../caller/types.ts';
import type {
  Assertion,
  At,
  CredentialKind,
  Fact,
  Headers,
  ProofPolicy,
  Route,
  SessionPolicy,
  Who,
} from '../policy/types.ts';
import type { ReasonCode } from '../reasons.ts';
import type { StepUp } from '../session/signin-table.ts';
import type { KeptClaims } from '../session/types.ts';
import type { TokenProvider } from '../token/types.ts';
import type { TableBudgets } from './budgets.ts';
import type { McpHeaders } from './tools.ts';

/** The paths of a rule. A prefix excludes the paths of more specific routes of the host. */
export type Path = { readonly exact: string } | { readonly prefix: string; readonly except: readonly Path[] };

/** One positive statement: it allows the requests that it covers. */
export interface Rule {
  /** `route#n`, n counting from 1 as written. */
  readonly id: string;
  readonly at: At;
  readonly route: string;
  readonly host: string;
  readonly path: Path;
  /** GET includes HEAD; absent: all methods. */
  readonly methods?: readonly string[];
  readonly who: Who;
  readonly service: string;
  /** Mesh identity; empty if nginx connects to the service directly. */
  readonly as: string;
}

/** A rule as a mesh enforces it. Host and service are an authority or a workload, and `as` is the SPIFFE id of the
 * connection. */
export interface MeshRule extends Rule {
  /** The value that `agent` in the assertion must have: a name; null: none; absent: the policy has no agents, or the
   * mesh does not read it. */
  readonly agent?: string | null;
  /** Whether that agent is alone; absent: it acts for a person, or the mesh does not read it. */
  readonly alone?: true;
  /** Tools that the agent may call, as policies write them; absent: any request, or the mesh does not read them. */
  readonly tools?: readonly string[];
  /** The required assertion, in words; absent: none, except for the role. */
  readonly asserted?: string;
}

/** The parts of a request that rules read. */
export interface Request {
  readonly route: string;
  readonly method: string;
  /** Its MCP headers; absent: none. */
  readonly mcp?: McpHeaders;
}

export type Decision<R = Rule> =
  | {
      readonly allow: true;
      readonly rule: R;
      /** Caller, route and method alone decided: it holds for each request that has the same. */
      readonly replay: boolean;
    }
  | {
      readonly allow: false;
      readonly reason: ReasonCode;
      readonly nearest?: R;
      /** With `step_up_required`: the role that another sign-in would give. */
      readonly stepUp?: string;
      /** With `scope_missing`: the scopes that the request needs, separated by spaces. */
      readonly scope?: string;
    };

/** Keys of a route that the check gets as the policy says them; absent: as usual. */
export const CHECKED = ['audiences'] as const satisfies readonly (keyof Route)[];

/** The part of a route that the check needs. */
export interface TableRoute extends Pick<Route, (typeof CHECKED)[number]> {
  readonly providers: readonly string[];
  /** Without `at` and `path`: nginx has already matched the route. */
  readonly rules: readonly Pick<Rule, 'id' | 'methods' | 'who' | 'service' | 'as'>[];
  readonly headers: Headers;
  /** Accepted kinds of credentials; absent: bearer tokens. */
  readonly accept?: readonly CredentialKind[];
  /** Other origins whose pages may send requests with credentials; absent: none. */
  readonly origins?: readonly string[];
  /** The same without credentials, for routes where a network gives roles. */
  readonly openOrigins?: readonly string[];
  /** Budgets of its requests; absent: none. */
  readonly budgets?: TableBudgets;
}

/** policy.js: the part of the policy for the gateway's JavaScript. */
export interface Table {
  /** Hash of what a cached caller depends on: providers, roles, and sources of headers. */
  readonly selection: string;
  readonly clockSkew: number;
  readonly tokenCache: number;
  readonly keys: { readonly refresh: number; readonly stale: number; readonly coolDown: number };
  readonly providers: Readonly<Record<string, TokenProvider>>;
  /** Name and fact, in the policy's order; facts without `at`. */
  readonly roles: readonly (readonly [name: string, fact: Fact])[];
  /** Claims that headers send. */
  readonly claims: readonly string[];
  readonly sends: Sends;
  /** Agents that send tokens; absent: none. */
  readonly agents?: readonly TokenAgent[];
  /** Every identity header of the policy. Its index names its value in the check's answer. */
  readonly headerNames: readonly string[];
  readonly routes: Readonly<Record<string, TableRoute>>;
  /** Bytes for the headers about a caller in an answer. */
  readonly answerRoom: number;
  /** Unix socket of the egress server. */
  readonly egress: string;
  readonly assertion?: Assertion;
  /** Agents at the inner listener, if the policy has any. */
  readonly hop?: TableHop;
  /** Settings of DPoP proofs. */
  readonly proof?: Omit<ProofPolicy, 'rate'> & {
    /** Proofs per second for one caller, and for one key. */
    readonly perCaller: number;
  };
  /** Settings of sessions, if browsers sign in. */
  readonly session?: TableSession;
  /** Unix socket of the check's server, if providers are asked about tokens; absent: none is. */
  readonly asking?: string;
  /** By role, for roles that require something of the sign-in. */
  readonly stepUps?: Readonly<Record<string, StepUp>>;
  /** By role, for roles that require scopes: those to request, separated by spaces. */
  readonly scopes?: Readonly<Record<string, string>>;
  /** Port of the hosts' public URLs; absent: 443. */
  readonly publicPort?: number;
  /** Requests pass uncounted if there is no room to count them. */
  readonly passWhenFull?: true;
  /** Conditions of roles for the request, if there are any. */
  readonly request?: TableRequest;
  /** Whether a route accepts certificates as credentials. */
  readonly certificates?: true;
}

/** Conditions of roles for the request. */
export interface TableRequest {
  /** The ranges of each fact, separated by spaces. nginx says for each whether the client's address is in it. */
  readonly networks: readonly string[];
  /** Names in certificates. */
  readonly certificates: readonly string[];
}

/** By provider: claims that its ID tokens may lack, each with what to change at the provider. */
export type SigninHelp = Readonly<Record<string, readonly (readonly [claim: string, help: string])[]>>;

/** Settings to open and judge sessions. */
export interface TableSession extends SessionPolicy {
  readonly keep: KeptClaims;
  /** Path of the unix socket of the check's server, where sessions are renewed. */
  readonly socket: string;
  /** Several replicas share their revocations. None accepts sessions before it has read them once. */
  readonly shared?: true;
  /** Claims that roles require; absent: not known which of them a sign-in may lack. */
  readonly help?: SigninHelp;
}

/** Settings of the second hop. */
export interface TableHop extends ClientCas {
  /** Hash of what a cached caller depends on there. */
  readonly selection: string;
  readonly agents: KnownAgents;
}
