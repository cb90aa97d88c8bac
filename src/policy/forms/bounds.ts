/** Defaults and bounds that more than one file of the policy needs. Sizes are in bytes, times in seconds. */

export const DEFAULTS = {
  gatewayName: 'meshgate',
  rotation: 70,
  listen: 8443,
  innerListen: 8444,
  publicPort: 443,
  /** Proofs per second that all workers accept together. */
  proofRate: 200,
  sessionIdle: 8 * 3600,
  sessionAbsolute: 24 * 3600,
  sessionFresh: 600,
  sessionPeople: 4000,
  storePrefix: '/meshgate/',
  limitsZone: 8 * 1024 * 1024,
  signinRate: '20/s',
  signinBurst: 200,
  connectionsPerAddress: 256,
  auditLog: '/var/log/meshgate/access.log',
  auditFolder: '/var/lib/meshgate/audit',
  auditInstance: 'gw-0',
} as const;

export const MAX_SIGNIN_BURST = 10_000;

/** How nginx proxies requests if the policy sets nothing else. Times are in seconds, the size is in bytes. */
export const PROXY_DEFAULTS = {
  connectTimeout: 10,
  /** The longest pause of a service; with `stream: true` it is `streamSilence`. */
  silence: 60,
  streamSilence: 3600,
  maxBody: 100 * 1024 * 1024,
} as const;

/** How nginx uses several ingresses of a service. Times are in seconds. */
export const FAILOVER = {
  connectTimeout: 3,
  failTimeout: 10,
  /** The longest time until a request reaches the last ingress. */
  most: 30,
} as const;

/** The longest time-out of calls to a provider, in seconds. The locks of the sign-in outlast ten such calls. */
export const MAX_PROVIDER_TIMEOUT = 10;

/** The longest time-out of an introspection endpoint: {@link PROVIDER_TIMEOUT_MS}. */
export const MAX_INTROSPECTION_TIMEOUT = 4;

/** The maximum number of groups that the gateway asks a groups endpoint about: it asks about all of them at once. */
export const MAX_ASKED_GROUPS = 200;

export const MAX_CLOCK_SKEW = 300;

export const MAX_PEOPLE = 1_000_000;

/** The longest session that a policy may set: shared memory cannot keep entries longer. */
export const MAX_SESSION = 30 * 86400;

/** The maximum burst, and the maximum time until an empty budget is full: shared memory keeps callers this long. */
export const MAX_BURST = 1_000_000;
export const MAX_REFILL_S = 30 * 86400;

/** The highest rate per second, because the clock of the check counts milliseconds. */
export const MAX_UNIT_RATE = 1000;

/** The maximum length of a policy file, in characters. */
export const MAX_POLICY_BYTES = 1024 * 1024;

/** The maximum depth of nested roles, and of nested `any`, `all` and `none`: each level uses the call stack. */
export const MAX_ROLE_LEVELS = 64;

export const MAX_PROOF_RATE = 20_000;
