/** Defaults and bounds that more than one file of the policy needs; sizes in bytes, times in seconds. */

export const DEFAULTS = {
  rotation: 70,
  listen: 8443,
  innerListen: 8444,
  publicPort: 443,
  /** Proofs per second, over all workers. */
  proofRate: 200,
  sessionIdle: 8 * 3600,
  sessionAbsolute: 24 * 3600,
  sessionFresh: 600,
  /** People with a session at a time. */
  sessionPeople: 4000,
  storePrefix: '/meshgate/',
  limitsZone: 8 * 1024 * 1024,
  signinRate: '20/s',
  signinBurst: 200,
} as const;

/** Largest burst of one address at the sign-in that a policy may set. */
export const MAX_SIGNIN_BURST = 10_000;

/** How nginx proxies requests if the policy does not say it: times in seconds, size in bytes. */
export const PROXY_DEFAULTS = {
  connectTimeout: 10,
  /** Longest pause of a service while it reads a request or responds, and with `stream: true`. */
  silence: 60,
  streamSilence: 3600,
  maxBody: 100 * 1024 * 1024,
} as const;

/** Longest time-out of an introspection endpoint that a policy may set: {@link PROVIDER_TIMEOUT_MS}. */
export const MAX_INTROSPECTION_TIMEOUT = 4;

/** Most groups that a policy may name of a provider that is asked: the calls are sent at the same time. */
export const MAX_ASKED_GROUPS = 200;

/** Largest clock skew that a policy may set. */
export const MAX_CLOCK_SKEW = 300;

/** Most people that a policy may make room for. */
export const MAX_PEOPLE = 1_000_000;

/** Longest session that a policy may set: shared memory cannot keep entries longer. */
export const MAX_SESSION = 30 * 86400;

/** Largest burst, and the longest time in seconds until it is full again: shared memory keeps a caller for as long. */
export const MAX_BURST = 1_000_000;
export const MAX_REFILL_S = 30 * 86400;

/** Fastest rate per second: the check's clock counts milliseconds, so faster requests could not be told apart. */
export const MAX_UNIT_RATE = 1000;

/** Longest policy file that is read, in characters. */
export const MAX_POLICY_BYTES = 1024 * 1024;

/** Deepest nesting of roles, and of any, all and none, because each level uses stack. */
export const MAX_ROLE_LEVELS = 64;

/** Most proofs per second that a policy may make room for. */
export const MAX_PROOF_RATE = 20_000;
