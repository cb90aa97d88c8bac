import fc from 'fast-check';
import { expect, test } from 'vitest';
import { covers, overlap } from '../../../src/rules/compare/cover.ts';
import { compile } from '../../../src/rules/compile.ts';
import { holds } from '../../harness/property.ts';
import { policy, requestPath } from './arbitrary.ts';

const rest = { prefix: '/rest', except: [{ exact: '/rest/x' }, { prefix: '/rest/api', except: [] }] };

test.each([
  ['/rest', true],
  ['/rest/', true],
  ['/rest/y', true],
  ['/restore', false],
  ['/', false],
  ['/rest/x', false],
  ['/rest/x/', true],
  ['/rest/api', false],
  ['/rest/api/y', false],
])('/rest/* without /rest/x and /rest/api/* covers %s: %s', (path, expected) => {
  expect(covers(rest, path)).toBe(expected);
});

test('the prefix of the root covers every path', () => {
  expect(['/', '/x', '/x/y'].every((path) => covers({ prefix: '', except: [] }, path))).toBe(true);
  expect(covers({ prefix: '', except: [{ exact: '/' }] }, '/')).toBe(false);
});

test.each([
  [{ exact: '/rest' }, rest, true],
  [{ exact: '/rest/x' }, rest, false],
  [{ prefix: '', except: [] }, rest, true],
  [{ prefix: '', except: [{ prefix: '/rest', except: [] }] }, rest, false],
  [{ prefix: '/rest/api', except: [] }, rest, false],
  [{ prefix: '/rest/x', except: [] }, rest, true],
  [{ prefix: '/a', except: [] }, { prefix: '/ab', except: [] }, false],
])('%j and %j overlap: %s', (a, b, expected) => {
  expect(overlap(a, b)).toBe(expected);
  expect(overlap(b, a)).toBe(expected);
});

test('rules that share a path overlap', () => {
  holds(
    fc.property(policy, requestPath, (policy, path) => {
      const covering = compile(policy).filter((rule) => covers(rule.path, path));
      for (const a of covering) for (const b of covering) expect(overlap(a.path, b.path)).toBe(true);
    }),
  );
});
