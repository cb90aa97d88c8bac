/** The introspection settings of a policy. */
import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { groupsOf } from '../../../src/rules/table/client-table.ts';

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

test('times and endpoint are used as written', () => {
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

test('an issuer that is not a URL can be introspected if the policy has an endpoint', () => {
  const text = policy(`audiences: [a], ${client}, introspection: { endpoint: "https://x.example.com/i" }`);
  expect(errorsOf(text.replace('https://okta.example.com', 'legacy'))).toBe('');
});

describe('a mistake says what to write', () => {
  const other = `  corp: { issuer: "https://corp.example.com", audiences: [a], subject: { prefix: c- }, ${client}, introspection: {} }\n`;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'no client',
      policy('audiences: [a], introspection: {}'),
      /introspection: missing key "client", with which the gateway asks the provider; write client/,
    ],
    [
      'a public client',
      policy('audiences: [a], client: { id: a }, introspection: {}'),
      /a provider does not answer a client without a secret; add secret_file/,
    ],
    ['no audiences', policy(`${client}, introspection: {}`), /missing key "audiences"/],
    ['no time', policy(`audiences: [a], ${client}, introspection: { cache: 0s }`), /cache: 0s is too short/],
    [
      'too long',
      policy(`audiences: [a], ${client}, introspection: { timeout: 5s }`),
      /timeout: 5s is too long; write from 1s to 4s/,
    ],
    [
      'plain',
      policy(`audiences: [a], ${client}, introspection: { endpoint: "http://x/i" }`),
      /https: URL of an endpoint/,
    ],
    ['false', policy(`audiences: [a], ${client}, introspection: { jwts: false }`), /write true, or remove this/],
    [
      'two on one host',
      policy(
        `audiences: [a], subject: { prefix: o- }, ${client}, introspection: {}`,
        other,
        'providers: [okta, corp], ',
      ),
      /tokens that are not JWTs do not name their provider, but the gateway would ask both "okta" and "corp"/,
    ],
  ];
  test.each(cases)('%s', (_, text, says) => {
    expect(errorsOf(text)).toMatch(says);
  });
});

describe('groups_endpoint', () => {
  const graph = 'https://graph.microsoft.com/v1.0/users/{oid}/checkMemberObjects';
  const asks = `kind: entra, audiences: [a], ${client}, groups_endpoint: "${graph}"`;
  const roles =
    'roles: { staff: { any: [{ group: a }, { claim: groups, has: b }, { all: [{ group: a }, { group: c }] }] } }\n';
  const used = (text: string) => text.replace('[authenticated]', '[staff]');

  test('has the scope of its host, and the groups that roles name', () => {
    const { policy: parsed } = parsePolicy(used(policy(asks, roles)), 'p.yaml');
    expect(parsed?.providers.okta?.groupsEndpoint).toEqual({
      endpoint: graph,
      scope: 'https://graph.microsoft.com/.default',
    });
    expect(parsed && groupsOf(parsed, parsed.providers.okta!)).toEqual(['a', 'b', 'c']);
  });

  const many = `roles: { staff: { any: [${Array.from({ length: 201 }, (_, i) => `{ group: g${i} }`)}] } }\n`;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['no client', policy(`kind: entra, audiences: [a], groups_endpoint: "${graph}"`), /missing key "client"/],
    [
      'another kind',
      policy(asks.replace('entra', 'keycloak')),
      /tokens of the kind keycloak always contain all groups/,
    ],
    ['no person', policy(asks.replace('{oid}', 'me')), /URL of an endpoint for a person’s groups; write/],
    [
      'headers',
      policy(asks, 'headers: { X-Groups: groups }\n'),
      /header X-Groups sends all groups; remove one of the two/,
    ],
    ['claims', policy(asks, 'headers: { X-Groups: { claim: groups } }\n'), /header X-Groups sends all/],
    [
      'patterns',
      used(policy(asks, 'roles: { staff: { claim: groups, like: "wiki-*" } }\n')),
      /with "like" reads all groups/,
    ],
    ['too many', used(policy(asks, many)), /the roles name more than 200 groups/],
  ];
  test.each(cases)('%s', (_, text, says) => {
    expect(errorsOf(text)).toMatch(says);
  });
});
