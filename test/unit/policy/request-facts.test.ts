import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const policyOf = (role: string, { tls = '', accept = '', tests = '', provider = 'okta' } = {}) => `
version: 1
gateway: { tls: { cert_file: /run/tls.crt, key_file: /run/tls.key${tls} } }
providers:
  ${provider}: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] }
roles:
  probe: ${role}
services:
  wiki: { url: https://ingress.mesh:8443 }
hosts:
  a.test: { "/*": { service: wiki, ${accept}allow: [probe] } }
${tests}`;
const parse = (...args: Parameters<typeof policyOf>) => parsePolicy(policyOf(...args), 'p.yaml');
const CA = { tls: ', client_ca_file: /run/ca.pem' };

describe('facts of the request', () => {
  test('are read', () => {
    const { policy } = parse('{ any: [{ network: [10.9.0.0/24, "fd00::/8"] }, { certificate: "*.ci.test" }] }', CA);
    expect(policy?.roles.probe?.fact).toMatchObject({
      op: 'any',
      facts: [
        { op: 'network', value: ['10.9.0.0/24', 'fd00::/8'] },
        { op: 'certificate', value: '*.ci.test' },
      ],
    });
  });

  test('a role by network after authenticated allows callers that authenticated does not', () => {
    const errorsOf = (role: string) =>
      parsePolicy(policyOf(role).replace('allow: [probe]', 'allow: [authenticated, probe]'), 'p.yaml').errors;
    expect(errorsOf('{ any: [{ group: staff }, { network: [10.9.0.0/24] }] }')).toEqual([]);
    expect(errorsOf('{ group: staff }').map(formatError)).toEqual([expect.stringContaining('no effect')]);
  });

  test.each<[string, Parameters<typeof policyOf>[1], string]>([
    [
      '{ network: [10.9.0.7/24] }',
      {},
      'roles.probe.network[0]: the bits after the first 24 have no effect; write 10.9.0.0/24',
    ],
    ['{ network: ["fd00::1/8"] }', {}, 'the bits after the first 8 have no effect; write fd00::/8'],
    ['{ network: ["::ffff:a09:0/120"] }', {}, 'no client has such an address; write 10.9.0.0/24'],
    ['{ network: [10.0.0.0/8, 10.9.0.0/24] }', {}, 'no effect: 10.0.0.0/8 contains this range; remove it'],
    ['{ network: [":::/8"] }', {}, '":::/8" is not a range of addresses; write 10.9.0.0/24 or fd00::/8'],
    ['{ network: [10.9.0.7] }', {}, 'write 10.9.0.7/32'],
    ['{ network: ["fd00::7"] }', {}, 'write fd00::7/128'],
    ['{ network: [0.0.0.0/0] }', {}, 'not a range of all addresses'],
    ['{ network: [] }', {}, 'the list is empty; write [10.9.0.0/24]'],
    ['{ network: [10.9.0.0/24], provider: okta }', {}, 'no effect together with network'],
    ['{ network: [10.9.0.0/24], group: staff }', {}, 'one fact has group and network'],
    ['{ certificate: ci.test }', {}, 'never true: no host requests certificates; write gateway.tls.client_ca_file'],
    ['{ certificate: CI.test }', CA, 'write ci.test'],
    ['{ certificate: "*" }', CA, 'a name in a certificate'],
    ['{ certificate: "a.*.test" }', CA, 'a name in a certificate'],
    ['{ certificate: spiffe://example.org }', CA, 'a name in a certificate'],
    [
      '{ group: staff }',
      { accept: 'accept: [certificate], ' },
      'hosts."a.test"."/*".accept[0]: this host requests no certificates',
    ],
    [
      '{ group: staff }',
      { provider: 'nobody' },
      'providers.nobody: nobody is reserved for the gateway; write another name',
    ],
    ['{ group: staff }', { provider: 'certificate' }, 'certificate is reserved for the gateway'],
    [
      '{ group: staff }',
      { tests: 'tests: [{ as: { roles: [probe], network: 10.9.0.7 }, GET: https://a.test/, expect: allowed }]' },
      'no effect together with roles',
    ],
    [
      '{ group: staff }',
      { tests: 'tests: [{ as: { network: 10.9 }, GET: https://a.test/, expect: allowed }]' },
      'an address',
    ],
  ])('%s %j', (role, more, message) => {
    expect(parse(role, more).errors.map(formatError)).toEqual([expect.stringContaining(message)]);
  });
});
