/** What a policy may say of asking a provider about tokens. */
import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const policy = (provider: string, more = '', host = '') => `
version: 1
providers:
  okta: { issuer: "https://okta.example.com", ${provider} }
${more}services:
  wiki: { url: "https://wiki.internal" }
hosts:
  wiki.example.com: { ${host}/*: { service: wiki, allow: [authenticated] } }
`;
const errorsOf = (text: string) => parsePolicy(text, 'p.yaml').errors.map(formatError).join('\n');
const client = 'client: { id: a, secret_file: /s }';

test('defaults are filled in', () => {
  const { policy: parsed } = parsePolicy(policy(`audiences: [a], ${client}, introspection: { jwts: true }`), 'p.yaml');
  expect(parsed?.providers.okta?.introspection).toEqual({ timeout: 4, cache: 60, negative: 10, stale: 0, jwts: true });
});

test('times and endpoint are as written', () => {
  const { policy: parsed } = parsePolicy(
    policy(
      `audiences: [a], ${client}, introspection: { endpoint: "https://x.example.com/i", cache: 2m, negative: 0s, timeout: 1s, stale: 1h, insecure_any_type: true }`,
    ),
    'p.yaml',
  );
  expect(parsed?.providers.okta?.introspection).toEqual({
    ...{ endpoint: 'https://x.example.com/i', timeout: 1, cache: 120, negative: 0, stale: 3600, anyType: true },
  });
});

test('an issuer that is no URL can be asked where the policy says', () => {
  const text = policy(`audiences: [a], ${client}, introspection: { endpoint: "https://x.example.com/i" }`);
  expect(errorsOf(text.replace('https://okta.example.com', 'legacy'))).toBe('');
});

describe('a mistake says what to write', () => {
  const other = `  corp: { issuer: "https://corp.example.com", audiences: [a], subject: { prefix: c- }, ${client}, introspection: {} }\n`;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no client', policy('audiences: [a], introspection: {}'), /introspection: missing key "client"; write client/],
    [
      'a public client',
      policy('audiences: [a], client: { id: a }, introspection: {}'),
      /a provider answers no client without a secret; add secret_file/,
    ],
    ['no audiences', policy(`${client}, introspection: {}`), /missing key "audiences"/],
    ['no time', policy(`audiences: [a], ${client}, introspection: { cache: 0s }`), /cache: 0s is too short/],
    ['too long', policy(`audiences: [a], ${client}, introspection: { timeout: 5s }`), /timeout: write 1s to 4s/],
    [
      'plain',
      policy(`audiences: [a], ${client}, introspection: { endpoint: "http://x/i" }`),
      /https: URL of an endpoint/,
    ],
    ['false', policy(`audiences: [a], ${client}, introspection: { jwts: false }`), /write true, or leave it out/],
    [
      'two on one host',
      policy(
        `audiences: [a], subject: { prefix: o- }, ${client}, introspection: {}`,
        other,
        'providers: [okta, corp], ',
      ),
      /tokens that are no JWTs do not say whose they are, and "okta" and "corp" are both asked/,
    ],
  ];
  test.each(cases)('%s', (_, text, says) => {
    expect(errorsOf(text)).toMatch(says);
  });
});
