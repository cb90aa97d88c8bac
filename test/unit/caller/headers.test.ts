import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeList, encodeValue } from '../../../src/caller/encode.ts';
import { valueForHeader } from '../../../src/caller/headers.ts';
import type { Caller } from '../../../src/caller/types.ts';
import type { HeaderSource } from '../../../src/policy/checked/types.ts';
import { holds } from '../../harness/property.ts';
import { anyText } from '../text.ts';

const caller: Caller = {
  provider: 'okta',
  subject: 'okta-42',
  email: 'alice@example.com',
  name: 'Doe, Jane',
  roles: ['staff', 'editor'],
  groups: ['a,b', 'c', ''],
  claims: { level: 3, flag: false, list: ['x', 1, true], empty: [], text: 'é', 'a.b': 'dotted' },
};

const { email: _email, name: _name, ...nobodyInParticular } = caller;

const byRole = (else_?: string): HeaderSource => ({
  firstRole: [
    ['admin', 'Admin'],
    ['editor', 'Editor, chief'],
    ['staff', 'Viewer'],
  ],
  ...(else_ !== undefined && { else: else_ }),
});

describe('headerValue', () => {
  it.each<[HeaderSource, string]>([
    ['subject', 'okta-42'],
    ['email', 'alice@example.com'],
    ['name', 'Doe%2C Jane'],
    ['provider', 'okta'],
    ['roles', 'staff,editor'],
    ['groups', 'a%2Cb,c'],
    [{ claim: 'level' }, '3'],
    [{ claim: 'flag' }, 'false'],
    [{ claim: 'list' }, 'x,1,true'],
    [{ claim: 'empty' }, ''],
    [{ claim: 'text' }, '%C3%A9'],
    [{ claim: 'a.b' }, 'dotted'],
    [{ claim: 'missing' }, ''],
    [{ claim: 'constructor' }, ''],
    [{ claim: '__proto__' }, ''],
    [byRole(), 'Editor%2C chief'],
  ])('%j is %j', (source, wanted) => {
    expect(valueForHeader(source, caller)).toBe(wanted);
  });

  it('is empty if the caller has no value', () => {
    const anonymous = { ...nobodyInParticular, roles: [], groups: [] };
    for (const source of ['email', 'name', 'roles', 'groups', byRole()] as const)
      expect(valueForHeader(source, anonymous)).toBe('');
    expect(valueForHeader(byRole('Guest'), anonymous)).toBe('Guest');
  });

  it('is never truncated: the value fits whole or is refused', () => {
    const many = { ...caller, groups: Array.from({ length: 500 }, () => 'g'.repeat(20)) };
    expect(valueForHeader('groups', many)).toBeUndefined();
    expect(valueForHeader('name', { ...caller, name: 'x'.repeat(4096) })).toHaveLength(4096);
    expect(valueForHeader('name', { ...caller, name: 'x'.repeat(4097) })).toBeUndefined();
  });
});

/** With U+FFFD for lone surrogates, computed in another way than in the code. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

describe('the encoding', () => {
  const any = fc.oneof(
    anyText(),
    fc.string({
      unit: fc.constantFrom('%', ',', ' ', '\r', '\n', '\u0000', 'a', 'é', '\ud800', '\udc00', '\u{1f600}'),
    }),
  );

  it('comes back by decodeURIComponent, except lone surrogates', () => {
    holds(
      fc.property(any, (text) => {
        expect(decodeURIComponent(encodeValue(text))).toBe(wellFormed(text));
      }),
      3000,
    );
  });

  it('is printable ASCII without comma, and without space at either end', () => {
    holds(
      fc.property(any, (text) => {
        expect(encodeValue(text)).toMatch(/^(|[!-~]|[!-~][ -~]*[!-~])$/);
      }),
      3000,
    );
    holds(
      fc.property(any, (text) => {
        expect(encodeValue(text)).not.toContain(',');
      }),
      3000,
    );
  });

  it('leaves plain text as it is', () => {
    const plain = fc.stringMatching(/^[!-$&-+\--~]+$/);
    holds(
      fc.property(plain, (text) => {
        expect(encodeValue(text)).toBe(text);
      }),
    );
  });

  it('gives a list back, however its elements look', () => {
    holds(
      fc.property(fc.array(any.filter((text) => text !== '')), (list) => {
        const back = encodeList(list)
          .split(',')
          .filter((element) => element !== '')
          .map(decodeURIComponent);
        expect(back).toEqual(list.map((text) => wellFormed(text)));
      }),
      1000,
    );
  });
});
