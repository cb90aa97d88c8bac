import type { Gateway } from './gateway.ts';

/** The values of a metric by the values of its labels, joined by spaces, in the order of docs/metrics.md. */
export type Values = Readonly<Record<string, number>>;

/** Reads a metric of a gateway whose policy has `gateway.health`. A test that calls this, or {@link counting}, with a
 * metric proves that this metric tells the truth: see test/unit/health/metrics-proved.test.ts. */
export async function metric(gateway: Gateway, name: string): Promise<Values> {
  const { status, text } = await gateway.health('/.meshgate/metrics');
  if (status !== 200) throw new Error(`the metrics: ${status} ${text}`);
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      const labels = [...line.slice(name.length, end).matchAll(/[{,]\w+="((?:[^"\\]|\\.)*)"/g)];
      return [labels.map(([, value]) => value).join(' '), Number(line.slice(end + 1).replace('Inf', 'Infinity'))];
    }),
  );
}

/** Begins to count. The function that it returns says by how much each value of the metric has grown since. */
export async function counting(gateway: Gateway, name: string): Promise<() => Promise<Values>> {
  const before = await metric(gateway, name);
  return async () => {
    const grown = Object.entries(await metric(gateway, name)).map(
      ([labels, value]) => [labels, value - (before[labels] ?? 0)] as const,
    );
    return Object.fromEntries(grown.filter(([, by]) => by !== 0));
  };
}
