/** The policy file of meshgate as YAML or JSON holds it. "meshgate validate" checks more than these types can. */

export interface Policy {
  /** Version of the policy language. */
  readonly version: 1;
  /** The gateway itself. */
  readonly gateway?: Gateway;
  /** The providers that issue tokens for callers, by name. */
  readonly providers: Readonly<Record<string, Provider>>;
  /** Roles by name, each with the fact that gives the role. */
  readonly roles?: Readonly<Record<string, Fact>>;
  /** Software that acts for people, or alone, by name. */
  readonly agents?: Readonly<Record<string, Agent>>;
  /** The mesh behind the gateway. */
  readonly mesh?: Mesh;
  /** Several meshes by name; services that name no mesh use "default". Not with mesh. */
  readonly meshes?: Readonly<Record<string, Mesh>>;
  /** The destinations of requests, by name. */
  readonly services: Readonly<Record<string, Service>>;
  /** Identity headers that services receive, by name. */
  readonly headers?: Readonly<Record<string, "subject" | "email" | "name" | "groups" | "roles" | "provider" | "actor" | {
    /** The claim whose value services receive. */
    readonly claim?: string;
    /** The value for each role; the first role that the caller has decides. */
    readonly first_role?: Readonly<Record<string, string>>;
    /** The value for callers without any of these roles. Not with claim. */
    readonly else?: string;
  } | null>>;
  /** Teams by name. Each team has a file with roles, services, hosts and tests of its own. */
  readonly teams?: Readonly<Record<string, Team>>;
  /** Hosts by name, each with its routes by path. */
  readonly hosts: Readonly<Record<string, Host>>;
  /** Ready-made parts for applications; "meshgate render --target policy" shows what they expand to. */
  readonly profiles?: ReadonlyArray<Profile>;
  /** Requests that the gateway must allow or deny; "meshgate validate" runs them. */
  readonly tests?: ReadonlyArray<PolicyTest>;
}

/** The gateway itself. */
export interface Gateway {
  /** Name of the gateway in the names and labels of objects for Kubernetes and Consul. Two policies on one cluster need two names. Default: `meshgate`. */
  readonly name?: string;
  /** By how much exp, nbf and iat of a token may be off, at most 5m. Default: `30s`. */
  readonly clock_skew?: string;
  /** How long the gateway remembers a verified token. Default: `5m`. */
  readonly token_cache?: string;
  /** Life cycle of the providers’ keys. */
  readonly keys?: {
    /** How often the gateway fetches the keys of a provider. Default: `5m`. */
    readonly refresh?: string;
    /** How long the gateway uses keys while their provider does not answer. Default: `24h`. */
    readonly stale?: string;
    /** Minimum time between two fetches because of unknown key ids. Default: `10s`. */
    readonly cool_down?: string;
  };
  /** Addresses of proxies whose X-Forwarded-For the gateway believes. Each proxy can claim any client address. Default: none. */
  readonly trusted_proxies?: ReadonlyArray<string>;
  /** trusted_proxies may be wide and overlap networks of roles, although clients in these ranges can forge any address. */
  readonly insecure_proxied_networks?: true;
  /** DNS servers for providers and ingress. Default: those of the machine. */
  readonly resolver?: ReadonlyArray<string>;
  /** Versions of IP that the gateway uses: at which the image listens, and which addresses of names nginx looks up. Default: `[4]`. */
  readonly ip_versions?: ReadonlyArray<4 | 6>;
  /** Port at which the image serves hosts. Default: `8443`. */
  readonly listen?: number;
  /** Server certificate of the image, and the CA for client certificates. Not with gateway.insecure_http. */
  readonly tls?: {
    /** PEM file of the certificate and its chain. Needs key_file. */
    readonly cert_file?: string;
    /** PEM file of the private key; nginx’s workers must be able to read it. Needs cert_file. */
    readonly key_file?: string;
    /** CA for client certificates, which are optional. Default: nginx requests no certificates. */
    readonly client_ca_file?: string;
  };
  /** The image serves plain HTTP, so tokens are not encrypted on the network. */
  readonly insecure_http?: true;
  /** Services receive X-Meshgate-Assertion, a signed short-lived token that says who the caller is. */
  readonly assertion?: {
    /** "iss" of the assertions: a URL of the gateway itself. */
    readonly issuer: string;
    /** JWKS of the private keys, from "meshgate keys new"; nginx’s workers read it. */
    readonly keys_file: string;
    /** Lifetime of an assertion, from 10s to 10m. Default: `60s`. */
    readonly lifetime?: string;
  };
  /** The listener at which services call other services for a person. They use mutual TLS, and send the assertion that they received. */
  readonly inner?: {
    /** Port of the inner listener. Default: `8444`. */
    readonly listen?: number;
    /** CA for the certificates of services. */
    readonly client_ca_file: string;
    /** Server certificate of the inner listener. Default: the host’s. */
    readonly tls?: {
      /** PEM file of the certificate and its chain. */
      readonly cert_file: string;
      /** PEM file of the private key; nginx’s workers must be able to read it. */
      readonly key_file: string;
    };
  };
  /** The gateway sends requests that the mesh must deny, and reports a mesh that allows one. Default: none. Only with mesh or meshes. */
  readonly mesh_probe?: {
    /** How often the gateway sends the requests, from 5s to 5m. Default: `15s`. */
    readonly every?: string;
  };
  /** How much of the image each address may use at once. */
  readonly connections?: {
    /** How many connections of one address, or of one /64 network of IPv6, each worker of the image accepts at once; a /48 network has twice as many. Twice as many requests may be open. Addresses in trusted_proxies have no limit of connections. Default: `256`. */
    readonly per_address?: number;
  };
  /** Probes over TCP. Default: only over the unix socket. */
  readonly health?: {
    /** Listener for probes over plain HTTP, only for internal use. */
    readonly listen: number | string;
  };
  /** Strict-Transport-Security (RFC 6797) in every response. Default: left to services. */
  readonly hsts?: {
    /** How long browsers use only TLS for a host; at least 1d. */
    readonly max_age: string;
    /** Browsers use only TLS for all names below each host, too. */
    readonly include_subdomains?: true;
  };
  /** Header with the gateway’s token, on routes whose Authorization belongs to the service. Services never receive it. */
  readonly credential_header?: string;
  /** Port in the gateway’s own URLs, as browsers and other clients see it. Default: `443`. */
  readonly public_port?: number;
  /** People sign in with browsers; a sealed cookie identifies them. */
  readonly session?: {
    /** JWKS of the keys that seal cookies, from "meshgate keys new --session". */
    readonly keys_file: string;
    /** How long a session lasts without a request. Default: `8h`. */
    readonly idle?: string;
    /** How long a session lasts at most. Default: `24h`. */
    readonly absolute?: string;
    /** How long the gateway uses a person’s claims before it asks the provider again. Default: `10m`. */
    readonly fresh?: string;
    /** How many people can have a session at a time; it sets the size of shared memory for their records and revocations. Default: `4000`. */
    readonly people?: number;
    /** The image starts although its state is in memory, without etcd, so that a restart erases revocations. Not with gateway.store. */
    readonly insecure_forget_revocations?: true;
  };
  /** Where people sign in, and with which pages and limits. */
  readonly signin?: {
    /** The host at which people sign in for all hosts, with one registered callback. Default: people sign in at each host. */
    readonly host?: string;
    /** Server certificate of that host in the image. Default: the gateway’s. Only with host. Not with gateway.insecure_http. */
    readonly tls?: {
      /** PEM file of the certificate and its chain. */
      readonly cert_file: string;
      /** PEM file of the private key; nginx’s workers must be able to read it. */
      readonly key_file: string;
    };
    /** Folder of page templates; for files that it lacks, the gateway has defaults. */
    readonly pages_dir?: string;
    /** The limit of each address, or of each /64 network of IPv6, at the endpoints of the sign-in; a /48 network has 16 times as much. */
    readonly limit?: {
      /** The rate of requests of each address in the long run. Default: `20/s`. */
      readonly rate?: string;
      /** How many requests may come at once. Default: `200`. */
      readonly burst?: number;
    };
  };
  /** The store that several replicas share, with sealed refresh tokens and sign-outs. Default: each replica keeps its own. */
  readonly store?: {
    /** Endpoints of etcd, which the gateway uses in turn. */
    readonly etcd: ReadonlyArray<string>;
    /** CA for etcd’s certificates. Default: the system’s. */
    readonly ca_file?: string;
    /** PEM file of the certificate and its chain. Needs key_file. */
    readonly cert_file?: string;
    /** PEM file of the private key; nginx’s workers must be able to read it. Needs cert_file. */
    readonly key_file?: string;
    /** The beginning of each key in etcd. Default: `/meshgate/`. */
    readonly prefix?: string;
  };
  /** The default budgets of callers. */
  readonly limits?: {
    /** The budget of each caller, if neither the route nor the host has a limit. */
    readonly callers?: {
      /** The rate at which requests may pass in the long run. */
      readonly rate: string;
      /** Requests that may come at once. Default: the number of the rate. */
      readonly burst?: number;
    };
    /** The budget of each agent without its own limit, for each person that it acts for. */
    readonly agents?: {
      /** The rate at which requests may pass in the long run. */
      readonly rate: string;
      /** Requests that may come at once. Default: the number of the rate. */
      readonly burst?: number;
    };
    /** The budget of anonymous callers with one address, or in one /64 network of IPv6; a /48 network has 16 times as much. Default: callers. */
    readonly anonymous?: {
      /** The rate at which requests may pass in the long run. */
      readonly rate: string;
      /** Requests that may come at once. Default: the number of the rate. */
      readonly burst?: number;
    };
    /** The size of the shared memory for callers’ budgets; addresses have another one of this size. Default: `8m`. */
    readonly zone?: string;
    /** If the memory of zone is full, requests pass uncounted; without this key, the gateway refuses them. */
    readonly insecure_pass_when_full?: true;
  };
  /** The gateway accepts DPoP proofs (RFC 9449). */
  readonly proof?: {
    /** How many DPoP proofs per second the gateway can remember against replay, at most 20000/s. Default: `200/s`. */
    readonly rate?: string;
    /** Maximum age of a proof, from 5s to 5m. Default: `60s`. */
    readonly age?: string;
    /** Proofs need a nonce of the gateway. */
    readonly nonce?: true;
    /** JWKS of secret keys, from "meshgate keys new --session". Replicas with the same file accept each other’s nonces. Only with nonce. */
    readonly keys_file?: string;
  };
  /** The log is sealed: a transparency log shows that no line was removed or changed. */
  readonly audit?: {
    /** The file of the JSON log, which the sealer reads. Default: `/var/log/meshgate/access.log`. */
    readonly log?: string;
    /** The folder of the transparency log, which the sealer writes. Default: `/var/lib/meshgate/audit`. */
    readonly folder?: string;
    /** The host in the name of the log, HOST/meshgate/INSTANCE. Default: the first host of the policy that has no wildcard. */
    readonly host?: string;
    /** The name of this gateway among its replicas. Default: `gw-0`. */
    readonly instance?: string;
    /** Witnesses that cosign the checkpoints. Default: none. */
    readonly witnesses?: ReadonlyArray<{
      /** Where the checkpoints of the log are sent; /add-checkpoint is added (C2SP tlog-witness). No two are the same. */
      readonly url: string;
      /** The key with which the cosignatures of the witness are verified. No two are the same. */
      readonly key: string;
      /** CA for the certificate of the witness. Default: the system’s. */
      readonly ca_file?: string;
    }>;
    /** Lines of the log name people by keyed hashes. Default: by their ids. */
    readonly pseudonyms?: {
      /** JWKS of secret keys, from "meshgate keys new --session"; the first key is used. */
      readonly key_file: string;
    };
    /** true: lines also have the claims that roles read. Default: `false`. */
    readonly claims?: boolean;
  };
}

/** An OpenID provider, which issues tokens for callers. */
export interface Provider {
  /** The kind of the provider, which determines where its tokens have groups and scopes. Default: meshgate infers it from the issuer. */
  readonly kind?: "okta" | "entra" | "keycloak" | "auth0" | "google" | "cognito" | "github-actions" | "kubernetes" | "spiffe" | "generic";
  /** "iss" must be exactly this, and discovery starts here. For kind spiffe, it may be spiffe:// and the trust domain. */
  readonly issuer: string;
  /** Tenants whose tokens are accepted, if the issuer contains {tenantid}. */
  readonly tenants?: ReadonlyArray<string>;
  /** Trust domain of the SPIFFE ids in "sub", for kind spiffe with an https: issuer. */
  readonly trust_domain?: string;
  /** URL of the keys, for an issuer without a discovery document. Default: from discovery. */
  readonly jwks_uri?: string;
  /** "aud" must contain one of these. Not with insecure_any_audience. */
  readonly audiences?: ReadonlyArray<string>;
  /** Accepts tokens with any audience, even tokens for other services. */
  readonly insecure_any_audience?: true;
  /** A token’s azp, client_id, cid or appid must be one of these. */
  readonly clients?: ReadonlyArray<string>;
  /** The signature algorithms that the gateway accepts. Default: `["RS256","PS256","ES256"]`. */
  readonly algorithms?: ReadonlyArray<"RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA">;
  /** How long the gateway waits for the provider: to connect, and for each answer. Default: 3s to connect, 4s for an answer. */
  readonly timeout?: string;
  /** CA bundle for the provider’s TLS certificate. Default: the system’s. */
  readonly ca_file?: string;
  /** The names of this provider’s callers. */
  readonly subject?: {
    /** The claim that names the caller. Default: `sub`. */
    readonly claim?: string;
    /** The text before each subject; required if a host accepts several providers. */
    readonly prefix?: string;
  };
  /** The discovery document may name private addresses of hosts other than the issuer’s. */
  readonly insecure_private_addresses?: true;
  /** The gateway’s registration at the provider, with which people sign in. */
  readonly client?: {
    /** Client id. */
    readonly id: string;
    /** File with the client secret; during a rotation, a second line contains the next or the previous secret. */
    readonly secret_file?: string;
    /** How the client uses its secret: it sends the secret in Basic credentials or in the body, or signs an assertion with it (client_secret_jwt, HS256). Only with secret_file. Default: `basic`. */
    readonly auth?: "basic" | "post" | "secret_jwt";
    /** PEM file of the certificate and its chain. Needs key_file. Not with secret_file or keys_file. */
    readonly cert_file?: string;
    /** PEM file of the private key; nginx’s workers must be able to read it. Needs cert_file. */
    readonly key_file?: string;
    /** JWKS of private keys, for private_key_jwt; the gateway signs with the first key. Not with secret_file. */
    readonly keys_file?: string;
  };
  /** The request to the provider when a person signs in. Only with client. */
  readonly signin?: {
    /** The scopes that the gateway requests. Default: the scopes that this kind of provider needs. */
    readonly scopes?: ReadonlyArray<string>;
    /** The prompt that the provider shows each time. Default: the provider decides. */
    readonly prompt?: "login" | "consent" | "select_account";
    /** People must sign in at the provider again if their last sign-in there is longer ago. */
    readonly max_age?: string;
    /** The acr values that sign-ins request, the preferred first. */
    readonly acr_values?: ReadonlyArray<string>;
    /** People with e-mail addresses of these domains sign in with this provider. */
    readonly domains?: ReadonlyArray<string>;
    /** The gateway fetches claims that the ID token lacks from the UserInfo endpoint. Default: true, except for entra. */
    readonly userinfo?: boolean;
    /** The provider’s name on the page where people choose. Default: its name in the policy. */
    readonly label?: string;
    /** Further parameters of the authorization request, by name. They are not secret: the browser sees them. */
    readonly parameters?: Readonly<Record<string, string>>;
    /** true: pushed authorization requests (RFC 9126). Default: true if the provider requires them. */
    readonly par?: boolean;
  };
  /** The gateway asks the provider about tokens that are not JWTs (RFC 7662). Only with client. */
  readonly introspection?: {
    /** The introspection endpoint. Default: from the discovery document. */
    readonly endpoint?: string;
    /** How long the gateway uses an answer. Default: `1m`. */
    readonly cache?: string;
    /** How long the gateway uses the answer that a token is not active. Default: `10s`. */
    readonly negative?: string;
    /** How long the gateway waits for an answer, at most 4s. Default: `4s`. */
    readonly timeout?: string;
    /** How much longer the gateway uses an answer while the provider does not respond. Default: 0s. */
    readonly stale?: string;
    /** The gateway also asks about JWTs with a valid signature, and so rejects a revoked JWT within the time of "cache". */
    readonly jwts?: true;
    /** Accepts tokens for which the provider sends no "token_type", among which may be refresh tokens. */
    readonly insecure_any_type?: true;
  };
  /** The endpoint that the gateway asks about the policy’s groups if a person has more groups than a token of entra contains. Only with client. */
  readonly groups_endpoint?: string;
}

/** Software that acts for a person, or alone. */
export interface Agent {
  /** How the agent is identified. */
  readonly match: {
    /** The client to which its tokens are issued, or that they name as the actor. */
    readonly client_id?: string;
    /** The SPIFFE id that is in the agent’s JWT-SVIDs, or that tokens name as the actor. */
    readonly spiffe?: string;
    /** The service that is this agent; it calls the inner listener. No two are the same. */
    readonly service?: string;
    /** The path of a claim in the agent’s tokens; it needs is, has or like. */
    readonly claim?: string;
    /** The claim, or one of its elements, equals this. */
    readonly is?: string | number | boolean;
    /** The list or space-delimited claim contains this. */
    readonly has?: string | number | boolean;
    /** The claim, or one of its elements, is a text that matches this; * matches any characters. */
    readonly like?: string;
    /** The provider that issues the agent’s tokens. Not with service. */
    readonly provider?: string;
  };
  /** The agent may act for people with these roles. Default: none, so it acts for no person. */
  readonly acts_for?: ReadonlyArray<string>;
  /** The agent may act alone, without a person. Not with match.service. */
  readonly alone?: true;
  /** The longest chain of actors for one person, this agent included. Default: `1`. */
  readonly hops?: number;
  /** What the agent’s tokens must be bound to, so that a stolen token is useless. There is no default; with none, the gateway accepts stolen tokens. Not with match.service. */
  readonly bound?: "dpop" | "certificate" | "any" | "none";
  /** The budget that the agent has for each person that it acts for. */
  readonly limit?: {
    /** The rate at which requests may pass in the long run. */
    readonly rate: string;
    /** Requests that may come at once. Default: the number of the rate. */
    readonly burst?: number;
  };
}

/** The mesh behind the gateway. */
export interface Mesh {
  /** The kind of the mesh. */
  readonly kind: "envoy" | "istio" | "linkerd" | "consul";
  /** Trust domain of all identities. */
  readonly trust_domain: string;
  /** How long at most nginx uses a replaced certificate, also on open connections, from 10s to 1h. Default: `70s`. */
  readonly rotation?: string;
  /** The ingress of the mesh. */
  readonly ingress?: {
    /** The address that nginx connects to. Required, unless each service has a service_account in Linkerd. */
    readonly address?: string;
    /** DNS name in the ingress’s certificate. Default: the host of the address. */
    readonly server_name?: string;
    /** CA for the ingress’s certificate. */
    readonly ca_file: string;
    /** The ingress’s own settings, with paths on its machine; render --target envoy needs them. */
    readonly own?: {
      /** PEM file of the certificate and its chain. */
      readonly cert_file: string;
      /** PEM file of the private key; nginx’s workers must be able to read it. */
      readonly key_file: string;
      /** CA for nginx’s certificates. */
      readonly client_ca_file: string;
      /** Port that the ingress listens on. */
      readonly listen: number;
      /** Copy of the gateway’s key set. With it, the ingress verifies assertions and compares the roles in them. Only with gateway.assertion. */
      readonly assertion_jwks_file?: string;
    };
    /** Kubernetes namespace of the ingress. Not in a mesh of kind consul. Required in a mesh of kind istio. */
    readonly namespace?: string;
    /** Labels of the ingress’s pods. Needs namespace. Not in a mesh of kind consul. Required in a mesh of kind istio. */
    readonly labels?: Readonly<Record<string, string>>;
    /** Service account of the ingress; workloads accept no other account. Not in a mesh of kind consul. Required in a mesh of kind istio. */
    readonly service_account?: string;
    /** The name of the ingress in Consul; workloads accept no other service. Only in a mesh of kind consul. */
    readonly consul_service?: string;
  };
  /** Several ingresses by name; services that name no ingress use "default". Not with ingress. */
  readonly ingresses?: Readonly<Record<string, {
    /** The address that nginx connects to. Required, unless each service has a service_account in Linkerd. */
    readonly address?: string;
    /** DNS name in the ingress’s certificate. Default: the host of the address. */
    readonly server_name?: string;
    /** CA for the ingress’s certificate. */
    readonly ca_file: string;
    /** The ingress’s own settings, with paths on its machine; render --target envoy needs them. */
    readonly own?: {
      /** PEM file of the certificate and its chain. */
      readonly cert_file: string;
      /** PEM file of the private key; nginx’s workers must be able to read it. */
      readonly key_file: string;
      /** CA for nginx’s certificates. */
      readonly client_ca_file: string;
      /** Port that the ingress listens on. */
      readonly listen: number;
      /** Copy of the gateway’s key set. With it, the ingress verifies assertions and compares the roles in them. Only with gateway.assertion. */
      readonly assertion_jwks_file?: string;
    };
    /** Kubernetes namespace of the ingress. Not in a mesh of kind consul. Required in a mesh of kind istio. */
    readonly namespace?: string;
    /** Labels of the ingress’s pods. Needs namespace. Not in a mesh of kind consul. Required in a mesh of kind istio. */
    readonly labels?: Readonly<Record<string, string>>;
    /** Service account of the ingress; workloads accept no other account. Not in a mesh of kind consul. Required in a mesh of kind istio. */
    readonly service_account?: string;
    /** The name of the ingress in Consul; workloads accept no other service. Only in a mesh of kind consul. */
    readonly consul_service?: string;
  }>>;
  /** The identities with which nginx connects, by name; rules that name no identity use "default". */
  readonly identities: Readonly<Record<string, {
    /** The SPIFFE id in the certificate. No two are the same. */
    readonly spiffe: string;
    /** One PEM file with certificate and key, for a safe rotation: replace this file atomically. */
    readonly pem_file?: string;
    /** The folder to which spiffe-helper writes svid.pem and svid_key.pem. Not with pem_file. */
    readonly svid_dir?: string;
    /** PEM file of the certificate and its chain. Needs key_file. Not with pem_file or svid_dir. */
    readonly cert_file?: string;
    /** PEM file of the private key; nginx’s workers must be able to read it. Needs cert_file. Not with pem_file or svid_dir. */
    readonly key_file?: string;
  }>>;
  /** CA with which Consul’s proxies verify the gateway when they fetch its keys; a path on the machine of the proxies. Only with gateway.assertion. Only in a mesh of kind consul. */
  readonly assertion_ca_file?: string;
}

/** A destination of requests, which nginx reaches through the mesh (authority, endpoint) or directly (url). */
export interface Service {
  /** The Host header that the service receives. Default: the host that the client requested, if there is a url or insecure_url. */
  readonly authority?: string;
  /** Host and port of the service for the mesh ingress. Default: the authority, port 80. Not with url or insecure_url. */
  readonly endpoint?: string;
  /** Protocol of the service: HTTP/1.1 (WebSockets too), HTTP/2, or gRPC. Default: `http1`. */
  readonly protocol?: "http1" | "http2" | "grpc";
  /** The mesh of this service, if the policy has several. Not with url or insecure_url. Default: `default`. */
  readonly mesh?: string;
  /** The ingress of this service, if the mesh has several. Not with url or insecure_url. Default: `default`. */
  readonly ingress?: string;
  /** The ingresses of this service, instead of one: if the connection to one fails, nginx uses the next. Not with url or insecure_url or ingress. */
  readonly ingresses?: ReadonlyArray<string | {
    /** The name of the ingress. */
    readonly name: string;
    /** How many requests it receives in comparison with the others. Default: `1`. */
    readonly weight?: number;
    /** nginx uses it only while it can reach none of the others. */
    readonly backup?: true;
    /** After so many failed attempts within fail_timeout, nginx leaves it out while another one is left. Not with backup. Default: `1`. */
    readonly max_fails?: number;
    /** How long nginx counts failed attempts, and how long it then leaves the ingress out. Not with backup. Default: `10s`. */
    readonly fail_timeout?: string;
  }>;
  /** The URL at which nginx reaches the service directly, over TLS and not through the mesh. */
  readonly url?: string;
  /** The URL at which nginx reaches the service directly, over plain HTTP. Not with url. */
  readonly insecure_url?: string;
  /** CA for the service’s certificate. Default: the system’s. Only with url or insecure_url. Not with insecure_url. */
  readonly ca_file?: string;
  /** DNS name in the service’s certificate. Default: the host of the URL. Only with url or insecure_url. Not with insecure_url. */
  readonly server_name?: string;
  /** Kubernetes namespace of the workload. Not with url or insecure_url. Not in a mesh of kind consul. Required in a mesh of kind linkerd. */
  readonly namespace?: string;
  /** Labels of the workload’s pods. Needs namespace. Not with url or insecure_url. Not in a mesh of kind consul. Required in a mesh of kind linkerd. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Port that the workload itself listens on. Not with url or insecure_url. Not in a mesh of kind consul. Required in a mesh of kind linkerd. */
  readonly port?: number;
  /** Service account of the Linkerd workload. With it, nginx connects to the workload itself and not through an ingress. Not with url or insecure_url. Only in a mesh of kind linkerd. */
  readonly service_account?: string;
  /** Request headers of clients that the service receives; nginx erases all others. Default: all pass. */
  readonly request_headers?: ReadonlyArray<string>;
  /** Response headers that the service may send although the gateway drops them by default. */
  readonly response_headers?: ReadonlyArray<string>;
  /** Cookies that contain the service’s own session: the gateway passes each only in requests of the caller that it was set for. Default: all cookies that are `HttpOnly`. [] is for none. */
  readonly session_cookies?: ReadonlyArray<string>;
  /** SPIFFE id of the service’s own workload, if an agent is this service. No two are the same. */
  readonly spiffe?: string;
  /** The name of the workload in Consul. Default: the service’s name here. Not with url or insecure_url. Only in a mesh of kind consul. */
  readonly consul_service?: string;
}

/** A team: its file, and what this file may define. */
export interface Team {
  /** The team’s file, relative to the folder of this policy. */
  readonly file: string;
  /** The hosts that the team may define; *.x covers all names below x. */
  readonly hosts: ReadonlyArray<string>;
  /** The services that the team may define, or name if this policy defines them; pay-* covers all names that begin so. Default: none. */
  readonly services?: ReadonlyArray<string>;
  /** Names of roles that the team may define besides those that begin with its own name and a dot; x-* covers all names that begin with x-. Default: none. */
  readonly roles?: ReadonlyArray<string>;
  /** The Kubernetes namespaces of the team’s services. Default: none. */
  readonly namespaces?: ReadonlyArray<string>;
  /** Further names, with or without a port, that authority, endpoint and url of the team’s services may have. Default: only names in its namespaces. */
  readonly addresses?: ReadonlyArray<string>;
  /** The providers that the team may name. Default: the only provider of this policy. */
  readonly providers?: ReadonlyArray<string>;
  /** The identities that the team’s rules may name in "as". Default: `["default"]`. */
  readonly identities?: ReadonlyArray<string>;
  /** The meshes that the team’s services may name. Default: `["default"]`. */
  readonly meshes?: ReadonlyArray<string>;
  /** The audiences that the team’s routes may name. Default: none. */
  readonly audiences?: ReadonlyArray<string>;
  /** Files, and folders of files, that the team’s hosts and services may name. Default: none. */
  readonly files?: ReadonlyArray<string>;
  /** Identity headers that the team may send besides those of this policy and those of known applications. nginx erases them from requests to every host. Default: none. */
  readonly headers?: ReadonlyArray<string>;
  /** The variables of --env that the team’s file may contain. Default: none. */
  readonly variables?: ReadonlyArray<string>;
  /** What else the team may write: anyone (rules for anyone, without a credential), networks (roles by network), certificates (roles by client certificate), claims (roles by claim, and headers with claims or groups), limits (limits of hosts and routes), proxy (proxy settings of hosts and routes), service_credentials (service_credential of routes). Default: nothing. */
  readonly may?: ReadonlyArray<"anyone" | "networks" | "certificates" | "claims" | "limits" | "proxy" | "service_credentials">;
}

/** Everything that an application needs on one host. */
export interface Profile {
  /** The name of a profile that meshgate brings, or the path of your own copy. */
  readonly use: string;
  /** The host whose routes the profile writes. */
  readonly host: string;
  /** The service that receives the requests. */
  readonly service: string;
  /** The facts that give the roles of the profile, by role; several facts in a list: one of them is enough. */
  readonly roles?: Readonly<Record<string, string | Readonly<Record<string, unknown>> | ReadonlyArray<unknown>>>;
  /** The options of the profile. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Routes of one host, by path. */
export interface Host {
  /** Providers whose tokens this host accepts; required if the policy has several. */
  readonly providers?: ReadonlyArray<string>;
  /** Server certificate of the image, and the CA for client certificates. Not with gateway.insecure_http. */
  readonly tls?: {
    /** PEM file of the certificate and its chain. Needs key_file. */
    readonly cert_file?: string;
    /** PEM file of the private key; nginx’s workers must be able to read it. Needs cert_file. */
    readonly key_file?: string;
    /** CA for client certificates, which are optional. Default: nginx requests no certificates. */
    readonly client_ca_file?: string;
  };
  /** The name of the host, if it is not the key: in another stage, or from a variable. */
  readonly name?: string;
  /** Identity headers that services receive, by name. */
  readonly headers?: Readonly<Record<string, "subject" | "email" | "name" | "groups" | "roles" | "provider" | "actor" | {
    /** The claim whose value services receive. */
    readonly claim?: string;
    /** The value for each role; the first role that the caller has decides. */
    readonly first_role?: Readonly<Record<string, string>>;
    /** The value for callers without any of these roles. Not with claim. */
    readonly else?: string;
  } | null>>;
  /** How nginx proxies the requests. */
  readonly proxy?: {
    /** Events and messages pass at once in both directions: nginx buffers nothing, and a pause may last an hour. Default: `false`. */
    readonly stream?: boolean;
    /** How long nginx waits for a connection, and as long for TLS; 3s with several ingresses. Default: `10s`. */
    readonly connect_timeout?: string;
    /** Longest pause of the service while it reads a request; 1h with stream. Default: `60s`. */
    readonly send_timeout?: string;
    /** Longest pause of the service while it responds; 1h with stream. Default: `60s`. */
    readonly read_timeout?: string;
    /** Largest body of a request. Default: `100m`. */
    readonly max_body?: string;
    /** false: nginx passes responses to the client at once. Default: `true`. */
    readonly buffering?: boolean;
    /** true: nginx keeps the body of a request in /run/meshgate/tmp until it is complete. All uploads share this folder. Default: `false`. */
    readonly request_buffering?: boolean;
  };
  /** Pages of other origins that may send requests; null removes the host’s setting. */
  readonly cors?: {
    /** The origins whose pages may send requests, or only "*" for all origins, without credentials. */
    readonly origins: ReadonlyArray<string>;
    /** Methods that these pages may use. Default: the methods of the route’s rules. */
    readonly methods?: ReadonlyArray<"GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "PROPFIND" | "PROPPATCH" | "MKCOL" | "COPY" | "MOVE" | "LOCK" | "UNLOCK" | "REPORT" | "SEARCH">;
    /** Request headers that these pages may set. Default: `["Authorization","Content-Type"]`. */
    readonly headers?: ReadonlyArray<string>;
    /** Response headers that these pages may read, besides those that all pages may read. Default: none. */
    readonly expose?: ReadonlyArray<string>;
    /** true: the browser sends cookies along. Default: `false`. */
    readonly credentials?: boolean;
    /** How long a browser remembers these permissions, at most 1d. Default: `10m`. */
    readonly max_age?: string;
  } | null;
  /** The budget of each caller at this host or route; null removes the limit of the host or the gateway. */
  readonly limit?: {
    /** The rate at which requests may pass in the long run. */
    readonly rate: string;
    /** Requests that may come at once. Default: the number of the rate. */
    readonly burst?: number;
  } | null;
  /** The owner, which refusal pages name: people ask the owner for access. */
  readonly owner?: string;
  /** Link on the refusal page to ask for access. The gateway fills in {reason}, {request_id} and {route}. */
  readonly ask?: string;
  /** /x/* covers /x and all paths below /x; /x covers only itself; /* covers all paths. */
  readonly [path: `/${string}`]: Route;
}

/** /x/* covers /x and all paths below /x; /x covers only itself; /* covers all paths. */
export interface Route {
  /** The service that receives the requests. */
  readonly service: string;
  /** Accepted credentials. Default: bearer if a provider has audiences, session if one has a client; certificate is never a default. */
  readonly accept?: ReadonlyArray<"bearer" | "session" | "certificate">;
  /** "aud" must contain one of these on this route, instead of the providers’ audiences (RFC 8707). */
  readonly audiences?: ReadonlyArray<string>;
  /** The Authorization headers that belong to the service: they pass on, and never identify a caller. */
  readonly service_credential?: {
    /** Schemes of Authorization that belong to the service, compared without case. */
    readonly schemes?: ReadonlyArray<string>;
    /** Beginnings of the Bearer tokens that belong to the service; opaque: all Bearer tokens that are not JWTs. */
    readonly bearer?: "opaque" | ReadonlyArray<string>;
    /** The services that receive the header. Default: only the service of the route. */
    readonly services?: ReadonlyArray<string>;
  };
  /** The callers that may pass; the first rule that matches decides. */
  readonly allow: ReadonlyArray<string | {
    /** Callers with this role. */
    readonly role?: string;
    /** This agent, for a person that another rule of the route allows, or alone if the agent may act alone. */
    readonly agent?: string;
    /** Callers with a valid credential, or all callers. */
    readonly who?: "authenticated" | "anyone";
    /** Methods that the rule covers, in upper case; GET includes HEAD. Default: all. */
    readonly methods?: ReadonlyArray<"GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "PROPFIND" | "PROPPATCH" | "MKCOL" | "COPY" | "MOVE" | "LOCK" | "UNLOCK" | "REPORT" | "SEARCH">;
    /** MCP tools that the agent may call, as the headers of SEP-2243 name them. Listings and notifications also pass. Only with agent. */
    readonly tools?: ReadonlyArray<string>;
    /** The service that these callers reach instead of the route’s service. */
    readonly service?: string;
    /** The mesh identity with which nginx connects. Default: `default`. */
    readonly as?: string;
  }>;
  /** Identity headers that services receive, by name. */
  readonly headers?: Readonly<Record<string, "subject" | "email" | "name" | "groups" | "roles" | "provider" | "actor" | {
    /** The claim whose value services receive. */
    readonly claim?: string;
    /** The value for each role; the first role that the caller has decides. */
    readonly first_role?: Readonly<Record<string, string>>;
    /** The value for callers without any of these roles. Not with claim. */
    readonly else?: string;
  } | null>>;
  /** How nginx proxies the requests. */
  readonly proxy?: {
    /** Events and messages pass at once in both directions: nginx buffers nothing, and a pause may last an hour. Default: `false`. */
    readonly stream?: boolean;
    /** How long nginx waits for a connection, and as long for TLS; 3s with several ingresses. Default: `10s`. */
    readonly connect_timeout?: string;
    /** Longest pause of the service while it reads a request; 1h with stream. Default: `60s`. */
    readonly send_timeout?: string;
    /** Longest pause of the service while it responds; 1h with stream. Default: `60s`. */
    readonly read_timeout?: string;
    /** Largest body of a request. Default: `100m`. */
    readonly max_body?: string;
    /** false: nginx passes responses to the client at once. Default: `true`. */
    readonly buffering?: boolean;
    /** true: nginx keeps the body of a request in /run/meshgate/tmp until it is complete. All uploads share this folder. Default: `false`. */
    readonly request_buffering?: boolean;
  };
  /** Pages of other origins that may send requests; null removes the host’s setting. */
  readonly cors?: {
    /** The origins whose pages may send requests, or only "*" for all origins, without credentials. */
    readonly origins: ReadonlyArray<string>;
    /** Methods that these pages may use. Default: the methods of the route’s rules. */
    readonly methods?: ReadonlyArray<"GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "PROPFIND" | "PROPPATCH" | "MKCOL" | "COPY" | "MOVE" | "LOCK" | "UNLOCK" | "REPORT" | "SEARCH">;
    /** Request headers that these pages may set. Default: `["Authorization","Content-Type"]`. */
    readonly headers?: ReadonlyArray<string>;
    /** Response headers that these pages may read, besides those that all pages may read. Default: none. */
    readonly expose?: ReadonlyArray<string>;
    /** true: the browser sends cookies along. Default: `false`. */
    readonly credentials?: boolean;
    /** How long a browser remembers these permissions, at most 1d. Default: `10m`. */
    readonly max_age?: string;
  } | null;
  /** The budget of each caller at this host or route; null removes the limit of the host or the gateway. */
  readonly limit?: {
    /** The rate at which requests may pass in the long run. */
    readonly rate: string;
    /** Requests that may come at once. Default: the number of the rate. */
    readonly burst?: number;
  } | null;
  /** The owner, which refusal pages name: people ask the owner for access. */
  readonly owner?: string;
  /** Link on the refusal page to ask for access. The gateway fills in {reason}, {request_id} and {route}. */
  readonly ask?: string;
  /** Pages may register service workers from below a folder of this route. Default: none, if people sign in at the host. Not with insecure_service_workers. */
  readonly service_workers?: true;
  /** Pages may register service workers from any path of this route: a worker can see the provider’s answers to /.meshgate/. */
  readonly insecure_service_workers?: true;
}

/** One request and the expected decision. */
export interface PolicyTest {
  /** The caller. */
  readonly as: "nobody" | {
    /** A caller with exactly these roles. */
    readonly roles?: ReadonlyArray<string>;
    /** The agent that acts for the caller, or alone. */
    readonly agent?: string;
    /** Provider of the token. */
    readonly provider?: string;
    /** Claims of the token, or of the session. */
    readonly claims?: Readonly<Record<string, unknown>>;
    /** How long ago the caller signed in (claim auth_time). Only with claims. Not with claims.auth_time. */
    readonly signed_in?: string;
    /** The address of the client. Not with roles. */
    readonly network?: string;
    /** The name in the certificate that the caller shows. Not with roles. */
    readonly certificate?: string;
  };
  /** URL of a request with this method. */
  readonly GET?: string;
  /** URL of a request with this method. */
  readonly HEAD?: string;
  /** URL of a request with this method. */
  readonly POST?: string;
  /** URL of a request with this method. */
  readonly PUT?: string;
  /** URL of a request with this method. */
  readonly PATCH?: string;
  /** URL of a request with this method. */
  readonly DELETE?: string;
  /** URL of a request with this method. */
  readonly OPTIONS?: string;
  /** URL of a request with this method. */
  readonly PROPFIND?: string;
  /** URL of a request with this method. */
  readonly PROPPATCH?: string;
  /** URL of a request with this method. */
  readonly MKCOL?: string;
  /** URL of a request with this method. */
  readonly COPY?: string;
  /** URL of a request with this method. */
  readonly MOVE?: string;
  /** URL of a request with this method. */
  readonly LOCK?: string;
  /** URL of a request with this method. */
  readonly UNLOCK?: string;
  /** URL of a request with this method. */
  readonly REPORT?: string;
  /** URL of a request with this method. */
  readonly SEARCH?: string;
  /** The Authorization header, which belongs to the service: a scheme, and for a token its beginning. With allowed, the service must receive it. */
  readonly service_credential?: string;
  /** The MCP tool that the headers of the request name (SEP-2243). */
  readonly tool?: string;
  /** The MCP message that these headers name: METHOD, or METHOD:NAME. Not with tool. */
  readonly mcp?: string;
  /** allowed, or the reason why the request does not pass. */
  readonly expect: "allowed" | "credential_missing" | "credential_unsupported" | "path_not_canonical" | "request_malformed" | "host_unknown" | "route_unknown" | "token_malformed" | "algorithm_refused" | "issuer_unknown" | "key_unknown" | "signature_invalid" | "token_inactive" | "token_expired" | "token_not_yet_valid" | "audience_mismatch" | "type_refused" | "claim_absent" | "proof_missing" | "proof_invalid" | "proof_replayed" | "proof_nonce_required" | "header_too_large" | "credential_duplicate" | "session_expired" | "revoked" | "attempt_unknown" | "signin_failed" | "origin_refused" | "worker_refused" | "step_up_required" | "network_refused" | "role_missing" | "scope_missing" | "actor_not_allowed" | "limit_exceeded" | "tool_refused" | "protocol_refused" | "provider_unavailable" | "assertion_unavailable" | "check_unavailable";
}

/** A fact about the caller, or the name of a role. */
export type Fact = string | {
  /** The caller is in this group. */
  readonly group?: string;
  /** The path of a claim; it needs is, has or like. */
  readonly claim?: string;
  /** The claim, or one of its elements, equals this. */
  readonly is?: string | number | boolean;
  /** The list or space-delimited claim contains this. */
  readonly has?: string | number | boolean;
  /** The claim, or one of its elements, is a text that matches this; * matches any characters. */
  readonly like?: string;
  /** The token has this scope. */
  readonly scope?: string;
  /** The person signed in this way (claim acr). */
  readonly acr?: string;
  /** The person signed in (claim auth_time) no longer ago than this. */
  readonly max_age?: string;
  /** The token is bound to a key of the sender: dpop, certificate, or any for either. */
  readonly bound?: "dpop" | "certificate" | "any";
  /** The client’s address is in one of these ranges. */
  readonly network?: ReadonlyArray<string>;
  /** The client’s certificate has this name: a SPIFFE id, a DNS name, or *. and a DNS name. */
  readonly certificate?: string;
  /** The provider whose tokens this fact is about. */
  readonly provider?: string;
  /** True if one of these is true. */
  readonly any?: ReadonlyArray<Fact>;
  /** True if all of these are true. */
  readonly all?: ReadonlyArray<Fact>;
  /** True if none of these is true; false if a claim is absent. */
  readonly none?: ReadonlyArray<Fact>;
};

/** A file that "--overlay" merges into the policy: it has the keys that it changes, and `null` removes a key. */
export type Overlay = Changes<Policy>;

/** The file of a team. */
export type TeamFile = Pick<Partial<Policy>, "roles" | "services" | "hosts" | "profiles" | "tests">;

type Changes<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: Changes<T[Key]> | null }
    : T;

export {};
