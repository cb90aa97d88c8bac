/** What the environment can change about a run. */
export interface Settings {
  /** How often each system is measured; medians of these are reported. */
  readonly rounds: number;
  /** Requests of one measurement with a token that is known, or none that matters. */
  readonly requests: number;
  /** Requests of one measurement with new tokens: each needs a token that was signed before. */
  readonly newRequests: number;
  /** Connections of the load generator. */
  readonly connections: number;
  /** First of some twenty ports on 127.0.0.1 that the benchmark takes. */
  readonly port: number;
  /** Requests of the growth measurement; 0 leaves it out. */
  readonly growth: number;
  /** Systems to measure, by key; empty: all. A part is not written to results.json. */
  readonly only: readonly string[];
}

const variables = {
  rounds: ['BENCH_ROUNDS', 5, 3],
  requests: ['BENCH_REQUESTS', 30_000, 100],
  newRequests: ['BENCH_NEW_REQUESTS', 10_000, 100],
  connections: ['BENCH_CONNECTIONS', 32, 1],
  port: ['BENCH_PORT', 18400, 1024],
  growth: ['BENCH_GROWTH', 500_000, 0],
} as const;

/** Reads the settings; a value that is no whole number, or too small, is an error that says what is wanted. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const number = ([name, otherwise, least]: (typeof variables)[keyof typeof variables]) => {
    const text = env[name];
    if (text === undefined || text === '') return otherwise;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least) throw new Error(`${name} is "${text}": a number of at least ${least}`);
    return value;
  };
  return {
    rounds: number(variables.rounds),
    requests: number(variables.requests),
    newRequests: number(variables.newRequests),
    connections: number(variables.connections),
    port: number(variables.port),
    growth: number(variables.growth),
    only: (env.BENCH_ONLY ?? '').split(',').filter((key) => key !== ''),
  };
}
