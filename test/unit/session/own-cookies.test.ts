import { describe, expect, test } from 'vitest';
import { withoutOwn } from '../../../src/session/own-cookies.ts';

describe('lines that set a cookie of the gateway', () => {
  test.each([
    '__Host-meshgate=x; Path=/; Secure',
    '__Host-meshgate=; Max-Age=0; Path=/; Secure',
    '__Host-meshgate-a-1.abc=x; Path=/; Secure',
    '__Host-meshgate',
    '__HOST-MESHGATE=x;Secure;Path=/',
    '\t__Host-meshgate=x;\tSecure;\tPath=/',
    ' \t __Host-meshgate \t=x',
    '=__Host-meshgate=x; Secure; Path=/',
    ' = __Host-meshgate=x',
    'a=1; Path=/, __Host-meshgate=x; Secure; Path=/',
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
    'a=__Host-meshgate=x',
    'x__Host-meshgate=x; Secure',
    '__Secure-meshgate=x; Secure',
    '__Host-other=x; Secure; Path=/',
    '"__Host-meshgate"=x',
    '\tb=2;\tPath=/',
  ])('%j stays unchanged', (line) => {
    expect(withoutOwn([line])).toEqual([line]);
  });
});
