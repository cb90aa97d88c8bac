import { expect, test } from 'vitest';
import { advise, nearest } from '../../../src/policy/read/suggest.ts';

test.each([
  ['raeder', ['reader', 'editor'], 'reader'],
  ['GTE', ['GET', 'PUT'], 'GET'],
  ['get', ['GET', 'PUT'], 'GET'],
  ['aud', ['issuer', 'audiences'], 'audiences'],
  ['method', ['methods', 'role'], 'methods'],
  ['x', ['is', 'has'], undefined],
  ['colour', ['version', 'gateway'], undefined],
  ['x'.repeat(100_000), ['version'], undefined],
])('%.20s means one of %j: %s', (word, candidates, meant) => {
  expect(nearest(word, candidates)).toBe(meant);
});

test('the advice names the nearest key, or all keys', () => {
  expect(advise('raeder', ['reader'])).toBe('did you mean "reader"?');
  expect(advise('x', ['reader', 'editor'])).toBe('write one of reader, editor');
  expect(advise('x', ['reader'])).toBe('write reader');
  expect(advise('x', [])).toBe('remove it');
});
