import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

const errorsOf = (trusted: string, fact: string, more = ''): readonly string[] =>
  parsePolicy(
    `version: 1
gateway: { tls: { cert_file: /run/c.pem, key_file: /run/k.pem }, trusted_proxies: ${trusted}${more} }
providers: { idp: { issuer: https://idp.test, audiences: [wiki] } }
roles: { inside: ${fact} }
services: { wiki: { url: https://wiki.internal:8443 } }
hosts: { wiki.test: { /*: { service: wiki, allow: [inside] } } }
`,
    'p.yaml',
  ).errors.map(({ path, message }) => `${path}: ${message}`);

const reported = (trusted: string, network: string, more = '') => errorsOf(trusted, `{ network: ${network} }`, more);

const INSECURE = ', insecure_proxied_networks: true';

test.each([
  ['[10.3.3.0/24]', '[10.3.3.128/25]'],
  ['[10.3.3.0/24]', '[10.0.0.0/8]'],
  ['[192.0.2.1/32, 10.0.0.7/32]', '[10.0.0.0/8]'],
  ['["fd00:1:2:3::/64"]', '["fd00:1::/32"]'],
])('rejects a network that overlaps a trusted proxy: %s and %s', (trusted, network) => {
  expect(reported(trusted, network)).toEqual([expect.stringMatching(/^roles\.inside\.network\[0\]: it overlaps /)]);
  expect(reported(trusted, network, INSECURE)).toEqual([]);
});

// A client inside sends X-Forwarded-For: 192.0.2.7, and the proxy's own address behind it is in the range as well.
test.each([
  ['[10.0.0.0/8]', 0],
  ['[192.0.2.1/32, 10.3.2.0/23]', 1],
  ['["fd00::/8"]', 0],
  ['["fd00:1:2::/48"]', 0],
])('rejects %s as trusted proxies if a network gives a role: a client in it can forge any address', (trusted, at) => {
  const message = new RegExp(`^gateway\\.trusted_proxies\\[${at}\\]: every address in .* can claim any other address`);
  expect(reported(trusted, '[198.51.100.0/24]')).toEqual([expect.stringMatching(message)]);
  expect(reported(trusted, '[198.51.100.0/24]', INSECURE)).toEqual([]);
});

test('accepts wide ranges of proxies if no network gives a role', () => {
  expect(errorsOf('[10.0.0.0/8]', '{ group: staff }')).toEqual([]);
});

test('accepts a network beside the addresses of the proxies', () => {
  expect(reported('[10.3.3.0/24]', '[192.0.2.0/24]')).toEqual([]);
  expect(reported('[10.3.3.7/32]', '["fd00::/8"]')).toEqual([]);
  expect(reported('["fd00:1:2:3::/64"]', '[10.0.0.0/8]')).toEqual([]);
  expect(reported('[10.3.3.0/24]', '[192.0.2.0/24]', INSECURE)).toEqual([expect.stringContaining('no effect')]);
});
