import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCanonical, PLAIN_PATH } from '../../src/base/raw-path.ts';
import { holds } from '../harness/property.ts';

test.each([
  '//x',
  '/x//',
  '/.',
  '/..',
  '/./x',
  '/x/../y',
  '/x/..?q',
  '/x;a=b',
  '/x\\y',
  '/x#y',
  '/%00',
  '/a%2fb',
  '/a%2Fb',
  '/%2e%2e/x',
  '/x%2E',
  '/a%5cb',
  '/a%5Cb',
  '/a%3bb',
  '/a%3Bb',
  '/%61dmin',
  '/%41dmin',
  '/%7a',
  '/%5A',
  '/%30',
  '/%39',
  '/a%2db',
  '/a%5Fb',
])('%s could mean another path', (path) => {
  expect(isCanonical(path)).toBe(false);
});

test.each([
  '/',
  '/x',
  '/x/',
  '/.well-known/x',
  '/x/.y',
  '/x/..y',
  '/x...',
  '/a%20b',
  '/%252e%252e/x',
  '/C%2B%2B',
  '/%3F',
  '/%23',
  '/%40me',
  '/%7Eann',
  '/%E2%82%AC',
  '/~ann/a:b@c',
  '/x?//../;%2e#%61',
])('%s has one spelling', (path) => {
  expect(isCanonical(path)).toBe(true);
});

test('a plain path has one spelling', () => {
  // JavaScript has no possessive quantifiers; the match is the same.
  const plain = new RegExp(PLAIN_PATH.replaceAll('*+', '*'));
  expect(['/', '/x', '/x/', '/x.y/z~?//', '/-/_'].filter((path) => !plain.test(path))).toEqual([]);
  const piece = fc.constantFrom(
    '/',
    '/',
    '.',
    '..',
    'a',
    'Z9',
    '~',
    '-',
    '_',
    '?',
    '%',
    '%2f',
    '%61',
    ';',
    '\\',
    '#',
    '\n',
    ' ',
    ':',
  );
  holds(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = `/${pieces.join('')}`;
      if (plain.test(path)) expect(isCanonical(path)).toBe(true);
    }),
    5000,
  );
});

test('every encoded letter, digit, dash and underscore is refused, in either case of the escape', () => {
  const encode = (char: string, upper: boolean) => {
    const hex = char.charCodeAt(0).toString(16).padStart(2, '0');
    return `%${upper ? hex.toUpperCase() : hex}`;
  };
  holds(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_-]$/), fc.boolean(), (char, upper) => {
      expect(isCanonical(`/x${encode(char, upper)}y`)).toBe(false);
    }),
  );
});
