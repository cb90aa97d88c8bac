import { expect, test } from 'vitest';
import { busy, versionIn } from '../../bench/machine.ts';
import { readSettings } from '../../bench/settings.ts';

test('the defaults', () => {
  const settings = readSettings({});
  expect(settings).toMatchObject({ rounds: 5, connections: 32, growth: 500_000, only: [] });
});

test('each setting is read from its variable', () => {
  const settings = readSettings({ BENCH_ROUNDS: '7', BENCH_PORT: '20000', BENCH_GROWTH: '0', BENCH_ONLY: 'bare,hop' });
  expect(settings).toMatchObject({ rounds: 7, port: 20_000, growth: 0, only: ['bare', 'hop'] });
});

test.each(['1', 'three', '-5', '3.5'])('BENCH_ROUNDS=%s is rejected: a median needs three', (value) => {
  expect(() => readSettings({ BENCH_ROUNDS: value })).toThrow('BENCH_ROUNDS');
});

test('a busy machine is reported', () => {
  expect(busy(0.4, 2)).toBeUndefined();
  expect(busy(0.6, 2)).toContain('load 0.6 on 2 cores');
});

test('versions are found in the output of programs', () => {
  expect(versionIn('nginx version: nginx/1.30.6')).toBe('1.30.6');
  expect(versionIn('sh: njs: not found')).toBe('unknown');
});
