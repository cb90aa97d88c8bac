import { describe, expect, it } from 'vitest';
import { discoveryUrl, readDiscovery } from '../../../src/token/keys/discovery.ts';

const issuer = 'https://issuer.example.com/realms/main';

const read = (jwksUri: unknown, of = issuer) => readDiscovery(JSON.stringify({ issuer: of, jwks_uri: jwksUri }), of);

describe('discoveryUrl', () => {
  it('follows OpenID Connect Discovery section 4.1, with and without a slash at the end', () => {
    expect(discoveryUrl('https://a.example')).toBe('https://a.example/.well-known/openid-configuration');
    expect(discoveryUrl('https://a.example/')).toBe('https://a.example/.well-known/openid-configuration');
    expect(discoveryUrl('https://a.example/b')).toBe('https://a.example/b/.well-known/openid-configuration');
  });
});

describe('readDiscovery', () => {
  it.each([
    'https://issuer.example.com/jwks',
    'https://keys.example.net:8443/a/b.json?c=d&e=%20',
    'https://www.googleapis.com/oauth2/v3/certs',
    'https://issuer.example.com',
    'HTTPS://issuer.example.com/jwks',
    'https://10.example.com/jwks',
    'https://localhost.example.com/jwks',
  ])('reads the address of the keys from %s', (uri) => {
    expect(read(uri)).toEqual({ ok: true, jwksUri: uri });
  });

  it.each([
    'http://issuer.example.com/jwks',
    'https://user@issuer.example.com/jwks',
    'https://user:secret@issuer.example.com/jwks',
    'https://issuer.example.com/jwks#fragment',
    'https://issuer.example.com/jw ks',
    'https://issuer.example.com/jwks\r\nHost: x',
    'https://issuer.example.com\\@other.example.com/',
    'https://issuer.example.com:port/',
    'https://issuer.exämple.com/jwks',
    'https:///jwks',
    'https:issuer.example.com/jwks',
    '//issuer.example.com/jwks',
    'file:///etc/passwd',
    'jwks',
    '',
    `https://issuer.example.com/${'x'.repeat(2048)}`,
  ])('rejects %s, which is not a plain https URL', (uri) => {
    expect(read(uri)).toEqual({ ok: false, error: expect.stringMatching(/^"jwks_uri" is not an https URL/) });
  });

  it.each([
    'https://127.0.0.1/jwks',
    'https://10.0.0.7:8443/jwks',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/jwks',
    'https://[fd00::1]:8443/jwks',
    'https://2130706433/jwks',
    'https://0x7f.1/jwks',
    'https://0x7f000001/jwks',
    'https://127.1/jwks',
    'https://127.0.0.1./jwks',
    'https://localhost/jwks',
    'https://LOCALHOST:8443/jwks',
    'https://localhost./jwks',
    'https://x.localhost/jwks',
  ])('rejects the address %s', (uri) => {
    expect(read(uri)).toEqual({ ok: false, error: expect.stringMatching(/^"jwks_uri" points to the address "/) });
  });

  it('accepts an address that is the issuer itself, on any port', () => {
    expect(read('https://localhost:9443/jwks', 'https://localhost:8443')).toMatchObject({ ok: true });
    expect(read('https://127.0.0.1/jwks', 'https://127.0.0.1:8443/realm')).toMatchObject({ ok: true });
    expect(read('https://127.0.0.2/jwks', 'https://127.0.0.1')).toMatchObject({ ok: false });
  });

  it.each([`${issuer}/`, 'https://ISSUER.example.com/realms/main', '', undefined, [issuer]])(
    'rejects the document of the issuer %j',
    (named) => {
      const text = JSON.stringify({ issuer: named, jwks_uri: 'https://issuer.example.com/jwks' });
      expect(readDiscovery(text, issuer)).toEqual({
        ok: false,
        error: expect.stringMatching(/^the discovery document has the issuer ".*", the policy says "https:/),
      });
    },
  );

  it.each([
    ['', 'the discovery document is not JSON'],
    ['{"issuer":', 'the discovery document is not JSON'],
    ['[]', 'the discovery document is not a JSON object'],
    ['null', 'the discovery document is not a JSON object'],
    [JSON.stringify({ issuer }), 'the discovery document has no "jwks_uri"'],
    [JSON.stringify({ issuer, jwks_uri: 7 }), 'the discovery document has no "jwks_uri"'],
    [' '.repeat(256 * 1024 + 1), 'the discovery document is too large'],
  ])('rejects %.40j', (text, error) => {
    expect(readDiscovery(text, issuer)).toEqual({ ok: false, error });
  });
});
