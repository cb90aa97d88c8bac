import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formText, parameterValues, parseParams, withQuery } from '../../../../src/session/flow/query.ts';
import { holds } from '../../../harness/property.ts';

const params = fc.array(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' })));

describe('parameters', () => {
  it('reads what a browser writes, and writes what a browser reads', () => {
    holds(
      fc.property(params, (pairs) => {
        expect(parseParams(new URLSearchParams(pairs).toString())).toEqual(pairs);
        expect([...new URLSearchParams(formText(pairs))]).toEqual(pairs);
        expect(formText(pairs)).toBe(new URLSearchParams(pairs).toString());
      }),
    );
  });

  it('keeps names of every kind, and all values of one', () => {
    const read = parseParams('toString=1&__proto__=2&a=1&a=2&b&=c');
    expect(read).toEqual([
      ['toString', '1'],
      ['__proto__', '2'],
      ['a', '1'],
      ['a', '2'],
      ['b', ''],
      ['', 'c'],
    ]);
    expect(parameterValues(read!, 'a')).toEqual(['1', '2']);
  });

  it.each(['a=%', 'a=%zz', '%ff=1', 'a=%c3%28'])('rejects a broken escape: %s', (text) => {
    expect(parseParams(text)).toBeUndefined();
  });

  it('adds to the query that an endpoint has', () => {
    const add = (endpoint: string) => withQuery(endpoint, [['a', 'b c']]);
    expect(add('https://p.example/authorize')).toBe('https://p.example/authorize?a=b+c');
    expect(add('https://p.example/authorize?tenant=1')).toBe('https://p.example/authorize?tenant=1&a=b+c');
    expect(add('https://p.example/authorize?')).toBe('https://p.example/authorize?a=b+c');
  });
});
