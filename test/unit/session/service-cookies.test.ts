import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cookiesFor,
  expiredForService,
  MARKED,
  markOf,
  namesText,
  readNames,
  withMark,
} from '../../../src/session/service-cookies.ts';
import { holds } from '../../harness/property.ts';

const ada = markOf('A'.repeat(43));
const ben = markOf('B'.repeat(43));

describe('withMark', () => {
  test.each([
    ['a=1; HttpOnly', `a=1${ada}; HttpOnly`],
    ['a=1;httponly; Path=/', `a=1${ada};httponly; Path=/`],
    ['a="x y" ; HttpOnly', `a="x y"${ada}; HttpOnly`],
    ['a=b=c; Path=/; HttpOnly', `a=b=c${ada}; Path=/; HttpOnly`],
    ['a=1', 'a=1'],
    ['a=1; Comment=HttpOnly', 'a=1; Comment=HttpOnly'],
    ['a=; Max-Age=0; HttpOnly', 'a=; Max-Age=0; HttpOnly'],
    ['=1; HttpOnly', '=1; HttpOnly'],
    ['HttpOnly', 'HttpOnly'],
  ])('of %j without names is %j', (line, marked) => {
    expect(withMark([line], undefined, ada)).toEqual([marked]);
  });

  test('marks the named cookies and no others', () => {
    const lines = ['a=1', 'b=2; HttpOnly', ' a =3; Path=/', 'A=4'];
    expect(withMark(lines, ['a'], ada)).toEqual([`a=1${ada}`, 'b=2; HttpOnly', ` a =3${ada}; Path=/`, 'A=4']);
    expect(withMark(lines, [], ada)).toEqual(lines);
  });
});

describe('cookiesFor', () => {
  test('passes the cookies of the caller without their marks, and none of another caller', () => {
    const line = `a=1${ada}; b=2; a=3${ben};c="4"${ada} ; d=5${ada}x`;
    expect(cookiesFor(line, undefined, ada)).toBe(`a=1; b=2; c="4"; d=5${ada}x`);
    expect(cookiesFor(line, undefined, ben)).toBe(`b=2; a=3; d=5${ada}x`);
  });

  test('passes a named cookie only with the mark', () => {
    expect(cookiesFor(`a=1; a=2${ada}; b=3; aa=4`, ['a'], ada)).toBe('a=2; b=3; aa=4');
  });

  test('is empty if no cookie is left', () => {
    expect([cookiesFor('', undefined, ada), cookiesFor(`a=1${ben}; `, undefined, ada)]).toEqual(['', '']);
  });

  const token = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
  const value = fc.stringMatching(/^[!#-+\--:<-[\]-~]{1,40}$/);

  test('returns to the caller what the service set, and to no other caller', () => {
    holds(
      fc.property(token, value, (name, text) => {
        const [line = ''] = withMark([`${name}=${text}; Path=/; HttpOnly`], undefined, ada);
        const sent = `x=1; ${line.slice(0, line.indexOf(';'))}; y=2`;
        expect(sent).toMatch(new RegExp(MARKED));
        expect(cookiesFor(sent, undefined, ada)).toBe(`x=1; ${name}=${text}; y=2`);
        expect(cookiesFor(sent, undefined, ben)).toBe('x=1; y=2');
      }),
    );
  });
});

test.each([[undefined], [[]], [['JSESSIONID']], [['a', 'b.c']]])('names %j are read as they were written', (names) => {
  expect(readNames(names === undefined ? '' : namesText(names))).toEqual(names);
  expect(readNames(undefined)).toBeUndefined();
});

describe('expiredForService', () => {
  const gone = (name: string, path = '/') => `${name}=; Path=${path}; Max-Age=0; Secure; HttpOnly`;

  test('deletes named cookies at their paths, and sent ones at /, each once', () => {
    expect(
      expiredForService('a=1; b=2;a=3; =4; c', [
        ['s', '/x'],
        ['a', '/'],
      ]),
    ).toEqual([gone('s', '/x'), gone('a'), gone('b')]);
  });

  test('writes no name that is not the name of a cookie', () => {
    expect(expiredForService('a b=1; c\td=2; e,f=3; "g"=4; \u00e4=5', [])).toEqual([]);
  });

  test('has a length that no request can exceed', () => {
    const line = Array.from({ length: 400 }, (_, i) => `cookie${i}=1`).join('; ');
    const lines = expiredForService(line, []);
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.join('').length).toBeLessThanOrEqual(2048);
  });
});
