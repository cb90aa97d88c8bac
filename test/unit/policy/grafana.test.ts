import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { profiles } from '../../harness/profiles.ts';
import { expectPasses } from './profile-case.ts';

/** The profile `grafana`: which requests pass with which of its options. */

const SETTINGS = `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  assertion: { issuer: https://g.test, keys_file: /run/secrets/assertion.jwks }
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [a], client: { id: a, secret_file: /run/secrets/okta } }
`;

/** The policy with the options of the profile, and with policy tests. */
const policyWith = (options: string, tests: readonly string[], roles = '') => `${SETTINGS}services:
  grafana: { url: https://grafana.internal:3000 }
profiles:
  - use: grafana
    host: g.test
    service: grafana
    roles: { viewer: { group: people }, editor: { group: editors }, admin: { group: admins }${roles} }
    options: { ${options} }
${tests.length === 0 ? '' : 'tests:'}
${tests.map((it) => `  - { ${it} }`).join('\n')}
`;

const as = (group: string, more = '') => `as: { claims: { groups: [${group}] }${more} }`;
const VIEWER = as('people');
const EDITOR = as('editors');
const ADMIN = as('admins');
const NOBODY = 'as: nobody';
const from = (address: string) => `as: { network: ${address} }`;
const TOKEN = 'service_credential: Bearer glsa_';

const ask = (who: string, path: string, expected: string, method = 'GET', more = '') =>
  `${who}, ${more}${more ? ', ' : ''}${method}: "https://g.test${path}", expect: ${expected}`;

const ADMINISTRATION = [
  '/admin/users',
  '/api/admin/settings',
  '/api/orgs',
  '/api/users/1',
  '/api/serviceaccounts/search',
  '/org/serviceaccounts',
  '/api/auth/keys',
  '/api/v1/sso-settings/github',
  '/metrics',
  '/metrics/',
];

/** Options of the profile, what then passes, and the roles beside the three that it needs. */
const cases: readonly (readonly [options: string, tests: readonly string[], roles?: string])[] = [
  [
    '',
    [
      ...[VIEWER, EDITOR, ADMIN].flatMap((who) => [
        ask(who, '/d/abc/home', 'allowed'),
        ask(who, '/api/ds/query', 'allowed', 'POST'),
        ask(who, '/apis/dashboard.grafana.app/v1/namespaces/default/dashboards', 'allowed'),
        ask(who, '/api/live/ws', 'allowed'),
        ask(who, '/api/datasources/proxy/uid/loki/loki/api/v1/tail', 'allowed'),
        ask(who, '/render/d-solo/abc/home', 'allowed'),
        ask(who, '/api/user', 'allowed'),
        ask(who, '/logout', 'allowed'),
      ]),
      ask(as('others'), '/d/abc/home', 'role_missing'),
      ask(NOBODY, '/d/abc/home', 'credential_missing'),
      ask(NOBODY, '/login', 'credential_missing'),
      ask(NOBODY, '/api/live/ws', 'credential_missing'),
      ask(NOBODY, '/api/health', 'allowed'),
      ask(NOBODY, '/api/health', 'credential_missing', 'POST'),
      ...ADMINISTRATION.flatMap((path) => [
        ask(NOBODY, path, 'credential_missing'),
        ask(VIEWER, path, 'role_missing'),
        ask(EDITOR, path, 'role_missing'),
        ask(ADMIN, path, 'allowed'),
      ]),
      ask(NOBODY, '/public-dashboards/0123456789abcdef', 'credential_missing'),
      ask(NOBODY, '/api/search', 'token_malformed', 'GET', TOKEN),
    ],
  ],
  [
    '',
    [
      ask(as('roots'), '/d/abc/home', 'allowed'),
      ask(as('roots'), '/api/admin/settings', 'allowed'),
      ask(VIEWER, '/api/admin/settings', 'role_missing'),
    ],
    ', server_admin: { group: roots }',
  ],
  [
    'step_up: 15m',
    [
      ...['admins', 'roots'].flatMap((group) => [
        ask(as(group, ', signed_in: 5m'), '/admin/users', 'allowed'),
        ask(as(group, ', signed_in: 16m'), '/admin/users', 'step_up_required'),
        ask(as(group, ', signed_in: 16m'), '/d/abc/home', 'allowed'),
      ]),
    ],
    ', server_admin: { group: roots }',
  ],
  [
    'proxy_headers: true, tokens: true',
    [
      ask('as: { roles: [grafana-users] }', '/api/search', 'allowed', 'GET', TOKEN),
      ask('as: { roles: [grafana-users] }', '/apis/x', 'allowed', 'GET', TOKEN),
      ask('as: { roles: [grafana-users] }', '/render/d-solo/abc/home', 'allowed', 'GET', TOKEN),
      ask(NOBODY, '/api/search', 'credential_missing', 'GET', TOKEN),
      ask(NOBODY, '/d/abc/home', 'token_malformed', 'GET', TOKEN),
      ask(NOBODY, '/api/serviceaccounts/search', 'token_malformed', 'GET', TOKEN),
    ],
  ],
  [
    'tokens_from: [192.0.2.7/32]',
    [
      ask(from('192.0.2.7'), '/api/search', 'allowed', 'GET', TOKEN),
      ask(from('192.0.2.7'), '/api/live/push/x', 'allowed', 'POST', TOKEN),
      ask(from('192.0.2.8'), '/api/search', 'credential_missing', 'GET', TOKEN),
      ask(from('192.0.2.7'), '/d/abc/home', 'credential_missing'),
      ask(from('192.0.2.7'), '/api/admin/settings', 'token_malformed', 'GET', TOKEN),
    ],
  ],
  [
    'tokens_alone: true',
    [
      ask(NOBODY, '/api/search', 'allowed', 'GET', TOKEN),
      ask(NOBODY, '/api/admin/settings', 'token_malformed', 'GET', TOKEN),
      ask(NOBODY, '/api/search', 'token_malformed', 'GET', 'service_credential: Bearer ghp_'),
      ask(NOBODY, '/d/abc/home', 'credential_missing'),
    ],
  ],
  [
    'metrics: [192.0.2.8/32]',
    [
      ask(from('192.0.2.8'), '/metrics', 'allowed'),
      ask(from('192.0.2.9'), '/metrics', 'credential_missing'),
      ask(from('192.0.2.8'), '/api/search', 'credential_missing'),
      ask(VIEWER, '/metrics', 'network_refused'),
    ],
  ],
  [
    'public: true',
    [
      ask(NOBODY, '/public-dashboards/0123456789abcdef', 'allowed'),
      ask(NOBODY, '/api/public/dashboards/0123456789abcdef/panels/1/query', 'allowed', 'POST'),
      ask(NOBODY, '/public/build/app.js', 'allowed'),
      ask(NOBODY, '/public-dashboards/list', 'credential_missing'),
      ask(NOBODY, '/public-dashboards/list/', 'credential_missing'),
      ask(NOBODY, '/d/abc/home', 'credential_missing'),
    ],
  ],
  [
    '',
    [
      ask(from('198.51.100.7'), '/login', 'allowed', 'POST'),
      ask(from('198.51.100.7'), '/admin/users', 'allowed'),
      ask(from('198.51.100.8'), '/login', 'credential_missing'),
    ],
    ', break_glass: { network: [198.51.100.7/32] }',
  ],
  [
    'name: ops, step_up: 15m, proxy_headers: true, tokens: true, tokens_from: [192.0.2.7/32], tokens_alone: true, metrics: [192.0.2.8/32], public: true',
    [ask('as: { roles: [ops-users] }', '/d/abc/home', 'allowed'), ask(NOBODY, '/admin/users', 'credential_missing')],
    ', server_admin: { group: roots }, break_glass: { network: [198.51.100.7/32] }',
  ],
];

describe('the profile grafana', () => {
  for (const [options, tests, roles] of cases) {
    test(`with ${options || 'no option'}${roles ?? ''}`, () => {
      expectPasses(policyWith(options, tests, roles));
    });
  }

  test('sends X-WEBAUTH headers only with proxy_headers', () => {
    const headersOf = (options: string) =>
      Object.keys(
        parsePolicy(policyWith(options, []), 'm.yaml', { profiles }).policy?.hosts[0]?.routes.find(
          (it) => it.name === 'g.test/*',
        )?.headers ?? {},
      );
    expect(headersOf('').filter((name) => /webauth/i.test(name))).toEqual([]);
    const added = headersOf('proxy_headers: true').filter((name) => /webauth/i.test(name));
    expect(added).toEqual([
      'X-WEBAUTH-USER',
      'X-WEBAUTH-NAME',
      'X-WEBAUTH-EMAIL',
      'X-WEBAUTH-GROUPS',
      'X-WEBAUTH-ROLE',
    ]);
  });
});
