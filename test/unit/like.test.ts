import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLike } from '../../src/base/like.ts';
import { holds } from '../harness/property.ts';

test.each([
  ['', '', true],
  ['a', '', false],
  ['', '*', true],
  ['anything at all', '*', true],
  ['release-1', 'release-*', true],
  ['release-', 'release-*', true],
  ['release', 'release-*', false],
  ['a/b/c', 'a/*/c', true],
  ['a/c', 'a/*/c', false],
  ['aba', 'ab*ba', false],
  ['abba', 'ab*ba', true],
  ['x.y', 'x?y', false],
  ['xay', 'x.y', false],
  ['x.y', 'x.y', true],
  ['a\nb', 'a*b', true],
  ['Release-1', 'release-*', false],
  ['one two three', '*two*', true],
  ['one two three', '*two*four*', false],
  ['aXbXc', 'a*X*X*c', true],
  ['aXc', 'a*X*X*c', false],
  ['aaab', '*aab', true],
  ['ab', 'a*b*b', false],
])('%j is like %j: %s', (text, pattern, wanted) => {
  expect(isLike(text, pattern)).toBe(wanted);
});

/** The same by a regular expression that contains nothing of the pattern. */
const byExpression = (text: string, pattern: string) =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^]*')}$`).test(text);

test('what is like a pattern is what an escaped expression says', () => {
  const few = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', '*', '(', '\\', '$'), maxLength: 8 });
  holds(
    fc.property(few, few, (text, pattern) => {
      expect(isLike(text, pattern)).toBe(byExpression(text, pattern));
    }),
    3000,
  );
});

test('a pattern of thousands of stars ends quickly', () => {
  expect(isLike('a'.repeat(16_000), `${'*a'.repeat(5000)}*b`)).toBe(false);
});
