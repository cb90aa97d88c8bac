import { expect, test } from 'vitest';
import { providerKind, providerKindNames, providerKinds } from '../../../src/providers/index.ts';

test.each(Object.entries(providerKinds))('the record of %s is frozen and named as it is found', (name, kind) => {
  expect(kind.name).toBe(name);
  for (const value of [kind, ...Object.values(kind).filter((it) => typeof it === 'object')]) {
    expect(Object.isFrozen(value)).toBe(true);
  }
  expect(kind.refusedTypes).toEqual(kind.refusedTypes.map((it) => it.toLowerCase()));
});

test('a kind is found by its own name only', () => {
  expect(providerKindNames).toContain('generic');
  expect(providerKind('generic')).toBe(providerKinds.generic);
  expect(providerKind('constructor')).toBeUndefined();
  expect(providerKind('Generic')).toBeUndefined();
});
