import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookieNames, cookieValue, expireCookie, ownSession, setCookie } from '../../../src/session/cookie.ts';
import { ATTEMPT_COOKIE, SESSION_COOKIE } from '../../../src/session/names.ts';
import { holds } from '../../harness/property.ts';

describe('a Cookie line', () => {
  it.each<[string, string | undefined]>([
    ['', undefined],
    ['a=b', undefined],
    ['__Host-Http-meshgate=t', 't'],
    ['__Host-Http-meshgate=', ''],
    ['a=b; __Host-Http-meshgate=t; c="d e"', 't'],
    ['a=b;__Host-Http-meshgate=t ;\tc=d;;', 't'],
    ['__Host-Http-meshgate=t; __Host-Http-meshgate=u; a=b', 'twice'],
    ['__Host-Http-meshgate=t; a=b; __Host-Http-meshgate=t', 'twice'],
    ['__Host-Http-meshgate-a-1=x; a=b', undefined],
    ['__Host-Http-meshgate-a-1=x; __Host-Http-meshgate=t', 't'],
    ['__host-meshgate=x', undefined],
    ['__Host-Http-meshgate =x; __Host-Http-meshgate; a=b', undefined],
    ['=__Host-Http-meshgate=x', undefined],
    ['a=__Host-Http-meshgate=t', undefined],
  ])('%j', (line, wanted) => {
    expect(ownSession(line)).toBe(wanted);
  });

  it('gives the session wherever it stands, if it is there once', () => {
    const other = fc
      .stringMatching(/^[!-:<-~]([ -:<-~]{0,20}[!-:<-~])?$/)
      .filter((it) => !it.startsWith(SESSION_COOKIE));
    const own = fc
      .tuple(
        fc.constantFrom(SESSION_COOKIE, `${ATTEMPT_COOKIE}x`, `${SESSION_COOKIE} `),
        fc.stringMatching(/^[\w.=-]*$/),
      )
      .map(([name, value]) => `${name}=${value}`);
    const space = fc.constantFrom('', ' ', '  ', '\t');
    holds(
      fc.property(
        fc.array(fc.oneof(other, own)),
        fc.array(fc.tuple(space, space), { minLength: 1 }),
        (list, spaces) => {
          const around = (pair: string, i: number) => spaces[i % spaces.length]!.join(pair);
          const sessions = list.filter((it) => it.startsWith(`${SESSION_COOKIE}=`));
          const wanted = sessions.length > 1 ? 'twice' : sessions[0]?.slice(SESSION_COOKIE.length + 1);
          expect(ownSession(list.map(around).join(';'))).toBe(wanted);
        },
      ),
    );
  });

  it('gives a cookie by its name, if it is there once', () => {
    expect(cookieValue('a=1; b=2', 'b')).toBe('2');
    expect(cookieValue('ab=1; b=', 'b')).toBe('');
    expect(cookieValue('b=1; b=1', 'b')).toBeUndefined();
    expect(cookieValue('b; c=1', 'b')).toBeUndefined();
  });

  it('lists names that begin alike', () => {
    expect(
      cookieNames('a=1; __Host-Http-meshgate-a-1=x; __Host-Http-meshgate=y; __Host-Http-meshgate-a-2=', ATTEMPT_COOKIE),
    ).toEqual(['__Host-Http-meshgate-a-1', '__Host-Http-meshgate-a-2']);
  });
});

describe('a Set-Cookie', () => {
  it('has the attributes of its name, and is deleted with the same', () => {
    expect(setCookie(SESSION_COOKIE, 'k.1.x')).toBe(
      '__Host-Http-meshgate=k.1.x; Path=/; Secure; HttpOnly; SameSite=Lax',
    );
    expect(setCookie(`${ATTEMPT_COOKIE}1`, 'x', 600)).toBe(
      '__Host-Http-meshgate-a-1=x; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax',
    );
    expect(expireCookie(SESSION_COOKIE)).toBe(
      '__Host-Http-meshgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax',
    );
  });
});
