import { describe, expect, test } from 'vitest';
import { type PathAtom, pathAtoms } from '../../../src/rules/compare/atoms.ts';
import { ownRegion, type Region, regions, regionText } from '../../../src/rules/compare/regions.ts';
import type { Path } from '../../../src/rules/types.ts';

const B: Path = { prefix: '/a/b', except: [] };
const X: Path = { exact: '/a/x' };
const A: Path = { prefix: '/a', except: [B, X] };
const ROOT: Path = { prefix: '', except: [A, B, X, { exact: '/c' }] };

const all = pathAtoms([ROOT]);

/** The atoms by their names: `/a` is one path, and `/a/…` is everything below it that no route has. */
const nameOf = ({ base, kind }: PathAtom): string => (kind === 'point' ? base : `${base}/…`);
const meaning = (...names: readonly string[]): ReadonlySet<PathAtom> =>
  new Set(all.filter((atom) => names.includes(nameOf(atom))));

const isIn = (pattern: string, path: string): boolean =>
  pattern.endsWith('/*') ? `${path}/`.startsWith(pattern.slice(0, -1)) : path === pattern;
const includes = ({ path, except }: Region, requested: string): boolean =>
  isIn(path, requested) && !except.some((it) => isIn(it, requested));

const texts = (...names: readonly string[]) => regions(all, meaning(...names)).map((it) => regionText('h', it));

describe('the patterns of a set of paths', () => {
  const sets = Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_, i) => (bits >> i) % 2 === 1));

  test('cover each path of the set once, and no other', () => {
    expect(sets).toHaveLength(128);
    for (const set of sets) {
      const found = regions(all, new Set(set));
      for (const atom of all) {
        const covering = found.filter((it) => includes(it, atom.path));
        expect([set.map(nameOf), nameOf(atom), covering.length]).toEqual([
          set.map(nameOf),
          nameOf(atom),
          set.includes(atom) ? 1 : 0,
        ]);
      }
    }
  });

  test('have only exceptions that exclude a path', () => {
    for (const set of sets) {
      for (const { path, except } of regions(all, new Set(set))) {
        expect(except).toEqual([...new Set(except)].sort());
        for (const left of except) {
          const others = except.filter((it) => it !== left);
          const more = all.filter((atom) => includes({ path, except: others }, atom.path) && isIn(left, atom.path));
          expect(more).not.toEqual([]);
        }
      }
    }
  });

  test.each([
    [['/a', '/a/…', '/a/b', '/a/b/…', '/a/x', '/c', '/…'], ['h/*']],
    [['/…'], ['h/* (but /a/*, /c)']],
    [['/…', '/c'], ['h/* (but /a/*)']],
    [['/…', '/c', '/a/…', '/a/b/…'], ['h/* (but /a, /a/b, /a/x)']],
    [
      ['/…', '/c', '/a/b/…'],
      ['h/* (but /a/*)', 'h/a/b/* (but /a/b)'],
    ],
    [['/a', '/a/…'], ['h/a/* (but /a/b/*, /a/x)']],
    [
      ['/a', '/a/b'],
      ['h/a', 'h/a/b'],
    ],
    [
      ['/c', '/a/x', '/a/b/…'],
      ['h/a/b/* (but /a/b)', 'h/a/x', 'h/c'],
    ],
    [[], []],
  ])('of %j are %j', (names, wanted) => {
    expect(texts(...names)).toEqual(wanted);
  });
});

test('a change of all paths of a route has the path of the route, without its exceptions', () => {
  expect(ownRegion(A, all, meaning('/a', '/a/…'))).toEqual({ path: '/a/*', except: [] });
  expect(ownRegion(X, all, meaning('/a/x'))).toEqual({ path: '/a/x', except: [] });
  expect(ownRegion(ROOT, all, meaning('/…'))).toEqual({ path: '/*', except: [] });
});

test.each([
  ['a part', ['/a/…']],
  ['more', ['/a', '/a/…', '/a/x']],
  ['others', ['/c']],
  ['none', []],
])('a change of %s of the paths of a route does not have its path', (_, names) => {
  expect(ownRegion(A, all, meaning(...names))).toBeUndefined();
});
