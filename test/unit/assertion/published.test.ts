import { expect, test } from 'vitest';
import { parsePublishedKeys } from '../../../src/assertion/published.ts';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';

const key = { kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ', kid: 'one', alg: 'ES256', use: 'sig' };

test('publishes public keys with only the members that verifiers need', () => {
  const keys = parsePublishedKeys(JSON.stringify({ keys: [{ ...key, iat: 5, note: '</x>' }] }, null, 2));
  expect(keys).toEqual({ jwks: JSON.stringify({ keys: [key] }) });
});

test('rejects a private key, and does not show it', async () => {
  const signing = await newSigningKeys(0);
  const found = parsePublishedKeys(signing);
  expect(found).toBe('the file contains a private key; give the public keys, as /.meshgate/jwks serves them');
});

test.each([
  ['no JSON', 'the file is not JSON'],
  ['{}', 'the file has no list "keys" with a key in it'],
  ['{"keys":[]}', 'the file has no list "keys" with a key in it'],
  ['{"keys":[5]}', 'key 1 is not a public EC key on the curve P-256'],
  ['{"keys":[{"kty":"RSA","n":"x"}]}', 'key 1 is not a public EC key on the curve P-256'],
  ['{"keys":[{"kty":"oct","k":"x"}]}', 'the file contains a private key'],
  [`{"keys":[${Array(101).fill('{}').join(',')}]}`, 'the file has more than'],
])('%s', (text, message) => {
  expect(parsePublishedKeys(text)).toContain(message);
});
