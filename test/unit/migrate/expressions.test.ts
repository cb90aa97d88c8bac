import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coverOf, type Paths, pathsOfExpression } from '../../../src/migrate/expressions.ts';
import { holds } from '../../harness/property.ts';

const written = (paths: readonly Paths[]) =>
  paths.map(({ kind, path }) => (kind === 'exact' ? path : kind === 'prefix' ? `${path}/*` : `${path}/+`));

/** Expressions of public configurations, with the paths that a policy can name. `+` stands for paths below only. */
test.each([
  ['^/health$', ['/health']],
  ['^/public/', ['/public/+']],
  ['^/public/.*$', ['/public/+']],
  ['^/avatar(/.*)?$', ['/avatar/*']],
  ['^/avatar(/|$)', ['/avatar/*']],
  ['^/(a|b/c)/x$', ['/a/x', '/b/c/x']],
  ['^/a$|^/b$', ['/a', '/b']],
  ['(^/a$|^/b/)', ['/a', '/b/+']],
  ['^/$', ['/']],
  ['^/', ['/*']],
  ['.*', ['/*']],
  ['', ['/*']],
  ['^/\\.well-known/acme-challenge/', ['/.well-known/acme-challenge/+']],
] as const)('%s: %j, and no other path', (expression, paths) => {
  const found = pathsOfExpression(expression);
  expect(written(found?.paths ?? [])).toEqual(paths);
  expect(found?.narrower).toBeUndefined();
});

test.each([
  ['^/api', ['/api/*']],
  ['/metrics', ['/metrics/*']],
  ['^/favicon.ico$', ['/favicon.ico']],
  ['^/a/?$', ['/a']],
  ['^/a$|/b$', ['/a', '/b']],
] as const)('%s: of the paths that it matches, only %j', (expression, paths) => {
  const found = pathsOfExpression(expression);
  expect(written(found?.paths ?? [])).toEqual(paths);
  expect(found?.narrower).toBe(true);
});

test.each(['^/[a-z]+$', '^/a/.*/b$', '(?i)^/a$', '^/x{2}$', '\\.css$', '^/\\d+', '^/a//b$', '^/a/../b', '(', '^/x/.+'])(
  '%s: no path at all',
  (expression) => {
    expect(pathsOfExpression(expression)).toBeUndefined();
  },
);

test('says that an expression without an anchor matches elsewhere too', () => {
  expect(pathsOfExpression('/metrics')?.unanchored).toBe(true);
  expect(pathsOfExpression('^/a$|/b$')?.unanchored).toBe(true);
  expect(pathsOfExpression('^/metrics')?.unanchored).toBeUndefined();
});

describe('a converted expression', () => {
  const part = fc.constantFrom(
    '/',
    '/a',
    '/b',
    'a',
    '.',
    '\\.',
    '.*',
    '.+',
    '$',
    '^',
    '(',
    ')',
    '|',
    '?',
    '(/|$)',
    '(?:a|/b)',
  );
  const isValid = (expression: string) => {
    try {
      return new RegExp(expression) !== undefined;
    } catch {
      return false;
    }
  };
  const expressions = fc
    .array(part, { maxLength: 7 })
    .map((parts) => parts.join(''))
    .filter(isValid);
  const paths = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'a.a'), { maxLength: 4 })
    .chain((segments) => fc.constantFrom(`/${segments.join('/')}`, `/${segments.join('/')}/`.replace('//', '/')));
  const covers = ({ kind, path }: Paths, requested: string) =>
    kind === 'exact'
      ? requested === path
      : requested.startsWith(`${path}/`) || (kind === 'prefix' && requested === path);

  test('never names a path that the expression does not match', () => {
    holds(
      fc.property(expressions, paths, (expression, path) => {
        const found = pathsOfExpression(expression);
        if (found?.paths.some((it) => covers(it, path))) expect(path).toMatch(new RegExp(expression));
      }),
      3000,
    );
  });

  test('names every path that the expression matches, unless it says that it does not', () => {
    holds(
      fc.property(expressions, paths, (expression, path) => {
        const found = pathsOfExpression(expression);
        if (found === undefined || found.narrower || !new RegExp(expression).test(path)) return;
        expect(found.paths.some((it) => covers(it, path))).toBe(true);
      }),
      3000,
    );
  });
});

test.each([
  '\\Q(\\E|/bar',
  '/x(?#()|/bar',
  '/[](]|/bar',
  '/[^](]|/bar',
  '/[[:alpha:](]|/bar',
  '(?x)/x # (\n|/bar',
  '/x[(|/bar',
])('an alternative behind a parenthesis that is none may match any path: %j', (expression) => {
  expect(coverOf(expression)).toEqual({ paths: [{ kind: 'prefix', path: '' }], folder: true });
});
