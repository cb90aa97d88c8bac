import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';

const said = (trusted: string, network: string, more = ''): readonly string[] =>
  parsePolicy(
    `version: 1
gateway: { tls: { cert_file: /run/c.pem, key_file: /run/k.pem }, trusted_proxies: ${trusted}${more} }
providers: { idp: { issuer: https://idp.test, audiences: [wiki] } }
roles: { inside: { network: ${network} } }
services: { wiki: { url: https://wiki.internal:8443 } }
hosts: { wiki.test: { /*: { service: wiki, allow: [inside] } } }
`,
    'p.yaml',
  ).errors.map(({ path, message }) => `${path}: ${message}`);

const INSECURE = ', insecure_proxied_networks: true';

test.each([
  ['[10.0.0.0/8]', '[10.3.3.0/24]'],
  ['[10.3.3.0/24]', '[10.0.0.0/8]'],
  ['[192.0.2.1/32, 10.0.0.0/8]', '[10.0.0.0/8]'],
  ['["fd00::/8"]', '["fd00:1::/32"]'],
])('rejects a network that overlaps a trusted proxy: %s and %s', (trusted, network) => {
  expect(said(trusted, network)).toEqual([expect.stringMatching(/^roles\.inside\.network\[0\]: it overlaps /)]);
  expect(said(trusted, network, INSECURE)).toEqual([]);
});

test('takes a network beside the trusted proxies', () => {
  expect(said('[10.0.0.0/8]', '[192.0.2.0/24]')).toEqual([]);
  expect(said('[10.0.0.0/8]', '["fd00::/8"]')).toEqual([]);
  expect(said('[10.0.0.0/8]', '[192.0.2.0/24]', INSECURE)).toEqual([expect.stringContaining('no effect')]);
});
