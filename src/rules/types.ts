import type { ClientCas, KnownAgents } from '../assertion/agent.ts';
import type { ReasonCode } from '../base/reasons.ts';
import type { Hide, LoggedClaim } from '../caller/claimed.ts';
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
} from '../policy/checked/types.ts';
import type { StepUp } from '../session/signin-table.ts';
import type { KeptClaims } from '../session/types.ts';
import type { TokenProvider } from '../token/types.ts';
import type { TableBudgets } from './budgets.ts';
import type { McpHeaders } from './tools.ts';

/** The paths of a rule. A prefix excludes the paths of more specific routes of the host. */
export type Path = { readonly exact: string } | { readonly prefix: string; readonly except: readonly Path[] };

/** A rule that allows the requests that it covers. No rule denies requests. */
export interface Rule {
  /** `route#n`, where n is the number of the rule in its route, from 1. */
  readonly id: string;
  readonly at: At;
  readonly route: string;
  readonly host: string;
  readonly path: Path;
  /** GET includes HEAD. Absent: all methods. */
  readonly methods?: readonly string[];
  readonly who: Who;
  readonly service: string;
  /** The mesh identity. Empty if nginx connects to the service directly. */
  readonly as: string;
}

/** A rule as a mesh enforces it. Its host and service are an authority or a workload, and `as` is the SPIFFE id. */
export interface MeshRule extends Rule {
  /** The agent in the assertion. null: no agent; absent: the policy has no agents, or the mesh does not read them. */
  readonly agent?: string | null;
  /** Whether the agent must be alone. Absent: the agent acts for a person, or the mesh does not read this. */
  readonly alone?: true;
  /** The tools that the agent may call. Absent: any request, or the mesh does not read tools. */
  readonly tools?: readonly string[];
  /** The assertion that the rule requires, in words. Absent: the rule requires no assertion, except for the role. */
  readonly asserted?: string;
}

export interface Request {
  readonly route: string;
  readonly method: string;
  /** The MCP headers; absent: the request has none. */
  readonly mcp?: McpHeaders;
}

export type Decision<R = Rule> =
  | {
      readonly allow: true;
      readonly rule: R;
      /** Whether only caller, route and method decided, so that the decision is the same for all such requests. */
      readonly replay: boolean;
    }
  | {
      readonly allow: false;
      readonly reason: ReasonCode;
      readonly nearest?: R;
      /** With `step_up_required`: the role that another sign-in would give to the caller. */
      readonly stepUp?: string;
      /** With `scope_missing`: the scopes that the request needs, separated by spaces. */
      readonly scope?: string;
    };

/** Keys of a route that the check reads as they are in the policy. Absent: the default applies. */
export const CHECKED = ['audiences', 'serviceCredential'] as const satisfies readonly (keyof Route)[];

export interface TableRoute extends Pick<Route, (typeof CHECKED)[number]> {
  readonly providers: readonly string[];
  /** Rules without `at` and `path`, because nginx has already matched the route. */
  readonly rules: readonly Pick<Rule, 'id' | 'methods' | 'who' | 'service' | 'as'>[];
  readonly headers: Headers;
  /** The kinds of credentials that the route accepts; absent: only bearer tokens. */
  readonly accept?: readonly CredentialKind[];
  /** The other origins whose pages may send requests with credentials; absent: no origin. */
  readonly origins?: readonly string[];
  /** The origins of pages that may send requests without credentials, if networks give roles. */
  readonly openOrigins?: readonly string[];
  readonly budgets?: TableBudgets;
  /** The team in whose file the host is, if the policy has roles of teams. */
  readonly team?: string;
}

/** The content of policy.js: the part of the policy for the gateway's JavaScript. */
export interface Table {
  /** A hash of everything that a cached caller depends on: providers, roles, and sources of headers. */
  readonly selection: string;
  readonly clockSkew: number;
  readonly tokenCache: number;
  readonly keys: { readonly refresh: number; readonly stale: number; readonly coolDown: number };
  readonly providers: Readonly<Record<string, TokenProvider>>;
  /** The names and facts of the roles, in the policy's order. Facts have no `at`. */
  readonly roles: readonly (readonly [name: string, fact: Fact])[];
  /** The team of each role that a team defines; absent: there are none. */
  readonly teams?: Readonly<Record<string, string>>;
  readonly claims: readonly string[];
  readonly sends: Sends;
  readonly agents?: readonly TokenAgent[];
  readonly logged?: Readonly<Record<string, readonly LoggedClaim[]>>;
  readonly hide?: Hide;
  /** The file of the keys for pseudonyms; absent: the log has subjects. */
  readonly pseudonyms?: string;
  /** Every identity header of the policy. In the check's response, the index of a header names its value. */
  readonly headerNames: readonly string[];
  readonly routes: Readonly<Record<string, TableRoute>>;
  /** How many bytes of a response the headers about a caller may have. */
  readonly answerRoom: number;
  readonly egress: string;
  readonly assertion?: Assertion;
  /** The agents at the inner listener; absent: the policy has no such agents. */
  readonly hop?: TableHop;
  readonly proof?: Omit<ProofPolicy, 'rate'> & {
    /** The number of proofs per second for one caller, and for one key. */
    readonly perCaller: number;
  };
  readonly session?: TableSession;
  /** The Unix socket of the check's server; absent: the gateway asks no provider about tokens. */
  readonly asking?: string;
  /** The requirements that the sign-in must request, for each role that has such requirements. */
  readonly stepUps?: Readonly<Record<string, StepUp>>;
  /** The scopes to request, separated by spaces, for each role that requires scopes. */
  readonly scopes?: Readonly<Record<string, string>>;
  /** The port of the hosts' public URLs; absent: 443. */
  readonly publicPort?: number;
  /** The header with the gateway's token, on routes that pass a service's credential on. */
  readonly credentialHeader?: string;
  /** Set if requests pass without being counted when the memory for counting is full. */
  readonly passWhenFull?: true;
  /** The conditions about the request in roles; absent: there are no such conditions. */
  readonly request?: TableRequest;
  /** Set if a route accepts certificates as credentials. */
  readonly certificates?: true;
}

export interface TableRequest {
  /** The ranges of each fact, separated by spaces. nginx says which ranges contain the client's address. */
  readonly networks: readonly string[];
  readonly certificates: readonly string[];
}

/** The claims that ID tokens may lack, for each provider. `help` says what to change at the provider. */
export type SigninHelp = Readonly<Record<string, readonly (readonly [claim: string, help: string])[]>>;

/** The settings to open sessions and to decide whether they are valid. */
export interface TableSession extends SessionPolicy {
  readonly keep: KeptClaims;
  /** The path of the unix socket of the check's server, which renews sessions. */
  readonly socket: string;
  /** Set if replicas share revocations. A replica accepts no sessions before it has read the revocations once. */
  readonly shared?: true;
  /** The claims that roles require and sign-ins may lack. Absent: these claims are unknown. */
  readonly help?: SigninHelp;
}

export interface TableHop extends ClientCas {
  /** A hash of everything that a cached caller at the inner listener depends on. */
  readonly selection: string;
  readonly agents: KnownAgents;
}
