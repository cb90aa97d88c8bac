import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const policyOf = (gateway: string, host = '') => `
version: 1
gateway: ${gateway}
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] }
roles:
  staff: { group: staff }
services:
  wiki: { url: https://ingress.mesh:8443 }
hosts:
  a.test: { ${host}"/*": { service: wiki, allow: [staff] } }
  b.test: { "/*": { service: wiki, allow: [staff] } }
`;
const parse = (...texts: [string, string?]) => parsePolicy(policyOf(...texts), 'p.yaml');
const FILES = 'cert_file: /run/tls.crt, key_file: /run/tls.key';

describe('the CA of clients', () => {
  test('is that of the gateway for each host, unless the host has its own', () => {
    const { policy } = parse(
      `{ tls: { ${FILES}, client_ca_file: /run/ca.pem } }`,
      'tls: { client_ca_file: /run/a.pem }, ',
    );
    expect(policy?.gateway.tls).toEqual({ certFile: '/run/tls.crt', keyFile: '/run/tls.key' });
    expect(policy?.hosts.map(({ tls, clientCaFile }) => [tls, clientCaFile])).toEqual([
      [undefined, '/run/a.pem'],
      [undefined, '/run/ca.pem'],
    ]);
  });

  test('alone, in an nginx with certificates of its own', () => {
    const { policy } = parse('{ tls: { client_ca_file: /run/ca.pem } }');
    expect(policy?.gateway.tls).toBeUndefined();
    expect(policy?.hosts[1]?.clientCaFile).toBe('/run/ca.pem');
  });

  test.each([
    [
      '{ tls: { cert_file: /run/tls.crt } }',
      'gateway.tls.key_file: missing key "key_file"; write key_file: /run/secrets/name.pem',
    ],
    [
      '{ tls: { key_file: /run/tls.key, client_ca_file: /run/ca.pem } }',
      'gateway.tls.cert_file: missing key "cert_file"; write cert_file: /run/secrets/name.pem',
    ],
    ['{ tls: {} }', 'gateway.tls.cert_file: missing key "cert_file"; write cert_file: /run/secrets/name.pem'],
    [
      '{ insecure_http: true, tls: { client_ca_file: /run/ca.pem } }',
      'gateway.tls: no effect: gateway.insecure_http serves plain HTTP; remove one of the two',
    ],
  ])('%s', (gateway, message) => {
    expect(parse(gateway).errors.map(formatError)).toEqual([expect.stringContaining(message)]);
  });
});
