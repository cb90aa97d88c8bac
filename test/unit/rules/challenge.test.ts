import { describe, expect, test } from 'vitest';
import { challengesOf, plainChallenge } from '../../../src/rules/decide/challenge.ts';
import { isMetadataPath, metadataUrl, resourceOf } from '../../../src/rules/decide/resource.ts';

const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp';
const route = { realm: 'mcp.example.com', metadata };

describe('a challenge', () => {
  test('names the metadata and the scopes that a request needs', () => {
    expect(challengesOf('credential_missing', route, { scope: 'read write' })).toBe(
      `Bearer realm="mcp.example.com", resource_metadata="${metadata}", scope="read write"`,
    );
  });

  test('gives the reason, with a description that stays inside its quotes', () => {
    const text = challengesOf('scope_missing', route, { scope: 'write' });
    expect(text).toMatch(/scope="write", error="insufficient_scope", error_description="scope_missing: [^"\\]+"$/);
    expect(challengesOf('credential_unsupported', { realm: 'h', metadata: '' })).toBe('Bearer realm="h"');
  });

  test.each(['a"b', 'a\\b', 'a\nb', 'ä', ' a', 'a  b', '', 'x'.repeat(600)])('names no scopes %j', (scope) => {
    expect(challengesOf('credential_missing', route, { scope })).not.toContain('scope=');
  });

  test('exists for each scheme without a credential, and only for DPoP with a bound token', () => {
    const both = challengesOf('credential_missing', { realm: 'h', metadata: '', proofs: true });
    expect(both).toEqual(['Bearer realm="h"', expect.stringMatching(/^DPoP realm="h", algs="[A-Za-z0-9 ]+"$/)]);
    expect(challengesOf('proof_invalid', route, { dpop: 'invalid_dpop_proof' })).toMatch(
      /^DPoP realm="mcp.example.com".*error="invalid_dpop_proof".*, algs="/,
    );
    expect([plainChallenge('h'), plainChallenge('h', 'invalid_token')]).toEqual([
      'Bearer realm="h"',
      'Bearer realm="h", error="invalid_token"',
    ]);
  });

  test.each(['role_missing', 'actor_not_allowed', 'route_unknown', 'provider_unavailable'] as const)(
    'is not sent with %s, which no other token would help',
    (reason) => {
      expect(challengesOf(reason, route)).toBeUndefined();
    },
  );
});

describe('a resource', () => {
  test.each([
    ['/mcp', 443, 'https://h.example/mcp', 'https://h.example/.well-known/oauth-protected-resource/mcp'],
    [
      '/rest/*',
      8443,
      'https://h.example:8443/rest',
      'https://h.example:8443/.well-known/oauth-protected-resource/rest',
    ],
    ['/*', 443, 'https://h.example', 'https://h.example/.well-known/oauth-protected-resource'],
    ['/', 443, 'https://h.example', 'https://h.example/.well-known/oauth-protected-resource'],
  ] as const)('of %s, port %s', (path, port, resource, url) => {
    expect(resourceOf('h.example', path, port)).toBe(resource);
    expect(metadataUrl('h.example', path, port)).toBe(url);
  });

  test('has its metadata below one path, and nowhere else', () => {
    const at = '/.well-known/oauth-protected-resource';
    expect([at, `${at}/`, `${at}/x`].map(isMetadataPath)).toEqual([true, true, true]);
    expect([`${at}s`, '/.well-known', '/'].map(isMetadataPath)).toEqual([false, false, false]);
  });
});
