/** How much callers may ask for. */

/** A rate, and how much of it may come at once. */
export interface Limit {
  /** Requests per second. */
  readonly rate: number;
  /** Requests that may come at once; they come back at the rate. */
  readonly burst: number;
  /** The rate as the policy writes it. */
  readonly written: string;
}

/** Limits where a host or a route says none, and what they are counted in. */
export interface GatewayLimits {
  /** For each caller. */
  readonly callers?: Limit;
  /** For each agent that has no limit of its own, and each person that it acts for. */
  readonly agents?: Limit;
  /** For each address where nobody says who asks; absent: that of callers. */
  readonly anonymous?: Limit;
  /** Bytes of shared memory for callers, and as many for addresses. */
  readonly zone: number;
  /** Where no memory is left, requests pass uncounted. */
  readonly passWhenFull: boolean;
}
