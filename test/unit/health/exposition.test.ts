import { expect, test } from 'vitest';
import { exposition, histogram, type Metric } from '../../../src/health/exposition.ts';

const metric = (over: Partial<Metric<number>>): Metric<number> => ({
  name: 'meshgate_x',
  type: 'gauge',
  help: 'An example.',
  labels: [],
  read: (value) => [[[], value]],
  ...over,
});

test('a metric has its help, its type, and one line for each sample', () => {
  const labelled = metric({
    name: 'meshgate_y_total',
    type: 'counter',
    labels: ['route', 'reason'],
    read: (n) => [
      [['a', 'b'], n],
      [['a', 'c'], n + 1],
    ],
  });
  expect(exposition([metric({}), labelled], 1.5)).toBe(`# HELP meshgate_x An example.
# TYPE meshgate_x gauge
meshgate_x 1.5
# HELP meshgate_y_total An example.
# TYPE meshgate_y_total counter
meshgate_y_total{route="a",reason="b"} 1.5
meshgate_y_total{route="a",reason="c"} 2.5
`);
});

test('a metric without a sample is left out', () => {
  expect(exposition([metric({ read: () => [] })], 1)).toBe('');
});

test('values of labels are escaped, and nothing else of them changes', () => {
  const text = exposition([metric({ labels: ['name'], read: () => [[['a"b\\n\nc{}é'], 1]] })], 1);
  expect(text.split('\n')[2]).toBe('meshgate_x{name="a\\"b\\\\n\\nc{}é"} 1');
});

test.each([
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [Number.NaN, 'NaN'],
  [1e21, '1e+21'],
])('writes %d as %s', (value, text) => {
  expect(exposition([metric({})], value)).toContain(`meshgate_x ${text}\n`);
});

test('a histogram has cumulative buckets, a sum and a count', () => {
  const text = exposition(
    [
      metric({
        name: 'meshgate_t_seconds',
        type: 'histogram',
        labels: ['le'],
        read: () => histogram([], [0.1, 1], [3, 2, 1], 4.5),
      }),
    ],
    0,
  );
  expect(text.split('\n').slice(2)).toEqual([
    'meshgate_t_seconds_bucket{le="0.1"} 3',
    'meshgate_t_seconds_bucket{le="1"} 5',
    'meshgate_t_seconds_bucket{le="+Inf"} 6',
    'meshgate_t_seconds_sum 4.5',
    'meshgate_t_seconds_count 6',
    '',
  ]);
});
