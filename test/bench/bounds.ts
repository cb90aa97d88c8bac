import { offlineTargets, proveKey, renderKey, sizes } from './offline.ts';

/** The flat keys of results.json that hold numbers. */
export type Numbers = Readonly<Record<string, number>>;

/** The promised bounds of the gateway's cost. */
export interface Bound {
  readonly text: string;
  /** The measured value and its limit; undefined if a part was not measured. */
  readonly measured: (numbers: Numbers) => number | undefined;
  readonly limit: number;
  readonly digits: number;
}

function ratio(above: string, below: string) {
  return (numbers: Numbers) => {
    const [a, b] = [numbers[above], numbers[below]];
    return a === undefined || b === undefined ? undefined : a / b;
  };
}

/** The highest cost of a command over all targets; undefined unless all were measured. */
function slowest(keys: readonly string[]) {
  return (numbers: Numbers) =>
    keys.every((key) => key in numbers) ? Math.max(...keys.map((key) => numbers[key]!)) : undefined;
}

const [usual, widest] = sizes;

const alone = (key: string) => (numbers: Numbers) => numbers[key];

/** In the order in which they are printed. Growth: two bytes for each request; a lost object would be ten times
 * that. */
export const bounds: readonly Bound[] = [
  { text: 'known token / hop', measured: ratio('known.cpu_us', 'hop.cpu_us'), limit: 1.8, digits: 2 },
  {
    text: 'known token - hop, µs',
    measured: ({ 'known.cpu_us': known, 'hop.cpu_us': hop }) =>
      known === undefined || hop === undefined ? undefined : known - hop,
    limit: 20,
    digits: 1,
  },
  {
    text: 'known token with a budget - without, µs',
    measured: ({ 'budget.cpu_us': budget, 'known.cpu_us': known }) =>
      known === undefined || budget === undefined ? undefined : budget - known,
    limit: 2,
    digits: 1,
  },
  {
    text: 'TLS in, mTLS out: known token / bare, log in a file',
    measured: ratio('part_file.cpu_us', 'part_bare.cpu_us'),
    limit: 2.3,
    digits: 2,
  },
  {
    text: 'TLS in, mTLS out: known token / bare, log on standard output',
    measured: ratio('part_stdout.cpu_us', 'part_bare.cpu_us'),
    limit: 2.5,
    digits: 2,
  },
  ...(['file', 'stdout'] as const).map((log) => ({
    text: `TLS in, mTLS out: known token / Envoy, log ${log === 'file' ? 'in a file' : 'on standard output'}`,
    measured: ratio(`part_${log}.cpu_us`, 'part_envoy.cpu_us'),
    limit: 1,
    digits: 2,
  })),
  { text: 'writing and sealing a line, µs', measured: alone('audit.cpu_us'), limit: 8, digits: 1 },
  // One core keeps up with 20,000 lines a second.
  { text: 'sealing a line, µs', measured: alone('seal.cpu_us'), limit: 50, digits: 1 },
  { text: '200 routes / one route', measured: ratio('routes200.cpu_us', 'known.cpu_us'), limit: 1.05, digits: 3 },
  {
    text: '100 identities / one identity',
    measured: ratio('identities100.cpu_us', 'identities1.cpu_us'),
    limit: 1.05,
    digits: 3,
  },
  { text: '100 identities over one, MB', measured: alone('identities100.mb'), limit: 16, digits: 1 },
  {
    text: 'new RS256 token / C module',
    measured: ratio('new_rs256.cpu_us', 'cmodule_rs256.cpu_us'),
    limit: 1.5,
    digits: 2,
  },
  {
    text: 'known opaque token / known token',
    measured: ratio('introspect_known.cpu_us', 'known.cpu_us'),
    limit: 1.1,
    digits: 2,
  },
  { text: 'DPoP proof / new RS256 token', measured: ratio('dpop.cpu_us', 'new_rs256.cpu_us'), limit: 2, digits: 2 },
  { text: 'known session / known token', measured: ratio('session.cpu_us', 'known.cpu_us'), limit: 1.1, digits: 2 },
  { text: 'new session / known token', measured: ratio('session_new.cpu_us', 'known.cpu_us'), limit: 1.3, digits: 2 },
  { text: 'slow request over bare, KB', measured: alone('inflight.kb'), limit: 12, digits: 1 },
  { text: 'open event stream over bare, KB', measured: alone('streams.kb'), limit: 12, digits: 1 },
  { text: 'open WebSocket over bare, KB', measured: alone('sockets.kb'), limit: 12, digits: 1 },
  { text: 'worker with 10,000 tokens, MB', measured: alone('worker_10k.mb'), limit: 96, digits: 1 },
  { text: 'growth over 500,000 requests, KB', measured: alone('growth_500k.kb'), limit: 1024, digits: 0 },
  {
    text: 'slowest render of 200 routes, 50 roles, s',
    measured: slowest(offlineTargets.map((target) => renderKey(target, usual.rules))),
    limit: 2,
    digits: 2,
  },
  {
    text: 'slowest proof, each route for all 50 roles, s',
    measured: slowest(offlineTargets.map((target) => proveKey(target, widest.rules))),
    limit: 5,
    digits: 2,
  },
];

export type Verdict = 'yes' | 'no' | 'not measured';

export function verdictOf(bound: Bound, numbers: Numbers): Verdict {
  const value = bound.measured(numbers);
  if (value === undefined) return 'not measured';
  return value <= bound.limit ? 'yes' : 'no';
}
