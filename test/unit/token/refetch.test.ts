import { expect, test } from 'vitest';
import { providerToAsk } from '../../../src/token/keys/key-refresh.ts';
import type { TokenProvider } from '../../../src/token/types.ts';

const provider = (name: string): TokenProvider => ({
  name,
  kind: 'generic',
  issuer: `https://${name}.test`,
  audiences: ['wiki'],
  algorithms: ['RS256'],
  subject: { claim: 'sub', prefix: '' },
});
const [acme, other] = [provider('acme'), provider('other')];
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (header: object, iss = acme.issuer) => `${part({ alg: 'RS256', ...header })}.${part({ iss })}.AAAA`;

test.each([
  ['key_unknown', { kid: 'new' }, 'acme'],
  ['provider_unavailable', { kid: 'new' }, 'acme'],
  ['signature_invalid', {}, 'acme'],
  ['signature_invalid', { kid: 'old' }, undefined],
  ['token_expired', {}, undefined],
  ['audience_mismatch', {}, undefined],
] as const)('%s with header %j: %s', (reason, header, expected) => {
  expect(providerToAsk(token(header), { reason }, [acme, other])?.name).toBe(expected);
});

test('several providers: by issuer; one: that one; an unknown issuer: none', () => {
  const refusal = { reason: 'key_unknown' } as const;
  expect(providerToAsk(token({}, other.issuer), refusal, [acme, other])).toBe(other);
  expect(providerToAsk(token({}, 'https://unknown.test'), refusal, [acme, other])).toBeUndefined();
  expect(providerToAsk(token({}, 'https://unknown.test'), refusal, [acme])).toBe(acme);
  expect(providerToAsk('no token', refusal, [acme])).toBeUndefined();
});
