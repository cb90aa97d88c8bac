import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { proofZoneBytes } from '../../../src/targets/nginx/check/proof-headers.ts';

const policy = (gateway: string, bound = '') => `version: 1
gateway: { clock_skew: 30s, tls: { cert_file: /t.crt, key_file: /t.key${gateway.startsWith('CA') ? ', client_ca_file: /ca.pem' : ''} }${gateway.replace(/^CA/, '')} }
providers: { okta: { issuer: "https://example.okta.com/oauth2/default", audiences: [wiki] } }
roles: { staff: ${bound === '' ? '{ group: staff }' : `{ bound: ${bound} }`} }
services: { wiki: { insecure_url: "http://wiki:80" } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [staff] } } }
`;

const errorsOf = (text: string) => parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`);
const built = (text: string) => {
  const { policy: made, errors } = parsePolicy(text, 'p.yaml');
  if (made === undefined) throw new Error(JSON.stringify(errors));
  return made;
};

describe('gateway.proof', () => {
  test.each([
    [', proof: {}', { rate: 200, age: 60 }],
    [', proof: { rate: 300/m, age: 2m }', { rate: 5, age: 120 }],
    [', proof: { rate: 20000/s, age: 5s, nonce: true }', { rate: 20_000, age: 5, nonce: true }],
    [', proof: { nonce: true, keys_file: /k.jwks }', { rate: 200, age: 60, nonce: true, keysFile: '/k.jwks' }],
  ])('%s', (text, wanted) => {
    expect(built(policy(text)).gateway.proof).toEqual(wanted);
  });

  test.each([
    [', proof: { age: 4s }', '4s is too short; write from 5s to 300s'],
    [', proof: { age: 6m }', '6m is too long; write from 5s to 300s'],
    [', proof: { rate: 20001/s }', '20001/s is too much; write at most 20000/s'],
    [', proof: { rate: 100 }', '100 is not a rate with its unit; write 100/s (or 100/m, 100/h)'],
    [', proof: { rate: 0/s }', '"0/s" is not a rate with its unit; write 10/s, 60/m, 1000/h or 5000/d'],
    [', proof: { rate: 10 per second }', '"10 per second" is not a rate with its unit; write 10/s'],
    [', proof: { nonce: yes }', 'write true, or remove this'],
    [
      ', proof: { keys_file: /k }',
      'no effect without nonce: the keys are for nonces; write nonce: true, or remove this',
    ],
    [', proof: true', 'write { rate: 200/s }'],
  ])('%s is a mistake', (text, reported) => {
    expect(errorsOf(policy(text))).toEqual([expect.stringContaining(reported)]);
  });

  test('has no effect beside providers whose tokens are not accepted', () => {
    const text = policy(', proof: {}, session: { keys_file: /s }').replace('audiences: [wiki]', 'client: { id: a }');
    expect(errorsOf(text)).toEqual([
      'gateway.proof: no effect without tokens, which need audiences; add audiences to a provider, or remove this',
    ]);
  });
});

describe('a role by { bound: … }', () => {
  test.each([
    ['dpop', ', proof: {}'],
    ['any', ', proof: {}'],
    ['certificate', 'CA'],
    ['any', 'CA'],
  ])('%s with %s', (bound, gateway) => {
    expect(built(policy(gateway, bound)).roles.staff?.fact).toMatchObject({ op: 'bound', value: bound });
  });

  test.each([
    ['dpop', '', 'never true: the gateway accepts no proofs; write proof: { rate: 200/s } under gateway'],
    ['any', '', 'never true: the gateway accepts no proofs; write proof: { rate: 200/s } under gateway'],
    ['dpop', 'CA', 'never true: the gateway accepts no proofs; write proof: { rate: 200/s } under gateway'],
    [
      'certificate',
      ', proof: {}',
      'never true: the gateway accepts no client certificates; write tls: { client_ca_file: … } under gateway',
    ],
    ['mtls', 'CA', 'write one of dpop, certificate, any'],
    ['true', 'CA', 'write one of dpop, certificate, any'],
  ])('%s with %s is a mistake', (bound, gateway, reported) => {
    expect(errorsOf(policy(gateway, bound))).toEqual([expect.stringContaining(reported)]);
  });

  test('together with another fact', () => {
    const text = policy(', proof: {}', 'dpop, group: staff');
    expect(errorsOf(text)).toEqual([expect.stringContaining('write all: [{ group: … }, { bound: … }]')]);
  });
});

test.each([
  [', proof: {}', 200 * 91],
  [', proof: { rate: 1/h, age: 5s }', 1],
  [', proof: { rate: 20000/s, age: 300s }', 20_000 * 331],
])('%s has room for the rate', (text, proofs) => {
  const bytes = proofZoneBytes(built(policy(text)).gateway);
  expect(bytes % 65_536).toBe(0);
  // A string of no characters under a name of 16 takes 139 bytes in a zone of nginx.
  expect(bytes).toBeGreaterThan(proofs * 139 + 20_000);
  expect(bytes).toBeLessThan(proofs * 170 + 200_000);
});
