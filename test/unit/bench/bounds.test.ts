import { describe, expect, test } from 'vitest';
import { bounds, type Numbers, verdictOf } from '../../bench/bounds.ts';
import { offlineTargets, proveKey, renderKey } from '../../bench/offline.ts';

const good: Numbers = {
  'hop.cpu_us': 20,
  'known.cpu_us': 36,
  'budget.cpu_us': 38,
  'part_bare.cpu_us': 30,
  'part_file.cpu_us': 69,
  'part_stdout.cpu_us': 75,
  'part_envoy.cpu_us': 75,
  'audit.cpu_us': 8,
  'seal.cpu_us': 50,
  'routes200.cpu_us': 37.8,
  'identities1.cpu_us': 60,
  'identities100.cpu_us': 63,
  'identities100.mb': 16,
  'new_rs256.cpu_us': 120,
  'cmodule_rs256.cpu_us': 80,
  'introspect_known.cpu_us': 39.6,
  'dpop.cpu_us': 240,
  'session.cpu_us': 39.6,
  'session_new.cpu_us': 46.8,
  'inflight.kb': 12,
  'streams.kb': 12,
  'sockets.kb': 12,
  'worker_10k.mb': 96,
  'growth_500k.kb': -40,
  ...Object.fromEntries(offlineTargets.map((target) => [renderKey(target, 600), 2])),
  ...Object.fromEntries(offlineTargets.map((target) => [proveKey(target, 10_000), 5])),
};

const verdicts = (numbers: Numbers) => bounds.map((bound) => verdictOf(bound, numbers));

describe('a bound', () => {
  test('is met at its limit', () => {
    expect(verdicts(good)).toEqual(bounds.map(() => 'yes'));
  });

  test.each([
    ['known.cpu_us', 36.1, 'known token / hop'],
    ['budget.cpu_us', 38.1, 'known token with a budget - without, µs'],
    ['part_file.cpu_us', 69.5, 'TLS in, mTLS out: known token / bare, log in a file'],
    ['part_stdout.cpu_us', 75.5, 'TLS in, mTLS out: known token / bare, log on standard output'],
    ['part_envoy.cpu_us', 68.5, 'TLS in, mTLS out: known token / Envoy, log in a file'],
    ['part_envoy.cpu_us', 74.5, 'TLS in, mTLS out: known token / Envoy, log on standard output'],
    ['audit.cpu_us', 8.1, 'writing and sealing a line, µs'],
    ['seal.cpu_us', 50.1, 'sealing a line, µs'],
    ['routes200.cpu_us', 37.9, '200 routes / one route'],
    ['identities100.cpu_us', 63.1, '100 identities / one identity'],
    ['identities100.mb', 16.1, '100 identities over one, MB'],
    ['new_rs256.cpu_us', 120.5, 'new RS256 token / C module'],
    ['introspect_known.cpu_us', 39.7, 'known opaque token / known token'],
    ['dpop.cpu_us', 241.3, 'DPoP proof / new RS256 token'],
    ['session.cpu_us', 39.7, 'known session / known token'],
    ['session_new.cpu_us', 46.9, 'new session / known token'],
    ['inflight.kb', 12.1, 'slow request over bare, KB'],
    ['streams.kb', 12.1, 'open event stream over bare, KB'],
    ['sockets.kb', 12.1, 'open WebSocket over bare, KB'],
    ['worker_10k.mb', 97, 'worker with 10,000 tokens, MB'],
    ['growth_500k.kb', 1025, 'growth over 500,000 requests, KB'],
    ['render_nginx_600.cpu_s', 2.1, 'slowest render of 200 routes, 50 roles, s'],
    ['prove_envoy_10000.cpu_s', 5.1, 'slowest proof, each route for all 50 roles, s'],
  ])('%s of %d is beyond its bound', (key, value, text) => {
    const broken = bounds.filter((bound) => verdictOf(bound, { ...good, [key]: value }) === 'no');
    expect(broken.map((bound) => bound.text)).toContain(text);
  });

  test('the absolute bound on a known token applies beside the ratio', () => {
    const slow = { ...good, 'hop.cpu_us': 40, 'known.cpu_us': 61, 'routes200.cpu_us': 61 };
    const broken = bounds.filter((bound) => verdictOf(bound, slow) === 'no');
    expect(broken.map((bound) => bound.text)).toEqual(['known token - hop, µs']);
  });

  test('a part without a measurement is not reported as met', () => {
    expect(verdicts({})).toEqual(bounds.map(() => 'not measured'));
  });
});
