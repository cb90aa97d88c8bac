import { expect, test } from 'vitest';
import { hostNamed } from '../../src/base/host-name.ts';

const hosts = ['*.example.com', 'wiki.example.com', '*.apps.example.com'].map((name) => ({ name }));

test.each([
  ['wiki.example.com', 'wiki.example.com'],
  ['board.example.com', '*.example.com'],
  ['a.apps.example.com', '*.apps.example.com'],
  ['a.b.apps.example.com', '*.apps.example.com'],
  ['apps.example.com', '*.example.com'],
  ['example.com', undefined],
  ['*.example.com', undefined],
  ['a_b.example.com', undefined],
  ['WIKI.example.com', undefined],
  ['', undefined],
])('the host for the name %s is %s', (name, host) => {
  expect(hostNamed(hosts, name)?.name).toBe(host);
});
