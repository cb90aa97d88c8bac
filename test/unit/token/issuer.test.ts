import { expect, test } from 'vitest';
import { isIssuer, isKeyOfIssuer, tokenProvider } from '../../../src/token/issuer.ts';
import { addressProblem, discoveryUrl } from '../../../src/token/keys/discovery.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';
import type { TokenProvider } from '../../../src/token/types.ts';
import { jwks, publicJwk } from './maker.ts';
import { usualProvider } from './specs/spec.ts';

const template = 'https://login.microsoftonline.com/{tenantid}/v2.0';
const issuer = (tenant: string) => template.replace('{tenantid}', tenant);

const provider = (name: string, more: Partial<TokenProvider>): TokenProvider => ({ ...usualProvider, name, ...more });
const plain = provider('plain', { issuer: 'https://a.example.com' });
const tenants = provider('tenants', { issuer: template, issuers: [issuer('one'), issuer('two')] });
const domain = provider('domain', { issuer: 'spiffe://example.org', trustDomain: 'example.org' });

test.each([
  [{ iss: 'https://a.example.com' }, 'plain'],
  [{ iss: issuer('two') }, 'tenants'],
  [{ iss: issuer('three') }, undefined],
  [{ iss: template }, undefined],
  [{ iss: [issuer('one')] }, undefined],
  [{ iss: 'spiffe://example.org' }, 'domain'],
  [{ sub: 'spiffe://example.org/x' }, 'domain'],
  [{ sub: 'spiffe://example.com/x' }, undefined],
  [{ sub: 'spiffe://example.org' }, undefined],
  [{ iss: null, sub: 'spiffe://example.org/x' }, undefined],
  [{ iss: 'https://b.example.com', sub: 'spiffe://example.org/x' }, undefined],
  [{}, undefined],
])('a token with %j is of provider %s', (claims, name) => {
  expect(tokenProvider(claims, [plain, tenants, domain])?.name).toBe(name);
  expect([plain, tenants, domain].filter((it) => isIssuer(it, (claims as { iss?: unknown }).iss)).length).toBeLessThan(
    2,
  );
});

test.each([
  [undefined, {}, true],
  [template, { iss: issuer('one'), tid: 'one' }, true],
  [issuer('one'), { iss: issuer('one'), tid: 'one' }, true],
  // Keys of version 2 serve tokens of version 1.
  [template, { iss: 'https://sts.windows.net/one/', tid: 'one' }, true],
  [issuer('two'), { iss: issuer('one'), tid: 'one' }, false],
  [template, { iss: issuer('one'), tid: 'two' }, false],
  [template, { iss: issuer('one') }, false],
  [template, { iss: 'https://a.example.com', tid: 'one' }, false],
  ['anything', { iss: issuer('one'), tid: 'one' }, false],
])('a key of %s signs for %j: %s', (of, claims, signs) => {
  expect(isKeyOfIssuer(of === undefined ? {} : { issuer: of }, claims)).toBe(signs);
});

test('the documents of templates are those of all organisations', () => {
  const end = '/.well-known/openid-configuration';
  expect(discoveryUrl(template)).toBe(`https://login.microsoftonline.com/organizations/v2.0${end}`);
  expect(discoveryUrl('https://sts.windows.net/{tenantid}/')).toBe(
    `https://login.microsoftonline.com/organizations${end}`,
  );
});

test('the host of a template may be private, as any issuer’s', () => {
  const close = 'https://127.0.0.1:8443/{tenantid}/v2.0';
  expect(addressProblem('jwks_uri', 'https://127.0.0.1:8443/keys', close)).toBeUndefined();
  expect(addressProblem('jwks_uri', 'https://127.0.0.2:8443/keys', close)).toMatch(/127\.0\.0\.2/);
  expect(addressProblem('jwks_uri', 'https://keys.example.com/{tenantid}', template)).toMatch(/not an https URL/);
});

const kids = async (kind?: Parameters<typeof readKeySet>[1]) => {
  const set = await readKeySet(
    jwks(
      publicJwk('rsa', { use: 'x509-svid' }),
      publicJwk('p256', { use: 'jwt-svid' }),
      publicJwk('p384', { issuer: 'x' }),
    ),
    kind,
  );
  return set.ok ? set.keys.map(({ kid, issuer: of }) => [kid, of]) : set.error;
};

test('keys of a bundle endpoint verify only tokens of their kind, and issuers of keys apply', async () => {
  expect(await kids()).toEqual([['p384', undefined]]);
  expect(await kids({ keyUse: 'jwt-svid' })).toEqual([
    ['p256', undefined],
    ['p384', undefined],
  ]);
  expect(await kids({ keysNameIssuer: true })).toEqual([['p384', 'x']]);
});
