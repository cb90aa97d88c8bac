import type { Assertion } from '../policy/checked/types.ts';

export interface MonitoredIdentity {
  readonly name: string;
  readonly spiffe: string;
  readonly certFile: string;
  /** The file with the key. It is the same as `certFile` if one file contains both. */
  readonly keyFile: string;
  /** The names of the identity for Linkerd's proxies, if nginx connects to them with it. */
  readonly names?: readonly string[];
}

/** A file that the policy names. The health check reads it before a request does. */
export interface MonitoredFile {
  readonly kind:
    | 'policy'
    | 'session'
    | 'proof'
    | 'assertion'
    | 'pseudonyms'
    | 'client_secret'
    | 'client_keys'
    | 'client_certificate'
    | 'listener'
    | 'ca'
    | 'identity';
  /** The provider, host, identity or other part of the policy; empty if there is only one file of this kind. */
  readonly name: string;
  readonly path: string;
  /** The private key of a certificate. */
  readonly keyPath?: string;
  /** The SPIFFE id of an identity. */
  readonly spiffe?: string;
  /** The names of an identity for Linkerd's proxies, if nginx connects to them with it. */
  readonly names?: readonly string[];
  /** Whether a client secret signs (HS256), so that it has a minimum length. */
  readonly signs?: true;
}

/** How a proxy of the mesh shows that it denied a request itself. `first`: the Envoy that nginx connects to. `behind`: an
 * Envoy behind it. `any`: an Envoy at either place. `linkerd`: Linkerd's proxy that nginx connects to. */
export type DeniedBy = 'first' | 'behind' | 'any' | 'linkerd';

/** A request that one object of the mesh must deny. */
export interface MeshProbe {
  /** Why it must be denied: it has no assertion, or the assertion is for the connection of another identity. */
  readonly probe: 'no_assertion' | 'wrong_identity';
  /** The identity and the roles in the assertion; absent: there is none. */
  readonly assertion?: { readonly as: string; readonly roles: readonly string[] };
  readonly mesh: string;
  /** Empty if nginx connects to the workloads themselves. */
  readonly ingress: string;
  readonly service: string;
  readonly layer: 'ingress' | 'workload';
  /** The object that must deny the request. */
  readonly object: string;
  /** The rule of the policy that guards the path. */
  readonly rule: string;
  /** The identity of the connection. */
  readonly identity: string;
  /** The location of the egress server that has this connection. */
  readonly at: string;
  readonly authority: string;
  readonly path: string;
  readonly by: DeniedBy;
}

/** watched.js: the part of the policy that the health check needs. */
export interface HealthConfig {
  /** The digest of the policy. */
  readonly policy: string;
  /** The unix socket of the server of the check. */
  readonly check: string;
  readonly providers: readonly { readonly name: string; readonly issuer: string }[];
  /** Number of seconds for which a provider's keys may be used while the provider has an outage. */
  readonly stale: number;
  readonly assertion: boolean;
  /** CA files of the ingresses that rules use. Each file is listed once. */
  readonly ca?: readonly string[];
  /** CA files for certificates of clients, and of services at the inner listener. Each file is listed once. */
  readonly clientCa?: readonly string[];
  /** Whether sessions belong only to this gateway, or replicas share them in a store; absent: there are no sessions. */
  readonly sessions?: 'own' | 'shared';
  /** The identities that rules use. */
  readonly identities: readonly MonitoredIdentity[];
  /** The folder of the transparency log, if the policy has one. */
  readonly audit?: string;
  /** The witnesses of the log, and the unix socket of the egress server; absent: the log has no witness. */
  readonly witnesses?: {
    readonly egress: string;
    readonly all: readonly { readonly url: string; readonly key: string }[];
  };
  /** Keys, secrets and certificates that the gateway needs, and the policy itself if its path is known. */
  readonly files: readonly MonitoredFile[];
  /** The requests that the mesh must deny; absent: the policy has no `gateway.mesh_probe`. */
  readonly probes?: {
    /** The unix socket of the egress server. */
    readonly egress: string;
    /** How assertions are signed, if a request has one. */
    readonly assertion?: Assertion;
    /** The number of seconds between two runs. */
    readonly every: number;
    readonly requests: readonly MeshProbe[];
  };
}

/** The state of one part. A failed part makes the gateway unready. */
export interface Part {
  readonly state: 'ok' | 'warning' | 'failed';
  readonly reason?: HealthReason;
  readonly help?: string;
  readonly keys?: number;
  /** Seconds since a provider's keys were fetched, or since all revocations of other replicas were known. */
  readonly age?: number;
  /** Used part of the room for revocations, in percent. */
  readonly taken?: number;
  /** Seconds until an SVID expires; negative if it has expired. */
  readonly expires_in?: number;
  /** Why a change of the files was rejected, or which rule a mesh does not enforce: the first line of the log about it. */
  readonly why?: string;
}

export interface Readiness {
  readonly ready: boolean;
  /** The digest of the policy that this worker has loaded. */
  readonly policy: string;
  readonly check: Part;
  readonly providers: Readonly<Record<string, Part>>;
  readonly assertion?: Part;
  /** The keys that seal sessions. */
  readonly session?: Part;
  /** The keys of DPoP nonces. */
  readonly proof?: Part;
  readonly pseudonyms?: Part;
  /** The gateway's credential at each provider. */
  readonly clients?: Readonly<Record<string, Part>>;
  /** The certificates of the image's listeners. */
  readonly certificates?: Readonly<Record<string, Part>>;
  /** What is not right about files that work. */
  readonly files?: Part;
  /** Whether changes of the files are loaded, if the image watches them. */
  readonly changes?: Part;
  /** The CA of the mesh's ingress. */
  readonly ca?: Part;
  /** The CAs for certificates of services and of clients. */
  readonly client_ca?: Part;
  readonly revocations?: Part;
  /** Whether each mesh denies what it must deny, by the name of the mesh. */
  readonly meshes?: Readonly<Record<string, Part>>;
  readonly identities: Readonly<Record<string, Part>>;
}

/** Why a part has a problem, and what to do. A test compares docs/health.md with this table. */
export const healthReasons = {
  check_failed: 'The check does not work: nginx’s error log says why.',
  keys_missing: 'The gateway has no keys of this provider yet. nginx’s error log has its response.',
  keys_stale: 'The provider does not answer, and its keys are older than gateway.keys.stale.',
  provider_unreachable:
    'The provider does not answer. Its keys are used until gateway.keys.stale. nginx’s error log says why.',
  keys_file_empty: 'The file contains no key. "meshgate keys new" makes one.',
  keys_file_expired: 'The first key of the file has expired, so nothing can be sealed. Run "meshgate keys rotate".',
  keys_file_malformed: 'The file is not a JWKS with the keys that the gateway needs. nginx’s error log says why.',
  secret_empty: 'The file contains no secret. Write the client secret into it.',
  secret_short:
    'A secret in the file is shorter than 32 bytes, which HS256 requires. Use a longer one, or auth: basic.',
  certificate_malformed: 'The files are not a PEM certificate and a PEM private key.',
  certificate_key_mismatch: 'The private key does not match the certificate. Replace both.',
  certificate_not_yet_valid: 'The certificate is not valid yet. Compare the clocks.',
  certificate_expiring:
    'Less than a quarter of its life and less than a week is left. Renew it. The image loads it; your own nginx needs a reload.',
  certificate_expired:
    'Clients and providers reject the certificate. Renew it. The image loads it; your own nginx needs a reload.',
  file_unchecked: 'The file was not checked yet, or the job for this has stopped.',
  file_missing: 'The file does not exist. Mount it, or correct its path in the policy.',
  file_unreadable:
    'The gateway’s user may not read the file. In the image: chown 10101 on it. In Kubernetes: fsGroup: 10101.',
  folder_closed:
    'The gateway’s user may not enter a folder on the way to the file. Run chmod o+x on it. In Kubernetes: fsGroup: 10101.',
  file_exposed:
    'Every user of the machine can read this secret. Run chmod o-r on it. In Kubernetes: defaultMode: 0440.',
  file_replaced:
    'The file was replaced outside. It is itself mounted, so the gateway still has the earlier file. Mount its folder.',
  change_rejected:
    'The files that are mounted now were rejected, and nginx keeps what it has loaded. Correct the files: the image loads them.',
  watcher_stopped:
    'The image no longer looks for changes of the files. Restart the container; until then, meshgate-reload loads a change.',
  signing_keys_unavailable: 'gateway.assertion.keys_file cannot be read, or has no key pair for signing.',
  ca_unreadable: 'The CA file is missing or not readable. A reload of nginx would fail.',
  ca_malformed: 'The CA file does not contain PEM certificates. A reload of nginx would fail.',
  ca_changed: 'The CA file has changed, but nginx still uses its earlier certificates. Reload nginx.',
  revocations_old:
    'etcd does not answer. Newer revocations of other replicas are unknown here; known ones are enforced.',
  revocations_unread: 'etcd does not answer. Revocations of other replicas are unknown, so no credential is accepted.',
  revocations_dropped:
    'Old revocations were dropped. Credentials from before them are rejected. Enlarge gateway.session.people.',
  revocations_nearly_full: 'Little room is left. Without room, sign-outs fail and old revocations are dropped.',
  mesh_not_enforcing:
    'The mesh allows a request that it must deny. Compare its objects with the policy: "meshgate prove" says what differs.',
  mesh_not_probed:
    'A probe had no answer that says whether the mesh enforces the rule. nginx’s error log has its status. Requests may still pass.',
  svid_unchecked: 'Its files were not checked yet, or the job for this has stopped.',
  svid_unreadable: 'A file is missing, or the user of nginx’s workers may not read it.',
  svid_malformed: 'The files are not a PEM certificate and a PEM private key.',
  svid_key_mismatch: 'The private key does not match the certificate. Replace both.',
  svid_other_identity: 'The certificate’s SPIFFE id differs from the policy’s.',
  svid_rsa: 'The key is RSA, which Linkerd’s proxies do not accept from a client. Issue an ECDSA key.',
  svid_first_name:
    'The first DNS name or URI in the certificate is another one, and Linkerd’s proxies read only the first. Put the SPIFFE id first.',
  svid_not_for_clients: 'The extended key usage has no clientAuth, so Linkerd’s proxies reject it. Add clientAuth.',
  svid_not_yet_valid: 'The certificate is not valid yet. Compare the clocks.',
  svid_expiring: 'Less than a third of its life is left, and it was not renewed.',
  svid_expired: 'The mesh rejects it. Renew it; nginx uses the new one without a reload.',
} as const;

export type HealthReason = keyof typeof healthReasons;
