import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { metrics } from '../../../src/njs/metrics/handler.ts';
import { fakeNgx } from '../njs/fake-ngx.ts';

/** docs/metrics.md has exactly the metrics of the table, and their names follow Prometheus' conventions. */

fakeNgx();
const text = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
const rows = [...text.matchAll(/^\| `(meshgate_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)].map((row) => row.slice(1));

test('the page has one row for each alert, in the same order', () => {
  const rules = readFileSync(new URL('../../../nginx/chart/monitoring/alerts.yaml', import.meta.url), 'utf8');
  const alerts = [...rules.matchAll(/- alert: (\w+)$/gm)].map(([, name]) => name);
  expect([...text.matchAll(/^\| `(Meshgate\w+)` \|/gm)].map(([, name]) => name)).toEqual(alerts);
});

test('the page has one row for each metric, in the same order', () => {
  expect(rows).toEqual(
    metrics.map(({ name, type, labels, help }) => [name, type, labels.map((one) => `\`${one}\``).join(', '), help]),
  );
});

describe.each(metrics.map((metric) => [metric.name, metric] as const))('%s', (name, { type, labels, help }) => {
  test('has a name of base units, and only a counter ends in _total', () => {
    expect(name).toMatch(/^meshgate_[a-z]+(_[a-z]+)*$/);
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|kb|percent)$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(labels.includes('le')).toBe(type === 'histogram');
  });

  test('has one sentence of help that needs no escape', () => expect(help).toMatch(/^[A-Z0-9][^\\\n]*\.$/));
});
