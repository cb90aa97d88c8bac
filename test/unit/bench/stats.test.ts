import { expect, test } from 'vitest';
import { median, rounded, spread } from '../../bench/stats.ts';

test('the median is the middle value, in whatever order the values are', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([100, 7, 8, 7, 9])).toBe(8);
});

test('an empty list has no median', () => {
  expect(() => median([])).toThrow();
});

test('the spread is relative to the median', () => {
  expect(spread([8, 10, 12])).toBeCloseTo(0.4);
});

test('rounding keeps numbers', () => {
  expect(rounded(12.345, 2)).toBe(12.35);
  expect(rounded(12.04)).toBe(12);
});
