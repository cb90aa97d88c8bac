/*
 * What a policy says of browsers that sign in.
 */

export interface Tls {
  readonly certFile: string;
  readonly keyFile: string;
}

/** How long sessions last, seconds. */
export interface SessionPolicy {
  /** JWKS with the keys that seal cookies, read by the worker; the first one seals. */
  readonly keysFile: string;
  /** Without any request. */
  readonly idle: number;
  /** Since sign-in. */
  readonly absolute: number;
  /** Since the provider confirmed the claims. */
  readonly fresh: number;
}

/** What nginx and the image have to know of sessions. */
export interface SessionRoom {
  /** How many people have sessions at a time: the room for records and revocations follows from it. */
  readonly people: number;
  /** Revocations may be kept where a restart forgets them. */
  readonly forgetful?: true;
}

export interface SigninPolicy {
  /** Where people sign in for all hosts: the one callback that is registered; absent: each host has its own. */
  readonly host?: string;
  /** Certificate of that host in the image; default the gateway's. */
  readonly tls?: Tls;
  /** Directory of page templates; what is missing there is the gateway's own. */
  readonly pagesDir?: string;
  /** What each address may ask of the sign-in's own endpoints. */
  readonly limit?: SigninLimit;
}

/** As nginx counts: `20/s`, and how many may come at once. */
export interface SigninLimit {
  readonly rate: string;
  readonly burst: number;
}

/** etcd, asked over its JSON gateway. */
export interface Etcd {
  readonly endpoints: readonly string[];
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Before every key. */
  readonly prefix: string;
}

/** How the gateway shows a provider that it is the registered client. */
export type ClientAuth =
  | { readonly kind: 'client_secret_basic' | 'client_secret_post'; readonly secretFile: string }
  /** JWKS with private keys; the first one signs. */
  | { readonly kind: 'private_key_jwt'; readonly keysFile: string }
  | { readonly kind: 'tls_client_auth'; readonly certFile: string; readonly keyFile: string }
  /** A public client: PKCE alone. */
  | { readonly kind: 'none' };

/** The gateway as a provider's registered client (OpenID Connect Core, section 9). */
export interface Client {
  readonly id: string;
  readonly auth: ClientAuth;
}

/** How a provider is asked about tokens (RFC 7662); times in seconds. */
export interface IntrospectionPolicy {
  /** Absent: what the issuer's discovery document says. */
  readonly endpoint?: string;
  /** Longest wait for an answer. */
  readonly timeout: number;
  /** How long an answer counts. */
  readonly cache: number;
  /** How long it counts that a token is not active. */
  readonly negative: number;
  /** How long an answer counts besides, while the provider does not answer. */
  readonly stale: number;
  /** JWTs of the provider are asked for as well, once their signature holds. */
  readonly jwts?: true;
  /** Answers need not say that a token is an access token. */
  readonly anyType?: true;
}

/** Where a provider says which groups somebody has. */
export interface GroupsEndpoint {
  /** `{oid}` stands for the person's object id. */
  readonly endpoint: string;
  /** What the gateway's own token for it has to be good for. */
  readonly scope: string;
}

/** What the gateway asks of a provider when somebody signs in. */
export interface ProviderSignin {
  readonly scopes: readonly string[];
  readonly prompt?: string;
  /** Seconds. */
  readonly maxAge?: number;
  readonly acrValues?: readonly string[];
  /** Whose e-mail addresses choose this provider. */
  readonly domains: readonly string[];
  /** Claims that the ID token lacks are fetched from the UserInfo endpoint. */
  readonly userinfo: boolean;
  /** On the chooser page. */
  readonly label: string;
  /** Pushed authorization requests (RFC 9126): always, never, or where the provider requires them. */
  readonly par?: boolean;
}
