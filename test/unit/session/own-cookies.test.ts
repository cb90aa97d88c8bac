import { describe, expect, test } from 'vitest';
import { withoutOwn } from '../../../src/session/own-cookies.ts';

describe('lines that set a cookie of the gateway', () => {
  test.each([
    '__Host-Http-meshgate=x; Path=/; Secure',
    '__Host-Http-meshgate=; Max-Age=0; Path=/; Secure',
    '__Host-Http-meshgate-a-1.abc=x; Path=/; Secure',
    '__Host-Http-meshgate',
    '__HOST-MESHGATE=x;Secure;Path=/',
    '\t__Host-Http-meshgate=x;\tSecure;\tPath=/',
    ' \t __Host-Http-meshgate \t=x',
    '=__Host-Http-meshgate=x; Secure; Path=/',
    ' = __Host-Http-meshgate=x',
    'a=1; Path=/, __Host-Http-meshgate=x; Secure; Path=/',
    'a=1,__host-meshgate=x',
  ])('%j is removed', (line) => {
    expect(withoutOwn(['a=1', line, 'b=2'])).toEqual(['a=1', 'b=2']);
  });
});

describe('other cookies', () => {
  test.each([
    'a=1',
    '',
    'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/',
    'a=__Host-Http-meshgate=x',
    'x__Host-Http-meshgate=x; Secure',
    '__Secure-meshgate=x; Secure',
    '__Host-other=x; Secure; Path=/',
    '"__Host-Http-meshgate"=x',
    '\tb=2;\tPath=/',
  ])('%j stays unchanged', (line) => {
    expect(withoutOwn([line])).toEqual([line]);
  });
});
