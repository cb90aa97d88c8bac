/** The settings of a run that the environment can change. */
export interface Settings {
  /** How often each system is measured; medians of these are reported. */
  readonly rounds: number;
  /** Requests of one measurement with a known token, or without one. */
  readonly requests: number;
  /** Requests of one measurement with new tokens: each needs a token that is signed in advance. */
  readonly newRequests: number;
  /** Connections of the load generator. */
  readonly connections: number;
  /** The first of some twenty ports on 127.0.0.1 that the benchmark uses. */
  readonly port: number;
  /** Requests of the growth measurement; 0 leaves it out. */
  readonly growth: number;
  /** How many seconds WebSockets stay open and idle before their memory is measured. */
  readonly open: number;
  /** Keys of the systems to measure; empty: all. The results of a part are not written to results.json. */
  readonly only: readonly string[];
}

const variables = {
  rounds: ['BENCH_ROUNDS', 5, 3],
  requests: ['BENCH_REQUESTS', 30_000, 100],
  newRequests: ['BENCH_NEW_REQUESTS', 10_000, 100],
  connections: ['BENCH_CONNECTIONS', 32, 1],
  port: ['BENCH_PORT', 18400, 1024],
  growth: ['BENCH_GROWTH', 500_000, 0],
  open: ['BENCH_OPEN', 0, 0],
} as const;

/** Reads the settings; a value that is not a whole number, or is too small, is an error that names the expected
 * value. */
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
    open: number(variables.open),
    only: (env.BENCH_ONLY ?? '').split(',').filter((key) => key !== ''),
  };
}
