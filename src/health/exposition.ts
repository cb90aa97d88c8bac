/** One value of a metric, after the values of its labels, or after the {@link labelText} of all of them. */
export type Sample = readonly [labels: readonly string[] | string, value: number];

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

const NEEDS = /[\\"\n]/;

/** Escapes the value of a label (Prometheus, text format 0.0.4). */
const escaped = (value: string): string =>
  NEEDS.test(value) ? value.replace(/[\\"\n]/g, (character) => ESCAPES[character] as string) : value;

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Returns labels as they stand between the braces. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  let text = '';
  for (let i = 0; i < names.length; i++) text += `${i === 0 ? '' : ','}${names[i]}="${escaped(values[i] as string)}"`;
  return text;
}

const named = (name: string, labels: string): string => (labels === '' ? name : `${name}{${labels}}`);

/** Returns what stands before the value in the line of a sample. The last label of a histogram is the bound of a bucket,
 * or the text `sum` or `count`. */
function nameOf({ name, type, labels }: Metric<never>, values: readonly string[] | string): string {
  if (typeof values === 'string') return named(name, values);
  const last = values[values.length - 1];
  if (type !== 'histogram') return named(name, labelText(labels, values));
  if (last !== 'sum' && last !== 'count') return named(`${name}_bucket`, labelText(labels, values));
  return named(`${name}_${last}`, labelText(labels.slice(0, -1), values));
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
