import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimAt } from '../../src/base/claim-at.ts';
import { holds } from '../harness/property.ts';

/** Samples of claimAt stand in caller/samples.ts, since they run inside njs as well. */
describe('claimAt', () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('a', 'a.b', '.', '..', '__proto__', 'constructor', 'https://x.example/y'),
  );
  const value = fc.jsonValue({ maxDepth: 2 });

  it('finds any claim by its own name', () => {
    holds(
      fc.property(name, value, fc.dictionary(name, value), (path, wanted, others) => {
        const claims = Object.fromEntries([...Object.entries(others), [path, wanted]]);
        expect(claimAt(claims, path)).toEqual(wanted);
      }),
    );
  });

  it('finds any nested claim by joined names, where no claim has the whole name', () => {
    holds(
      fc.property(
        fc.array(
          name.filter((part) => part !== ''),
          { minLength: 2, maxLength: 4 },
        ),
        value,
        (parts, wanted) => {
          const claims = parts.reduceRight<unknown>((inner, part) => Object.fromEntries([[part, inner]]), wanted);
          expect(claimAt(claims as Record<string, unknown>, parts.join('.'))).toEqual(wanted);
        },
      ),
    );
  });

  it('never gives what the token does not hold', () => {
    const inherited = Object.getOwnPropertyNames(Object.prototype);
    const path = fc.array(fc.constantFrom(...inherited, 'prototype', 'length', 'name', '0'), {
      minLength: 1,
      maxLength: 3,
    });
    holds(
      fc.property(path, (parts) => {
        expect(claimAt({ a: 'text', b: ['x'] }, parts.join('.'))).toBeUndefined();
        expect(claimAt({ a: 'text', b: ['x'] }, ['a', ...parts].join('.'))).toBeUndefined();
        expect(claimAt({ a: 'text', b: ['x'] }, ['b', ...parts].join('.'))).toBeUndefined();
      }),
    );
  });

  it('ends quickly for a path of thousands of dots', () => {
    expect(claimAt({ a: { b: 1 } }, '.'.repeat(5000))).toBeUndefined();
    expect(claimAt(Object.fromEntries([['', { '': 1 }]]), '.')).toBeUndefined();
  });
});
