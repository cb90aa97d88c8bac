import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookieNames, cookieValue, expireCookie, setCookie, takeOwn } from '../../../src/session/cookie.ts';
import { ATTEMPT_COOKIE, SESSION_COOKIE } from '../../../src/session/names.ts';

describe('a Cookie line', () => {
  it.each<[string, ReturnType<typeof takeOwn>]>([
    ['', { twice: false, rest: '' }],
    ['a=b', { twice: false, rest: 'a=b' }],
    ['__Host-meshgate=t', { session: 't', twice: false, rest: '' }],
    ['__Host-meshgate=', { session: '', twice: false, rest: '' }],
    ['a=b; __Host-meshgate=t; c="d e"', { session: 't', twice: false, rest: 'a=b; c="d e"' }],
    ['a=b;__Host-meshgate=t ;\tc=d;;', { session: 't', twice: false, rest: 'a=b; c=d' }],
    ['__Host-meshgate=t; __Host-meshgate=u; a=b', { twice: true, rest: 'a=b' }],
    ['__Host-meshgate=t; a=b; __Host-meshgate=t', { twice: true, rest: 'a=b' }],
    ['__Host-meshgate-a-1=x; a=b; __Host-meshgate-a-2=y', { twice: false, rest: 'a=b' }],
    ['__Host-meshgate-a-1=x; __Host-meshgate=t', { session: 't', twice: false, rest: '' }],
    ['__host-meshgate=x; __HOST-MESHGATE-a-1=y; a=b', { twice: false, rest: 'a=b' }],
    ['__Host-meshgate =x; __Host-meshgate; a=b', { twice: false, rest: 'a=b' }],
    ['=__Host-meshgate=x', { twice: false, rest: '=__Host-meshgate=x' }],
    ['x__Host-meshgate=x; __Host-other=y', { twice: false, rest: 'x__Host-meshgate=x; __Host-other=y' }],
  ])('%j', (line, wanted) => {
    expect(takeOwn(line)).toEqual(wanted);
  });

  it('loses every cookie of ours, and no other, wherever they stand', () => {
    const other = fc
      .stringMatching(/^[!-:<-~]([ -:<-~]{0,20}[!-:<-~])?$/)
      .filter((it) => !/^__host-meshgate/i.test(it));
    const own = fc
      .tuple(fc.constantFrom(SESSION_COOKIE, `${ATTEMPT_COOKIE}x`, '__hOST-meshgate'), fc.stringMatching(/^[\w.=-]*$/))
      .map(([name, value]) => `${name}=${value}`);
    const space = fc.constantFrom('', ' ', '  ', '\t');
    const pairs = fc.array(fc.oneof(other, own));
    fc.assert(
      fc.property(pairs, fc.array(fc.tuple(space, space), { minLength: 1 }), (list, spaces) => {
        const line = list
          .map((pair, i) => spaces[i % spaces.length]![0] + pair + spaces[i % spaces.length]![1])
          .join(';');
        const taken = takeOwn(line);
        expect(taken.rest).toBe(list.filter((it) => !/^__host-meshgate/i.test(it)).join('; '));
        const sessions = list.filter((it) => it.startsWith(`${SESSION_COOKIE}=`));
        expect(taken.twice).toBe(sessions.length > 1);
        expect(taken.session).toBe(sessions.length === 1 ? sessions[0]!.slice(SESSION_COOKIE.length + 1) : undefined);
      }),
    );
  });

  it('gives a cookie by its name, if it is there once', () => {
    expect(cookieValue('a=1; b=2', 'b')).toBe('2');
    expect(cookieValue('ab=1; b=', 'b')).toBe('');
    expect(cookieValue('b=1; b=1', 'b')).toBeUndefined();
    expect(cookieValue('b; c=1', 'b')).toBeUndefined();
  });

  it('lists names that begin alike', () => {
    expect(cookieNames('a=1; __Host-meshgate-a-1=x; __Host-meshgate=y; __Host-meshgate-a-2=', ATTEMPT_COOKIE)).toEqual([
      '__Host-meshgate-a-1',
      '__Host-meshgate-a-2',
    ]);
  });
});

describe('a Set-Cookie', () => {
  it('has the attributes of its name, and goes with the same', () => {
    expect(setCookie(SESSION_COOKIE, 'k.1.x')).toBe('__Host-meshgate=k.1.x; Path=/; Secure; HttpOnly; SameSite=Lax');
    expect(setCookie(`${ATTEMPT_COOKIE}1`, 'x', 600)).toBe(
      '__Host-meshgate-a-1=x; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax',
    );
    expect(expireCookie(SESSION_COOKIE)).toBe('__Host-meshgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax');
  });
});
