import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { expect, test } from 'vitest';
import { entire } from '../../../src/x509/der.ts';
import { nameText } from '../../../src/x509/name.ts';

const text = (name: x509.JsonName) => nameText(entire(new Uint8Array(new x509.Name(name).toArrayBuffer()))!);

test.each<[x509.JsonName, string]>([
  [[], ''],
  [[{ CN: ['ci'] }], 'CN=ci'],
  [[{ C: ['DE'] }, { O: ['Example'] }, { CN: ['ci'] }], 'CN=ci,O=Example,C=DE'],
  [[{ O: ['Example'], CN: ['ci'] }], 'O=Example+CN=ci'],
  [[{ CN: ['Müller, Ci + <x>;\\'] }], 'CN=Müller\\, Ci \\+ \\<x\\>\\;\\\\'],
  [[{ CN: [' #x '] }], 'CN=\\ #x\\ '],
  [[{ CN: ['a\nb'] }], 'CN=a\\0ab'],
  [
    [{ '1.2.840.113549.1.9.1': ['ci@example.org'] }],
    `1.2.840.113549.1.9.1=#160e${Buffer.from('ci@example.org').toString('hex')}`,
  ],
])('%j', (name, wanted) => {
  expect(text(name)).toBe(wanted);
});

test.each(['3003020101', '310a', '3006310430020600'])('an invalid name: %s', (hex) => {
  const element = entire(Uint8Array.from(Buffer.from(hex, 'hex')));
  expect(element === undefined ? undefined : nameText(element)).toBeUndefined();
});
