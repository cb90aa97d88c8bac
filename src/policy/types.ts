/** The checked policy: every name resolved, every default filled in, every part with its place in the file. */

import type { At } from './at.ts';
import type { Agent, Role } from './caller-types.ts';
import type { GatewayLimits, Limit } from './limit-types.ts';
import type { Mesh, Service } from './mesh-types.ts';
import type { Message } from './message.ts';
import type {
  Client,
  Etcd,
  GroupsEndpoint,
  IntrospectionPolicy,
  ProviderSignin,
  SessionPolicy,
  SessionRoom,
  SigninPolicy,
  Tls,
} from './signin-types.ts';

export type { At } from './at.ts';
export type * from './caller-types.ts';
export type * from './limit-types.ts';
export type * from './mesh-types.ts';
export type { Message } from './message.ts';
export type * from './signin-types.ts';

export interface Policy {
  readonly version: 1;
  readonly gateway: Gateway;
  readonly providers: Readonly<Record<string, Provider>>;
  readonly roles: Readonly<Record<string, Role>>;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly mesh?: Mesh;
  readonly services: Readonly<Record<string, Service>>;
  readonly hosts: readonly Host[];
  readonly tests: readonly PolicyTest[];
}

export interface Gateway {
  /** Seconds by which `exp`, `nbf` and `iat` may be off. */
  readonly clockSkew: number;
  /** Longest time in seconds that a verified token is remembered. */
  readonly tokenCache: number;
  /** Life cycle of the providers' keys, seconds. */
  readonly keys: { readonly refresh: number; readonly stale: number; readonly coolDown: number };
  /** CIDR ranges whose `X-Forwarded-For` the gateway believes. */
  readonly trustedProxies: readonly string[];
  /** DNS servers for providers and ingress; empty: those of the machine that renders. */
  readonly resolver: readonly string[];
  /** Port of the image's own servers. */
  readonly listen: number;
  readonly tls?: Tls;
  /** Whether the image serves plain HTTP. */
  readonly insecureHttp: boolean;
  /** Whether networks of roles may overlap the trusted proxies. */
  readonly proxiedNetworks?: true;
  /** Set if services receive a signed assertion. */
  readonly assertion?: Assertion;
  /** Listener for probes: an address with its port, or a port on all addresses; absent: only the unix socket. */
  readonly health?: string;
  /** The listener where services send requests for people. */
  readonly inner?: Inner;
  /** Strict-Transport-Security in every response, seconds; absent: left to services. */
  readonly hsts?: { readonly maxAge: number; readonly subdomains: boolean };
  /** Port in the gateway's public URLs; absent: 443. */
  readonly publicPort?: number;
  /** Set if people sign in with browsers. */
  readonly session?: SessionPolicy;
  /** Set together with `session`. */
  readonly sessionRoom?: SessionRoom;
  readonly signin?: SigninPolicy;
  /** Settings of DPoP proofs; absent: a token that is bound to a DPoP key is refused. */
  readonly proof?: ProofPolicy;
  /** The store that several replicas share; absent: each is on its own. */
  readonly store?: Etcd;
  /** Default limits; absent: only those of hosts, routes and agents. */
  readonly limits?: GatewayLimits;
}

/** Settings of DPoP proofs. */
export interface ProofPolicy {
  /** Number of proofs per second, over all workers, for which the replay store has room. */
  readonly rate: number;
  /** Greatest age of a proof, seconds. */
  readonly age: number;
  /** Whether proofs need a nonce of the gateway. */
  readonly nonce?: true;
  /** File with the key of nonces, so that replicas agree on them; absent: each nginx has its own key. */
  readonly keysFile?: string;
}

/** The listener of the second hop. */
export interface Inner {
  /** Port of the image's own servers. */
  readonly listen: number;
  /** CA for the services' certificates. */
  readonly clientCaFile: string;
  /** Default: the host's, or the gateway's. */
  readonly tls?: Tls;
}

/** Settings of assertions. */
export interface Assertion {
  /** `iss`. */
  readonly issuer: string;
  /** JWKS with the private keys, read by the worker; the first one signs. */
  readonly keysFile: string;
  /** Seconds. */
  readonly lifetime: number;
  /** Whether it has the roles a second time, in a form that Consul can compare. */
  readonly byRole?: true;
}

export type Algorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA';

export interface Provider {
  readonly name: string;
  /** Name of a kind in src/providers/. */
  readonly kind: string;
  /** Compared exactly with `iss`; an `https:` URL unless {@link jwksUri} is given. */
  readonly issuer: string;
  /** If given, `iss` must be one of these instead: of each tenant, or in each spelling. */
  readonly issuers?: readonly string[];
  /** For JWT-SVIDs: the trust domain of their subjects. */
  readonly trustDomain?: string;
  /** URL of the keys; absent: from the issuer's discovery document. */
  readonly jwksUri?: string;
  /** One of these must be in `aud`. */
  readonly audiences: readonly string[];
  /** Whether `aud` is not checked. */
  readonly anyAudience?: true;
  /** If given, `azp`, `client_id`, `cid` or `appid` must be one of these. */
  readonly clients?: readonly string[];
  readonly algorithms: readonly Algorithm[];
  /** CA bundle for the provider's TLS certificate; default: the system's. */
  readonly caFile?: string;
  readonly subject: { readonly claim: string; readonly prefix: string };
  /** Whether its discovery document may name private addresses of other hosts than the issuer's. */
  readonly privateAddresses?: true;
  /** With a client, people can sign in with this provider, and it can be asked about tokens. */
  readonly client?: Client;
  /** Set together with {@link client}. */
  readonly signin?: ProviderSignin;
  /** Absent: only JWTs of this provider are accepted. */
  readonly introspection?: IntrospectionPolicy;
  /** Endpoint for callers with more groups than a token contains; absent: these callers are refused. */
  readonly groupsEndpoint?: GroupsEndpoint;
  readonly at: At;
}

/** Source of an identity header's value. */
export type HeaderSource =
  | 'subject'
  | 'email'
  | 'name'
  | 'groups'
  | 'roles'
  | 'provider'
  | 'actor'
  | { readonly claim: string }
  | { readonly firstRole: readonly (readonly [role: string, value: string])[]; readonly else?: string };

/** Header names in their written spelling, in a fixed order. */
export type Headers = Readonly<Record<string, HeaderSource>>;

export interface Host {
  /** `wiki.example.com` or `*.example.com`, lower case. */
  readonly name: string;
  readonly providers: readonly string[];
  readonly tls?: Tls;
  /** CA for clients' certificates: the host's own, or the gateway's; absent: no certificates are requested. */
  readonly clientCaFile?: string;
  /** For each caller, over all routes without a limit of their own; null: none. Absent: the gateway's. */
  readonly limit?: Limit | null;
  readonly routes: readonly Route[];
  readonly at: At;
}

export interface Route {
  /** Host and path as written, e.g. `wiki.example.com/rest/*`: the name in logs and in the check's path. */
  readonly name: string;
  readonly host: string;
  /** Without the `/*` of a prefix; `` is the prefix of everything. */
  readonly path: string;
  /** A prefix covers the path itself and all paths below it, by whole segments. */
  readonly kind: 'exact' | 'prefix';
  readonly service: string;
  readonly accept: readonly CredentialKind[];
  /** A token's `aud` must have one of these; absent: one of its provider's. */
  readonly audiences?: readonly string[];
  readonly allow: readonly Allow[];
  /** Global, host's and route's headers merged by name; without those that are `null`. */
  readonly headers: Headers;
  /** Absent: the defaults. */
  readonly proxy?: Proxying;
  /** Whether pages may register service workers: from below a folder, or from anywhere. Absent: not where people sign
   * in. */
  readonly serviceWorkers?: 'folder' | 'anywhere';
  /** Absent: pages of other origins may not send requests. */
  readonly cors?: Cors;
  /** For each caller on this route; null: none. Absent: the host's. */
  readonly limit?: Limit | null;
  /** The owner on the refusal page; the route's own or its host's. */
  readonly owner?: string;
  /** Link template of the refusal page: `{reason}`, `{request_id}`, `{route}`. */
  readonly ask?: string;
  readonly at: At;
}

/** A kind of credential. */
export type CredentialKind = 'bearer' | 'session' | 'certificate';

/** How nginx proxies requests: times in seconds, sizes in bytes. */
export interface Proxying {
  readonly connectTimeout: number;
  readonly sendTimeout: number;
  readonly readTimeout: number;
  /** 0: no limit. */
  readonly maxBody: number;
  /** Buffering of responses. */
  readonly buffering: boolean;
  readonly requestBuffering: boolean;
}

/** Pages of other origins that may send requests, and which ones (Fetch standard, section 3.2). */
export interface Cors {
  /** Exactly as browsers send them; only `*`: all, and never with credentials. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  /** Response headers that pages may read. */
  readonly expose: readonly string[];
  readonly credentials: boolean;
  /** Seconds. */
  readonly maxAge: number;
}

/** The people of a rule. */
export type PersonWho =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'role'; readonly role: string };

export type Who = PersonWho | AgentWho;

/** An agent, for a person whom another rule of the route allows by one of these roles only; or alone, if it may be. */
export interface AgentWho {
  readonly kind: 'agent';
  readonly agent: string;
  /** Empty: it acts for nobody. */
  readonly actsFor: readonly string[];
  readonly alone?: true;
  /** Tools that it may call, by name or prefix (`search_*`); absent: tools are not checked. */
  readonly tools?: readonly string[];
}

export interface Allow {
  readonly who: Who;
  /** Upper case; absent: all. GET includes HEAD. */
  readonly methods?: readonly string[];
  /** Service for these callers; absent: the route's. */
  readonly service?: string;
  /** Name of the mesh identity; default `default`. Empty if nginx connects to the service directly. */
  readonly as: string;
  readonly at: At;
}

/** The properties of a request besides its token. */
export interface AskedFrom {
  /** The client's address. */
  readonly network?: string;
  /** A name in the client's certificate. */
  readonly certificate?: string;
}

export interface PolicyTest {
  /** The caller: anonymous, with exactly these roles, perhaps through an agent, an agent alone, or with these
   * claims. */
  readonly as:
    | ({ readonly kind: 'nobody' } & AskedFrom)
    | { readonly kind: 'alone'; readonly agent: string }
    | { readonly kind: 'roles'; readonly roles: readonly string[]; readonly agent?: string }
    | (AskedFrom & {
        readonly kind: 'claims';
        readonly provider: string;
        readonly claims: Readonly<Record<string, unknown>>;
        /** Age of the sign-in, seconds; absent: by the claims. */
        readonly signedIn?: number;
      });
  readonly method: string;
  readonly url: string;
  /** The MCP message of the request; absent: none. */
  readonly message?: Message;
  /** `allowed` or a reason code. */
  readonly expect: string;
  readonly at: At;
}

/** One error in a policy, with what to write instead. */
export interface PolicyError {
  readonly at: At;
  /** Path in the file, e.g. `hosts."wiki.example.com"."/*".allow[1].role`. */
  readonly path: string;
  /** e.g. `no role "raeder"; did you mean "reader"?` */
  readonly message: string;
}
