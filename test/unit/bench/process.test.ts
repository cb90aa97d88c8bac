import { describe, expect, test } from 'vitest';
import { cpuOf, memoryOf } from '../../bench/process.ts';

describe('the accounts of a worker', () => {
  test('CPU is the first field of schedstat, in nanoseconds', () => {
    expect(cpuOf('569582123 145077 6\n')).toBe(569582123);
  });

  test('schedstat without numbers is an error, not zero', () => {
    expect(() => cpuOf('n/a 0 0')).toThrow('schedstat');
  });

  test('memory is read by field', () => {
    const rollup = [
      '5580a000-7fff0000 ---p 00000000 00:00 0    [rollup]',
      'Rss:               18244 kB',
      'Pss:                9000 kB',
      'Pss_Dirty:          4000 kB',
      'Private_Clean:       120 kB',
      'Private_Dirty:      3512 kB',
    ].join('\n');
    expect(memoryOf(rollup)).toEqual({ rss: 18244, privateDirty: 3512 });
  });

  test('a field that is missing is an error', () => {
    expect(() => memoryOf('Rss:   1 kB\n')).toThrow('Private_Dirty');
  });
});
