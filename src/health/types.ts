/** An identity's files, as the watch reads them. */
export interface WatchedIdentity {
  readonly name: string;
  readonly spiffe: string;
  readonly certFile: string;
  /** The same as `certFile` where one file holds both. */
  readonly keyFile: string;
}

/** watched.js: what health knows of the policy. */
export interface Watched {
  /** Unix socket of the check's server. */
  readonly check: string;
  readonly providers: readonly { readonly name: string; readonly issuer: string }[];
  /** Seconds that a provider's keys serve while it is away. */
  readonly stale: number;
  /** Whether services receive a signed assertion. */
  readonly assertion: boolean;
  /** CA files of the mesh's ingresses, each once, where some rule leads there. */
  readonly ca?: readonly string[];
  /** CA files of those who show certificates, services at the inner listener and clients at the outer door, each once. */
  readonly clientCa?: readonly string[];
  /** Whether people have sessions, of this gateway alone or in a store that several replicas share. */
  readonly sessions?: 'own' | 'shared';
  /** Those that some rule yields. */
  readonly identities: readonly WatchedIdentity[];
}

/** How one part is. What has failed makes the gateway unready. */
export interface Part {
  readonly state: 'ok' | 'warning' | 'failed';
  readonly reason?: HealthReason;
  readonly help?: string;
  /** Keys of a provider that are at hand. */
  readonly keys?: number;
  /** Seconds since a provider's keys were fetched, or since it is known what other replicas called back. */
  readonly age?: number;
  /** Per cent of the room for revocations that is taken. */
  readonly taken?: number;
  /** Seconds until an SVID expires; negative afterwards. */
  readonly expires_in?: number;
}

/** What `/.meshgate/readyz` answers. */
export interface Readiness {
  readonly ready: boolean;
  readonly check: Part;
  readonly providers: Readonly<Record<string, Part>>;
  readonly assertion?: Part;
  /** The CA of the mesh's ingress. */
  readonly ca?: Part;
  /** The CAs of certificates of services and of clients. */
  readonly client_ca?: Part;
  /** What was called back. */
  readonly revocations?: Part;
  readonly identities: Readonly<Record<string, Part>>;
}

/** Why a part is not well, and one sentence on what to do. docs/health.md is held against it by a test. */
export const healthReasons = {
  check_failed: 'The check does not answer as it should: nginx’s error log says why.',
  keys_missing: 'No keys of this provider were fetched yet: nginx’s error log says what it answered.',
  keys_stale: 'The last keys of this provider are older than gateway.keys.stale: it does not answer any more.',
  signing_keys_unavailable: 'gateway.assertion.keys_file cannot be read, or holds no key pair that signs.',
  ca_unreadable: 'The CA file is missing, or may not be read: a reload of nginx would fail.',
  ca_malformed: 'The CA file does not hold certificates in PEM: a reload of nginx would fail.',
  ca_changed: 'nginx still goes by the certificates that the CA file had before: reload it.',
  revocations_old:
    'etcd does not answer: what other replicas called back since is not known here; what was known before holds.',
  revocations_unread:
    'It is not known yet what other replicas revoked, so no credential is accepted: etcd does not answer.',
  revocations_dropped:
    'Revocations had to make room, and what was issued before them is rejected: enlarge gateway.session.people.',
  revocations_nearly_full: 'Hardly any room is left: when it is full, sign-outs are refused and the oldest make room.',
  svid_unchecked: 'Its files were not looked at yet, or the job that does so has stopped.',
  svid_unreadable: 'A file is missing, or the user of nginx’s workers may not read it.',
  svid_malformed: 'The files do not hold a certificate and a private key in PEM.',
  svid_key_mismatch: 'The private key is not the certificate’s: both have to be replaced.',
  svid_other_identity: 'The certificate has another SPIFFE id than the policy says.',
  svid_not_yet_valid: 'The certificate begins to be valid in the future: compare the clocks.',
  svid_expiring: 'Less than a third of its life is left: whoever renews it has not.',
  svid_expired: 'The mesh refuses it: renew it; nginx takes the new one without a reload.',
} as const;

export type HealthReason = keyof typeof healthReasons;
