/* The part of a policy about browsers that sign in. */

export interface Tls {
  readonly certFile: string;
  readonly keyFile: string;
}

/** How long sessions last, seconds. */
export interface SessionPolicy {
  /** JWKS with the keys that seal cookies, read by the worker; the first one seals. */
  readonly keysFile: string;
  /** Time without any request. */
  readonly idle: number;
  /** Time since the sign-in. */
  readonly absolute: number;
  /** Time since the provider confirmed the claims. */
  readonly fresh: number;
}

/** Settings of sessions for nginx and the image. */
export interface SessionRoom {
  /** Number of people with a session at a time, which determines the room for records and revocations. */
  readonly people: number;
  /** Revocations may be kept where a restart erases them. */
  readonly forgetful?: true;
}

export interface SigninPolicy {
  /** The host where people sign in for all hosts, with the one registered callback; absent: each host has its own. */
  readonly host?: string;
  /** Certificate of that host in the image; default: the gateway's. */
  readonly tls?: Tls;
  /** Folder of page templates; files that it lacks have defaults. */
  readonly pagesDir?: string;
  /** The limit of each address at the sign-in's own endpoints. */
  readonly limit?: SigninLimit;
}

/** In nginx's terms: `20/s`, and how many may come at once. */
export interface SigninLimit {
  readonly rate: string;
  readonly burst: number;
}

/** etcd, through its JSON gateway. */
export interface Etcd {
  readonly endpoints: readonly string[];
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Prefix of every key. */
  readonly prefix: string;
}

/** How the gateway authenticates as a provider's client. */
export type ClientAuth =
  | { readonly kind: 'client_secret_basic' | 'client_secret_post'; readonly secretFile: string }
  /** JWKS with private keys; the first one signs. */
  | { readonly kind: 'private_key_jwt'; readonly keysFile: string }
  | { readonly kind: 'tls_client_auth'; readonly certFile: string; readonly keyFile: string }
  /** A public client: PKCE only. */
  | { readonly kind: 'none' };

/** The gateway as a provider's registered client (OpenID Connect Core, section 9). */
export interface Client {
  readonly id: string;
  readonly auth: ClientAuth;
}

/** How the gateway asks a provider about tokens (RFC 7662); times in seconds. */
export interface IntrospectionPolicy {
  /** Absent: the one in the issuer's discovery document. */
  readonly endpoint?: string;
  /** Time-out of an answer. */
  readonly timeout: number;
  /** How long an answer counts. */
  readonly cache: number;
  /** How long the answer counts that a token is not active. */
  readonly negative: number;
  /** How much longer an answer counts while the provider does not answer. */
  readonly stale: number;
  /** Whether the provider is also asked about its JWTs, after their signature is verified. */
  readonly jwts?: true;
  /** Whether answers need not say that a token is an access token. */
  readonly anyType?: true;
}

/** The endpoint that says which groups a person has. */
export interface GroupsEndpoint {
  /** `{oid}` is replaced by the person's object id. */
  readonly endpoint: string;
  /** The scope of the gateway's own token for it. */
  readonly scope: string;
}

/** What the gateway requests from a provider at a sign-in. */
export interface ProviderSignin {
  readonly scopes: readonly string[];
  readonly prompt?: string;
  /** Seconds. */
  readonly maxAge?: number;
  readonly acrValues?: readonly string[];
  /** E-mail domains that select this provider. */
  readonly domains: readonly string[];
  /** Whether claims that the ID token lacks are fetched from the UserInfo endpoint. */
  readonly userinfo: boolean;
  /** Its name on the chooser page. */
  readonly label: string;
  /** Pushed authorization requests (RFC 9126): always, never, or absent: if the provider requires them. */
  readonly par?: boolean;
}
