import { describe, expect, test } from 'vitest';
import { mutantsOf } from '../../../mesh/matrix/mutants.ts';

const object = (value: unknown) => [{ name: 'file', value }];
const made = (value: unknown, alternatives = {}) =>
  mutantsOf(object(value), [], [], alternatives).mutants.map(({ path, change, version }) => [
    `${path} ${change}`,
    version[0]?.value,
  ]);

test('each kind of field is changed and dropped', () => {
  expect(made({ text: 'a', count: 2, on: true, none: null })).toEqual([
    ['text changed', { text: 'ax', count: 2, on: true, none: null }],
    ['text dropped', { count: 2, on: true, none: null }],
    ['count changed', { text: 'a', count: 5, on: true, none: null }],
    ['count dropped', { text: 'a', on: true, none: null }],
    ['on changed', { text: 'a', count: 2, on: false, none: null }],
    ['on dropped', { text: 'a', count: 2, none: null }],
    ['none dropped', { text: 'a', count: 2, on: true }],
  ]);
});

test('elements of lists are dropped one by one, and all at once', () => {
  expect(made({ list: ['a', { b: 1 }] })).toEqual([
    ['list dropped', {}],
    ['list emptied', { list: [] }],
    ['list/0 changed', { list: ['ax', { b: 1 }] }],
    ['list/0 element dropped', { list: [{ b: 1 }] }],
    ['list/1 element dropped', { list: ['a'] }],
    ['list/1/b changed', { list: ['a', { b: 3 }] }],
    ['list/1/b dropped', { list: ['a', {}] }],
  ]);
});

test('a field with a closed list of values gets each other value', () => {
  const names = made({ action: 'ALLOW' }, { action: ['ALLOW', 'DENY', 'LOG'] }).map(([name]) => name);
  expect(names).toEqual(['action changed', 'action changed to DENY', 'action changed to LOG', 'action dropped']);
});

test('every scalar, at any depth, is changed and dropped', () => {
  const value = { a: [{ b: { c: [[1, 'x'], { d: false }] } }], e: { f: { g: { h: 'deep' } } }, 'i/j': 'slash' };
  const leaves = (node: unknown): number =>
    typeof node !== 'object' || node === null ? 1 : Object.values(node).reduce((sum, it) => sum + leaves(it), 0);
  const { mutants } = mutantsOf(object(value));
  expect(mutants.filter(({ change }) => change === 'changed')).toHaveLength(leaves(value));
  const dropped = mutants.filter(({ was, change }) => change.endsWith('dropped') && typeof was !== 'object');
  expect(dropped).toHaveLength(leaves(value));
});

test('mutants are distinct, differ from the original, and share what did not change', () => {
  const objects = [...object({ a: { b: 'x' }, c: ['y', 'y'] }), { name: 'other', value: { d: 1 } }];
  const { mutants } = mutantsOf(objects);
  const texts = mutants.map(({ version }) => JSON.stringify(version));
  expect(texts).not.toContain(JSON.stringify(objects));
  // Of two equal elements it does not matter which one is removed.
  expect(new Set(texts).size).toBe(texts.length - 1);
  for (const { object: name, version } of mutants) {
    for (const [i, it] of version.entries()) expect(it === objects[i]).toBe(it.name !== name);
  }
});

describe('fields that are left out are counted', () => {
  const value = { spec: { on: true }, metadata: { labels: { a: 'b' }, name: 'x' } };

  test('with everything below them', () => {
    const { mutants, excluded } = mutantsOf(object(value), [{ at: /metadata\/labels$/, reason: 'a label' }]);
    expect(mutants.map(({ path }) => path)).toEqual([
      'spec',
      'spec/on',
      'spec/on',
      'metadata',
      'metadata/name',
      'metadata/name',
    ]);
    expect(excluded).toEqual({ 'a label': 1 });
  });
});

test('the context of a field is the largest part around it that is short enough', () => {
  const [mutant] = mutantsOf(object({ a: { b: { c: 'x' } }, d: 'y'.repeat(50) })).mutants.filter(
    ({ path }) => path === 'a/b/c',
  );
  expect(mutant?.around(20)).toBe('{"b":{"c":"x"}}');
  expect(mutant?.around(1000)).toContain('yyy');
});
