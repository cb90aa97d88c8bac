/** Limits: how many requests callers may send. */

/** A rate, and how many requests may come at once. */
export interface Limit {
  /** Requests per second. */
  readonly rate: number;
  /** Requests that may come at once; they become available again at the rate. */
  readonly burst: number;
  /** The rate as the policy writes it. */
  readonly written: string;
}

/** The defaults for hosts and routes without a limit, and the settings of all limits. */
export interface GatewayLimits {
  /** For each caller. */
  readonly callers?: Limit;
  /** For each agent without a limit of its own, and each person that it acts for. */
  readonly agents?: Limit;
  /** For each address, if the caller is anonymous; absent: the limit of callers. */
  readonly anonymous?: Limit;
  /** Bytes of shared memory for callers, and as many for addresses. */
  readonly zone: number;
  /** Whether requests pass uncounted if no memory is left. */
  readonly passWhenFull: boolean;
}
