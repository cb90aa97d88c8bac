import { describe, expect, test } from 'vitest';
import { checkCounts, checkKnown } from '../../bench/guards.ts';
import { countedBy } from '../../bench/load.ts';

describe('the output of wrk', () => {
  test('has the result among its other lines', () => {
    const lines = ['Running 10m test @ http://127.0.0.1:18403/', 'idle', '{"requests":300,"refused":2,"broken":0}'];
    expect(countedBy(lines)).toEqual({ requests: 300, refused: 2, broken: 0 });
  });

  test('of a run that was cut off is an error', () => {
    expect(() => countedBy(['{"requests":300,"refused":0,"broken":0}'])).toThrow('did not get through');
  });

  test('without a result is an error that shows the output', () => {
    expect(() => countedBy(['unable to connect to 127.0.0.1:1 Connection refused'])).toThrow('Connection refused');
  });
});

describe('the checks of a result', () => {
  const counted = { requests: 100, refused: 0, broken: 0 };

  test('accept equal counts', () => {
    expect(() => checkCounts('known', 100, counted, 100, 100)).not.toThrow();
  });

  test.each([
    ['a refused answer', { ...counted, refused: 1 }, 100, 100],
    ['a broken connection', { ...counted, broken: 1 }, 100, 100],
    ['a request that wrk lacks', { ...counted, requests: 99 }, 100, 100],
    ['a request that the backend lacks', counted, 99, 100],
    ['a line that the log lacks', counted, 100, 99],
  ])('%s', (_, wrk, backend, logged) => {
    expect(() => checkCounts('known', 100, wrk, backend, logged)).toThrow('known: ');
  });

  test('reject new tokens that cost no more than known ones', () => {
    expect(() => checkKnown({ 'known.cpu_us': 40, 'new_rs256.cpu_us': 44 })).toThrow('known: ');
    expect(() => checkKnown({ 'known.cpu_us': 40, 'new_rs256.cpu_us': 80 })).not.toThrow();
  });
});
