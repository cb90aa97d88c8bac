import { expect, test } from 'vitest';
import { count, merge, sentence } from '../../harness/results.ts';

test('a test that ran twice counts once, and a failure in either run stays', () => {
  const merged = merge([
    { a: 'passed', b: 'passed', c: 'failed', d: 'skipped' },
    { a: 'passed', b: 'failed', c: 'passed', d: 'passed' },
  ]);
  expect(merged).toEqual({ a: 'passed', b: 'failed', c: 'failed', d: 'passed' });
});

test('the closing line names what was skipped only where something was', () => {
  expect(sentence(count({ a: 'passed', b: 'failed' }))).toBe('1 passed, 1 failed');
  expect(sentence(count({ a: 'passed', b: 'skipped' }))).toBe('1 passed, 0 failed, 1 skipped');
});
