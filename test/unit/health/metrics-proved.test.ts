import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { metrics } from '../../../src/njs/metrics/handler.ts';
import { fakeNgx } from '../njs/fake-ngx.ts';

/**
 * For each metric of the table, a test lets the real thing happen on a real gateway, and reads the metric: with
 * `counting` or `metric` of the harness, or with `samples` of the tests of the mesh.
 */

fakeNgx();

const proved = new Set(
  ['gateway', 'mesh'].flatMap((folder) => {
    const root = new URL(`../../${folder}/`, import.meta.url);
    const files = readdirSync(root).filter((name) => name.endsWith('.test.ts'));
    return files.flatMap((file) => {
      const text = readFileSync(new URL(file, root), 'utf8');
      return [...text.matchAll(/\b(?:counting|metric|samples)\((?:\w+, )?'(meshgate_\w+)'\)/g)].map(([, name]) => name);
    });
  }),
);

describe('a test with a real gateway reads', () => {
  // A histogram is read by its series.
  test.each(metrics.map(({ name, type }) => [name, type === 'histogram' ? ['_bucket', '_count'] : ['']] as const))(
    '%s',
    (name, series) => expect(series.filter((end) => !proved.has(name + end))).toEqual([]),
  );
});

test('the tests read no metric that the table lacks', () => {
  const names = metrics.flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  );
  expect([...proved].filter((name) => !names.includes(name as never))).toEqual([]);
});
