import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

const read = (hsts: string) =>
  parsePolicy(
    `version: 1
gateway: { tls: { cert_file: /run/c.pem, key_file: /run/k.pem }, hsts: ${hsts} }
providers: { idp: { issuer: https://idp.test, audiences: [wiki] } }
services: { wiki: { url: https://wiki.internal:8443 } }
hosts: { wiki.test: { /*: { service: wiki, allow: [authenticated] } } }
`,
    'p.yaml',
  );

test.each([
  ['{ max_age: 365d }', { maxAge: 31_536_000, subdomains: false }],
  ['{ max_age: 1d, include_subdomains: true }', { maxAge: 86_400, subdomains: true }],
])('accepts %s', (hsts, expected) => {
  expect(read(hsts).policy?.gateway.hsts).toEqual(expected);
});

test.each([
  ['{ max_age: 23h }', /^gateway\.hsts\.max_age: 23h is too short; write at least 1d/],
  ['{ max_age: 365 }', /write 365s/],
  ['{ max_age: 365d, include_subdomains: false }', /write true, or remove this/],
  ['365d', /write \{ max_age: 365d \}/],
  ['{}', /missing key "max_age"/],
])('rejects %s', (hsts, says) => {
  expect(
    read(hsts)
      .errors.map(({ path, message }) => `${path}: ${message}`)
      .join('\n'),
  ).toMatch(says);
});
