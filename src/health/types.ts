export interface WatchedIdentity {
  readonly name: string;
  readonly spiffe: string;
  readonly certFile: string;
  /** The file with the key. It is the same as `certFile` if one file contains both. */
  readonly keyFile: string;
}

/** watched.js: the part of the policy that the health check needs. */
export interface Watched {
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
  readonly identities: readonly WatchedIdentity[];
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
}

export interface Readiness {
  readonly ready: boolean;
  /** The digest of the policy that this worker has loaded. */
  readonly policy: string;
  readonly check: Part;
  readonly providers: Readonly<Record<string, Part>>;
  readonly assertion?: Part;
  /** The CA of the mesh's ingress. */
  readonly ca?: Part;
  /** The CAs for certificates of services and of clients. */
  readonly client_ca?: Part;
  readonly revocations?: Part;
  readonly identities: Readonly<Record<string, Part>>;
}

/** Why a part has a problem, and what to do. A test compares docs/health.md with this table. */
export const healthReasons = {
  check_failed: 'The check does not work: nginx’s error log says why.',
  keys_missing: 'The gateway has no keys of this provider yet. nginx’s error log has its response.',
  keys_stale: 'The provider does not answer, and its keys are older than gateway.keys.stale.',
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
  svid_unchecked: 'Its files were not checked yet, or the job for this has stopped.',
  svid_unreadable: 'A file is missing, or the user of nginx’s workers may not read it.',
  svid_malformed: 'The files are not a PEM certificate and a PEM private key.',
  svid_key_mismatch: 'The private key does not match the certificate. Replace both.',
  svid_other_identity: 'The certificate’s SPIFFE id differs from the policy’s.',
  svid_not_yet_valid: 'The certificate is not valid yet. Compare the clocks.',
  svid_expiring: 'Less than a third of its life is left, and it was not renewed.',
  svid_expired: 'The mesh rejects it. Renew it; nginx uses the new one without a reload.',
} as const;

export type HealthReason = keyof typeof healthReasons;
