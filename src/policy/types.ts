/** The checked policy: every name resolved, every default filled in, every part with its place in the file. */

import type { GatewayLimits, Limit } from './limit-types.ts';
import type {
  Client,
  Etcd,
  GroupsEndpoint,
  IntrospectionPolicy,
  ProviderSignin,
  SessionPolicy,
  SigninPolicy,
} from './signin-types.ts';

export type * from './limit-types.ts';
export type * from './signin-types.ts';

/** A place in a policy file; lines and columns count from 1. */
export interface At {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

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
  /** CIDR ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** DNS servers for providers and ingress; empty: those of the machine that renders. */
  readonly resolver: readonly string[];
  /** Port of the image's own servers. */
  readonly listen: number;
  readonly tls?: Tls;
  /** The image serves plain HTTP. */
  readonly insecureHttp: boolean;
  /** Services receive a signed statement of who asks. */
  readonly assertion?: Assertion;
  /** Where probes ask: an address with its port, or a port of all addresses; absent: on the unix socket alone. */
  readonly health?: string;
  /** Services come here, for the person whose request they serve. */
  readonly inner?: Inner;
  /** Port in the gateway's own URLs, as browsers see it; absent: 443. */
  readonly publicPort?: number;
  /** Browsers sign in; absent: nobody does. */
  readonly session?: SessionPolicy;
  readonly signin?: SigninPolicy;
  /** DPoP proofs are taken; absent: a token that is bound to a DPoP key is refused. */
  readonly proof?: ProofPolicy;
  /** What several replicas share; absent: each is on its own. */
  readonly store?: Etcd;
  /** How much callers may ask for; absent: what hosts, routes and agents say. */
  readonly limits?: GatewayLimits;
}

/** How DPoP proofs are taken. */
export interface ProofPolicy {
  /** So many a second, of all workers together, the replay store has room for. */
  readonly rate: number;
  /** Seconds that a proof may be old. */
  readonly age: number;
  /** Proofs need a nonce of the gateway. */
  readonly nonce?: true;
  /** What nonces are made with, so that replicas agree on them; absent: each nginx has its own. */
  readonly keysFile?: string;
}

/** The listener of the second hop. */
export interface Inner {
  /** Port of the image's own servers. */
  readonly listen: number;
  /** CA that the services' certificates are verified with. */
  readonly clientCaFile: string;
  /** Default: the host's, or the gateway's. */
  readonly tls?: Tls;
}

/** How the gateway signs what it says of callers. */
export interface Assertion {
  /** `iss`. */
  readonly issuer: string;
  /** JWKS with the private keys, read by the worker; the first one signs. */
  readonly keysFile: string;
  /** Seconds. */
  readonly lifetime: number;
  /** It names the roles a second time, in a form that Consul can compare. */
  readonly byRole?: true;
}

export interface Tls {
  readonly certFile: string;
  readonly keyFile: string;
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
  /** Name of the frozen record in src/providers/. */
  readonly kind: string;
  /** Compared exactly with `iss`; an `https:` URL unless {@link jwksUri} says where the keys are. */
  readonly issuer: string;
  /** If given, `iss` is one of these instead: of each tenant, or in each spelling. */
  readonly issuers?: readonly string[];
  /** Of JWT-SVIDs: the trust domain of their subjects. */
  readonly trustDomain?: string;
  /** Where the keys are; absent: where the issuer's discovery document says. */
  readonly jwksUri?: string;
  /** One of these must be in `aud`. */
  readonly audiences: readonly string[];
  /** `aud` is not looked at. */
  readonly anyAudience?: true;
  /** If given, `azp`, `client_id` or `cid` must be one of these. */
  readonly clients?: readonly string[];
  readonly algorithms: readonly Algorithm[];
  /** CA bundle to verify the provider's TLS certificate with; default the system's. */
  readonly caFile?: string;
  readonly subject: { readonly claim: string; readonly prefix: string };
  /** Its discovery document may lead to private addresses of other hosts than the issuer's. */
  readonly privateAddresses?: true;
  /** With it, people sign in through this provider, and it can be asked about tokens. */
  readonly client?: Client;
  /** There where {@link client} is. */
  readonly signin?: ProviderSignin;
  /** Absent: of this provider JWTs alone are taken. */
  readonly introspection?: IntrospectionPolicy;
  /** Who has more groups than a token takes is asked for there; absent: they are refused. */
  readonly groupsEndpoint?: GroupsEndpoint;
  readonly at: At;
}

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

/** A key that tokens are bound to: of DPoP, of the TLS client certificate, of either, or none. */
export type Bound = 'dpop' | 'certificate' | 'any' | 'none';

export type AgentMatch =
  /** Comes to the inner listener, with the certificate of this service. */
  | { readonly kind: 'service'; readonly service: string }
  /** Comes with tokens that were issued to this client, or name it as who acts. */
  | { readonly kind: 'client'; readonly client: string; readonly provider?: string }
  /** Comes with a JWT-SVID of this id, or with tokens that name it as who acts. */
  | { readonly kind: 'spiffe'; readonly spiffe: string; readonly provider?: string }
  /** Comes with tokens of which this is true. */
  | { readonly kind: 'claim'; readonly fact: Fact };

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

/** How a token has to be bound to its sender: to a DPoP key, to a client certificate, or to either. */
export type BoundBy = 'dpop' | 'certificate' | 'any';

export type MeshKind = 'envoy' | 'istio' | 'linkerd' | 'consul';

export interface Mesh {
  readonly kind: MeshKind;
  readonly trustDomain: string;
  /** Longest time in seconds that a certificate is shown after it was replaced, on kept connections too. */
  readonly rotation: number;
  /** The only door, or the first of several: of a policy {@link atIngress | seen by one}, that one. */
  readonly ingress: Ingress;
  /** All doors by name; the only one of `mesh.ingress` is `default`. */
  readonly ingresses: Readonly<Record<string, Ingress>>;
  readonly identities: Readonly<Record<string, Identity>>;
  /** CA that Consul's proxies verify the gateway with when they fetch its keys, as they see the file. */
  readonly assertionCaFile?: string;
  readonly at: At;
}

export interface Ingress {
  /** `default` where the policy names none. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** DNS name in the ingress's certificate (nginx cannot verify a SPIFFE-only one). */
  readonly serverName: string;
  /** CA that the ingress's certificate is verified with. */
  readonly caFile: string;
  /** The ingress's own side, as its container sees it; what `--target envoy` needs. */
  readonly own?: {
    readonly certFile: string;
    readonly keyFile: string;
    readonly clientCaFile: string;
    readonly listen: number;
    /** The gateway's public keys; with them the ingress verifies the assertion. */
    readonly assertionJwksFile?: string;
  };
  /** Kubernetes namespace of the ingress. */
  readonly namespace?: string;
  /** Labels of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What its pods run as; workloads let nobody else in. */
  readonly serviceAccount?: string;
  /** What it is registered as in Consul; workloads let nobody else in. */
  readonly consulService?: string;
  readonly at: At;
}

/** A workload certificate that nginx connects with. One PEM holding both is the form that rotates safely. */
export interface Identity {
  readonly name: string;
  readonly spiffe: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly at: At;
}

export interface Service {
  readonly name: string;
  /** `Host` that the service receives. */
  readonly authority: string;
  /** Where the mesh ingress finds it (`--target envoy`): host and port; default the authority, port 80. */
  readonly endpoint: { readonly host: string; readonly port: number };
  /** What it speaks, and the ingress for it; absent: HTTP/1.1. */
  readonly protocol?: 'http2' | 'grpc';
  /** Name of the ingress that it is reached through; absent: `default`. */
  readonly ingress?: string;
  /** Set when the service is reached directly and not through the mesh ingress. */
  readonly direct?: {
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    readonly caFile?: string;
    readonly serverName: string;
  };
  /** Kubernetes namespace of the workload. */
  readonly namespace?: string;
  /** Labels of its pods. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Port that the workload itself listens on. */
  readonly port?: number;
  /** SPIFFE id of the service's own workload: what it shows where it acts for a person. */
  readonly spiffe?: string;
  /** What it is registered as in Consul; absent: its name. */
  readonly consulService?: string;
  readonly at: At;
}

/** Where the value of an identity header comes from. */
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
  /** CA that clients' certificates are verified with: the host's own, or the gateway's; absent: none is asked for. */
  readonly clientCaFile?: string;
  /** For each caller, over all routes without one of their own; null: none. Absent: what the gateway says. */
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
  /** A prefix on a segment covers the path itself and all below it. */
  readonly kind: 'exact' | 'prefix';
  readonly service: string;
  readonly accept: readonly CredentialKind[];
  /** One of these must be in a token's `aud`; absent: one of its provider's. */
  readonly audiences?: readonly string[];
  readonly allow: readonly Allow[];
  /** Global, host's and route's headers merged by name; what is `null` there is gone here. */
  readonly headers: Headers;
  /** Absent: as usual. */
  readonly proxy?: Proxying;
  /** Absent: pages of other origins may not ask. */
  readonly cors?: Cors;
  /** For each caller on this route; null: none. Absent: what the host says. */
  readonly limit?: Limit | null;
  /** Whom the denied page names; the route's own or its host's. */
  readonly owner?: string;
  /** Link template of the denied page: `{reason}`, `{request_id}`, `{route}`. */
  readonly ask?: string;
  readonly at: At;
}

/** What a caller may show. */
export type CredentialKind = 'bearer' | 'session' | 'certificate';

/** How nginx carries requests: times in seconds, sizes in bytes. */
export interface Proxying {
  readonly connectTimeout: number;
  readonly sendTimeout: number;
  readonly readTimeout: number;
  /** 0: any. */
  readonly maxBody: number;
  /** Of answers. */
  readonly buffering: boolean;
  readonly requestBuffering: boolean;
}

/** Which pages of other origins may ask, and what (Fetch standard, section 3.2). */
export interface Cors {
  /** Exactly as browsers send them; `*` alone: all, and never with credentials. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  /** Headers of answers that pages may read. */
  readonly expose: readonly string[];
  readonly credentials: boolean;
  /** Seconds. */
  readonly maxAge: number;
}

/** Whom of the people a rule speaks of. */
export type PersonWho =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'role'; readonly role: string };

export type Who = PersonWho | AgentWho;

/**
 * An agent, for a person whom another rule of the route lets pass by no other roles than these; where it may be alone,
 * for nobody but itself too.
 */
export interface AgentWho {
  readonly kind: 'agent';
  readonly agent: string;
  /** None: for no person. */
  readonly actsFor: readonly string[];
  readonly alone?: true;
  /** Tools that it may call, by name or by what names begin with (`search_*`); absent: no request is looked at so. */
  readonly tools?: readonly string[];
}

export interface Allow {
  readonly who: Who;
  /** Upper case; absent: all. GET includes HEAD. */
  readonly methods?: readonly string[];
  /** Where these callers go; absent: to the route's service. */
  readonly service?: string;
  /** Name of the mesh identity; `default` unless said. Empty when the service is reached directly. */
  readonly as: string;
  readonly at: At;
}

/** What a request says beside its token. */
export interface AskedFrom {
  /** The client's address. */
  readonly network?: string;
  /** The name in the certificate that it shows. */
  readonly certificate?: string;
}

/** A message of the Model Context Protocol, as far as rules look at one. */
export interface Message {
  /** Method of the JSON-RPC message, e.g. `tools/call`. */
  readonly method: string;
  /** Name of the tool or prompt, or URI of the resource. */
  readonly name?: string;
}

export interface PolicyTest {
  /**
   * Who asks: nobody, somebody with exactly these roles, perhaps through an agent, an agent by itself, or somebody with
   * these claims.
   */
  readonly as:
    | ({ readonly kind: 'nobody' } & AskedFrom)
    | { readonly kind: 'alone'; readonly agent: string }
    | { readonly kind: 'roles'; readonly roles: readonly string[]; readonly agent?: string }
    | (AskedFrom & {
        readonly kind: 'claims';
        readonly provider: string;
        readonly claims: Readonly<Record<string, unknown>>;
        /** How long ago they signed in, seconds; absent: what the claims say. */
        readonly signedIn?: number;
      });
  readonly method: string;
  readonly url: string;
  /** The message of MCP that the request says it is; absent: it says nothing. */
  readonly message?: Message;
  /** `allowed` or a reason code. */
  readonly expect: string;
  readonly at: At;
}

/** One mistake in a policy, with what to write instead. */
export interface PolicyError {
  readonly at: At;
  /** Path in the file, e.g. `hosts."wiki.example.com"."/*".allow[1].role`. */
  readonly path: string;
  /** e.g. `no role "raeder"; did you mean "reader"?` */
  readonly message: string;
}
