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
  /** CIDR ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** DNS servers for providers and ingress; empty: those of the machine that renders. */
  readonly resolver: readonly string[];
  /** Port of the image's own servers. */
  readonly listen: number;
  readonly tls?: Tls;
  /** The image serves plain HTTP. */
  readonly insecureHttp: boolean;
  /** Networks of roles may overlap the trusted proxies. */
  readonly proxiedNetworks?: true;
  /** Services receive a signed statement of who asks. */
  readonly assertion?: Assertion;
  /** Where probes ask: an address with its port, or a port of all addresses; absent: on the unix socket alone. */
  readonly health?: string;
  /** Services come here, for the person whose request they serve. */
  readonly inner?: Inner;
  /** Strict-Transport-Security in every answer, seconds; absent: what services say. */
  readonly hsts?: { readonly maxAge: number; readonly subdomains: boolean };
  /** Port in the gateway's own URLs, as browsers see it; absent: 443. */
  readonly publicPort?: number;
  /** Browsers sign in; absent: nobody does. */
  readonly session?: SessionPolicy;
  /** There with `session`. */
  readonly sessionRoom?: SessionRoom;
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
  /** If given, `azp`, `client_id`, `cid` or `appid` must be one of these. */
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
  /** Pages may register service workers: from below a folder, or from anywhere. Absent: not where people sign in. */
  readonly serviceWorkers?: 'folder' | 'anywhere';
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
