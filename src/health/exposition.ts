/** One value of a metric, after the values of its labels. */
export type Sample = readonly [labels: readonly string[], value: number];

/** A metric. `In` is what its reader gets. */
export interface Metric<In> {
  readonly name: `meshgate_${string}`;
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** One sentence. docs/metrics.md has the same. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Returns the values now. The values of labels come from the policy or from a list in the code, never from a caller,
   * so that their number is bounded.
   * For a histogram, the last label is `le`, and {@link histogram} makes the values. */
  readonly read: (from: In) => readonly Sample[];
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

/** Escapes the value of a label (Prometheus, text format 0.0.4). */
const escaped = (value: string): string => value.replace(/[\\"\n]/g, (character) => ESCAPES[character] as string);

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** The suffix and the labels of a line of a histogram. The bound of a bucket is the last value of a label; the texts
 * `sum` and `count` mark the other two lines. */
function nameOf({ name, type, labels }: Metric<never>, values: readonly string[]): string {
  const last = values[values.length - 1];
  const isBucket = type === 'histogram' && last !== 'sum' && last !== 'count';
  const suffix = type !== 'histogram' ? '' : isBucket ? '_bucket' : `_${last}`;
  const shown = type === 'histogram' && !isBucket ? labels.slice(0, -1) : labels;
  const pairs = shown.map((label, i) => `${label}="${escaped(values[i] as string)}"`);
  return pairs.length === 0 ? name + suffix : `${name}${suffix}{${pairs.join(',')}}`;
}

/** Returns the samples of a histogram.
 * @param bounds the upper bounds of the buckets, ascending, without +Inf
 * @param counts the number of observations in each bucket, not cumulative; the last is above all bounds */
export function histogram(
  labels: readonly string[],
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
): readonly Sample[] {
  let total = 0;
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, i): Sample => {
    total += counts[i] ?? 0;
    return [[...labels, number(bound)], total];
  });
  return [...buckets, [[...labels, 'sum'], sum], [[...labels, 'count'], total]];
}

/** Writes metrics in Prometheus' text format. A metric without a value is left out. */
export function exposition<In>(metrics: readonly Metric<In>[], from: In): string {
  let text = '';
  for (const metric of metrics) {
    const samples = metric.read(from);
    if (samples.length === 0) continue;
    text += `# HELP ${metric.name} ${metric.help}\n# TYPE ${metric.name} ${metric.type}\n`;
    for (const [labels, value] of samples) text += `${nameOf(metric, labels)} ${number(value)}\n`;
  }
  return text;
}
