import { expect, test } from 'vitest';
import { readSettings } from '../../bench/settings.ts';

test('the defaults', () => {
  const settings = readSettings({});
  expect(settings).toMatchObject({ rounds: 5, connections: 32, growth: 500_000, only: [] });
});

test('each is read from its variable', () => {
  const settings = readSettings({ BENCH_ROUNDS: '7', BENCH_PORT: '20000', BENCH_GROWTH: '0', BENCH_ONLY: 'bare,hop' });
  expect(settings).toMatchObject({ rounds: 7, port: 20_000, growth: 0, only: ['bare', 'hop'] });
});

test.each(['1', 'three', '-5', '3.5'])('BENCH_ROUNDS=%s is refused: a median wants three', (value) => {
  expect(() => readSettings({ BENCH_ROUNDS: value })).toThrow('BENCH_ROUNDS');
});
