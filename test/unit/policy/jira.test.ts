import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { profiles } from '../../harness/profiles.ts';
import { expectPasses } from './profile-case.ts';

/** The profile `jira`: which requests pass with which of its options. */

const policyWith = (options: string, tests: readonly string[], roles = '') => `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  assertion: { issuer: https://j.test, keys_file: /run/secrets/assertion.jwks }
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [a], client: { id: a, secret_file: /run/secrets/okta } }
services:
  jira: { url: https://jira.internal:8443 }
profiles:
  - use: jira
    host: j.test
    service: jira
    roles: { user: { group: people }, admin: { group: admins }${roles} }
    options: { ${options} }
${tests.length === 0 ? '' : 'tests:'}
${tests.map((it) => `  - { ${it} }`).join('\n')}
`;

const PERSON = 'as: { claims: { groups: [people] } }';
const ADMIN = 'as: { claims: { groups: [admins] } }';
const NOBODY = 'as: nobody';
const from = (address: string) => `as: { network: ${address} }`;
const OAUTH = 'service_credential: OAuth';
const TOKEN = 'service_credential: Bearer';

const ask = (as: string, path: string, expected: string, method = 'GET', more = '') =>
  `${as}, ${more}${more ? ', ' : ''}${method}: "https://j.test${path}", expect: ${expected}`;

const ADMINISTRATION = [
  '/secure/admin/ViewApplicationProperties.jspa',
  '/secure/admin',
  '/plugins/servlet/upm',
  '/rest/plugins/1.0/',
  '/plugins/servlet/applinks/listApplicationLinks',
  '/plugins/servlet/applinks/listApplicationLinks/',
];

/** Options of the profile, what then passes, and the roles beside the two that it needs. */
const cases: readonly (readonly [options: string, tests: readonly string[], roles?: string])[] = [
  [
    '',
    [
      ...[PERSON, ADMIN].flatMap((who) => [
        ask(who, '/browse/ABC-1', 'allowed'),
        ask(who, '/secure/Dashboard.jspa', 'allowed'),
        ask(who, '/secure/attachment/10000/a.png', 'allowed'),
        ask(who, '/secure/AttachTemporaryFile.jspa', 'allowed', 'POST'),
        ask(who, '/rest/api/2/issue', 'allowed', 'POST'),
        ask(who, '/plugins/servlet/gadgets/ifr', 'allowed'),
      ]),
      ask('as: { claims: { groups: [others] } }', '/browse/ABC-1', 'role_missing'),
      ask(NOBODY, '/browse/ABC-1', 'credential_missing'),
      ask(NOBODY, '/login.jsp', 'credential_missing'),
      ask(NOBODY, '/rest/api/2/serverInfo', 'credential_missing'),
      ask(NOBODY, '/status', 'allowed'),
      ask(NOBODY, '/status', 'credential_missing', 'POST'),
      ...ADMINISTRATION.flatMap((path) => [
        ask(NOBODY, path, 'credential_missing'),
        ask(PERSON, path, 'role_missing'),
        ask(ADMIN, path, 'allowed'),
      ]),
      ask(PERSON, '/rest/api/2/myself', 'token_malformed', 'GET', TOKEN),
    ],
  ],
  [
    'step_up: 15m',
    [
      ask('as: { claims: { groups: [admins] }, signed_in: 5m }', '/secure/admin/x', 'allowed'),
      ask('as: { claims: { groups: [admins] }, signed_in: 16m }', '/secure/admin/x', 'step_up_required'),
      ask('as: { claims: { groups: [admins] }, signed_in: 16m }', '/browse/ABC-1', 'allowed'),
    ],
  ],
  [
    'applinks: [192.0.2.7/32]',
    [
      ask(from('192.0.2.7'), '/rest/applinks/1.0/manifest', 'allowed'),
      ask(from('192.0.2.7'), '/plugins/servlet/oauth/request-token', 'allowed', 'POST', OAUTH),
      ask(from('192.0.2.7'), '/rest/api/2/issue/ABC-1', 'allowed', 'GET', OAUTH),
      ask(from('192.0.2.7'), '/browse/ABC-1', 'credential_missing'),
      ask(from('192.0.2.7'), '/plugins/servlet/applinks/listApplicationLinks', 'credential_missing'),
      ask(NOBODY, '/plugins/servlet/oauth/authorize', 'credential_missing'),
      ask(PERSON, '/plugins/servlet/oauth/authorize', 'allowed'),
      ask(NOBODY, '/rest/api/2/issue/ABC-1', 'credential_missing', 'GET', OAUTH),
    ],
  ],
  [
    'tokens: true',
    [
      ask('as: { roles: [jira-software-users] }', '/rest/api/2/myself', 'allowed', 'GET', TOKEN),
      ask('as: { roles: [jira-software-users] }', '/secure/attachment/1/a.png', 'allowed', 'GET', TOKEN),
      ask(NOBODY, '/rest/api/2/myself', 'credential_missing', 'GET', TOKEN),
      ask(NOBODY, '/browse/ABC-1', 'token_malformed', 'GET', TOKEN),
    ],
  ],
  [
    'tokens_alone: true',
    [
      ask(NOBODY, '/rest/api/2/myself', 'allowed', 'GET', TOKEN),
      ask(NOBODY, '/rest/plugins/1.0/', 'token_malformed', 'GET', TOKEN),
      ask(NOBODY, '/browse/ABC-1', 'credential_missing'),
    ],
  ],
  [
    'anonymous: true',
    [
      ask(NOBODY, '/browse/ABC-1', 'allowed'),
      ask(NOBODY, '/login.jsp', 'credential_missing'),
      ask(NOBODY, '/secure/admin/x', 'credential_missing'),
    ],
  ],
  [
    '',
    [
      ask(from('198.51.100.7'), '/login.jsp', 'allowed', 'POST'),
      ask(from('198.51.100.7'), '/secure/admin/x', 'allowed'),
      ask(from('198.51.100.8'), '/login.jsp', 'credential_missing'),
    ],
    ', break_glass: { network: [198.51.100.7/32] }',
  ],
  [
    'user_group: staff, admin_group: jira-admins, step_up: 15m, applinks: [192.0.2.7/32], tokens: true, tokens_alone: true, anonymous: true',
    [ask(PERSON, '/browse/ABC-1', 'allowed'), ask(NOBODY, '/secure/admin/x', 'credential_missing')],
    ', break_glass: { network: [198.51.100.7/32] }',
  ],
];

describe('the profile jira', () => {
  for (const [options, tests, roles] of cases) {
    test(`with ${options || 'no option'}${roles ?? ''}`, () => {
      expectPasses(policyWith(options, tests, roles));
    });
  }

  test('passes uploads and attachments on as they arrive', () => {
    const { policy } = parsePolicy(policyWith('', []), 'm.yaml', { profiles });
    const proxyOf = (path: string) => policy?.hosts[0]?.routes.find((it) => it.name === `j.test${path}`)?.proxy;
    expect(proxyOf('/rest/*')).toMatchObject({ maxBody: 110 * 2 ** 20, requestBuffering: false });
    expect(proxyOf('/secure/attachment/*')).toMatchObject({ buffering: false, requestBuffering: false });
  });
});
