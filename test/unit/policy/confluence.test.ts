import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { profiles } from '../../harness/profiles.ts';
import { expectPasses } from './profile-case.ts';

/** The profile `confluence`: which requests pass with which of its options. */

const SETTINGS = `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  assertion: { issuer: https://w.test, keys_file: /run/secrets/assertion.jwks }
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [a], client: { id: a, secret_file: /run/secrets/okta } }
`;

/** The policy with the options of the profile, and with policy tests. */
function policyWith(options: string, tests: readonly string[], roles = '') {
  const synchrony = options.includes('synchrony') ? '  editor: { url: https://synchrony.internal:8443 }\n' : '';
  return `${SETTINGS}services:
  wiki: { url: https://confluence.internal:8443 }
${synchrony}profiles:
  - use: confluence
    host: w.test
    service: wiki
    roles: { user: { group: people }, admin: { group: admins }${roles} }
    options: { ${options} }
tests:
${tests.map((it) => `  - { ${it} }`).join('\n')}
`;
}

const PERSON = 'as: { claims: { groups: [people] } }';
const ADMIN = 'as: { claims: { groups: [admins] } }';
const NOBODY = 'as: nobody';
const JIRA = 'as: { network: 192.0.2.7 }';
const OAUTH = 'service_credential: OAuth';
const TOKEN = 'service_credential: Bearer';

const ask = (as: string, path: string, expected: string, method = 'GET', more = '') =>
  `${as}, ${more}${more ? ', ' : ''}${method}: https://w.test${path}, expect: ${expected}`;

/** Options of the profile, the roles beside the two that it needs, and what then passes. */
const cases: readonly (readonly [options: string, tests: readonly string[], roles?: string])[] = [
  [
    '',
    [
      ask(PERSON, '/display/HOME', 'allowed'),
      ask(PERSON, '/rest/api/content', 'allowed', 'POST'),
      ask(PERSON, '/download/attachments/1/a.png', 'allowed'),
      ask(PERSON, '/synchrony-proxy/v1/bayeux-sync1', 'allowed'),
      ask(ADMIN, '/display/HOME', 'allowed'),
      ask('as: { claims: { groups: [others] } }', '/display/HOME', 'role_missing'),
      ask(NOBODY, '/display/HOME', 'credential_missing'),
      ask(NOBODY, '/login.action', 'credential_missing'),
      ask(NOBODY, '/status', 'allowed'),
      ask(NOBODY, '/status', 'credential_missing', 'POST'),
      ask(NOBODY, '/server-info.action', 'credential_missing'),
      ask(PERSON, '/admin/console.action', 'role_missing'),
      ask(PERSON, '/rest/plugins/1.0/', 'role_missing'),
      ask(PERSON, '/plugins/servlet/upm', 'role_missing'),
      ask(PERSON, '/plugins/servlet/applinks/listApplicationLinks', 'role_missing'),
      ask(PERSON, '/plugins/servlet/applinks/listApplicationLinks/', 'role_missing'),
      ask(PERSON, '/setup/setupadministrator-start.action', 'role_missing'),
      ask(PERSON, '/json/setup-restore.action', 'role_missing', 'POST'),
      ask(PERSON, '/json/setup-restore.action/', 'role_missing', 'POST'),
      ask(PERSON, '/json/setup-restore-progress.action', 'role_missing'),
      ask(PERSON, '/json/dobackup.action', 'role_missing', 'POST'),
      ask(PERSON, '/json/createuser.action', 'role_missing', 'POST'),
      ask(PERSON, '/json/heartbeat!default.action', 'role_missing', 'POST'),
      ask(PERSON, '/json/heartbeat.action/', 'role_missing', 'POST'),
      ask(PERSON, '/json', 'role_missing'),
      ask(PERSON, '/json/startheartbeatactivity.action', 'allowed', 'POST'),
      ask(PERSON, '/json/attachmentsearch.action', 'allowed'),
      ask(ADMIN, '/json/dobackup.action', 'allowed', 'POST'),
      ask(ADMIN, '/admin/console.action', 'allowed'),
      ask(PERSON, '/rest/api/content', 'token_malformed', 'GET', TOKEN),
      ask(JIRA, '/rest/applinks/1.0/manifest', 'credential_missing'),
    ],
  ],
  [
    'step_up: 15m',
    [
      ask('as: { claims: { groups: [admins] }, signed_in: 5m }', '/admin/console.action', 'allowed'),
      ask('as: { claims: { groups: [admins] }, signed_in: 16m }', '/admin/console.action', 'step_up_required'),
      ask('as: { claims: { groups: [admins] }, signed_in: 16m }', '/display/HOME', 'allowed'),
    ],
  ],
  [
    'synchrony: editor',
    [
      ask(PERSON, '/synchrony/sockjs/v1/1/websocket', 'allowed'),
      ask(NOBODY, '/synchrony/sockjs/v1/1/websocket', 'credential_missing'),
      ask(NOBODY, '/synchrony/heartbeat', 'allowed'),
    ],
  ],
  ['mobile: true', [ask(NOBODY, '/server-info.action', 'allowed')]],
  [
    'token_auth: true',
    [
      ask(NOBODY, '/rest/token-auth/api/content', 'allowed', 'GET', 'service_credential: JWT'),
      ask(NOBODY, '/rest/token-auth/api/content', 'allowed'),
      ask(NOBODY, '/rest/api/content', 'credential_unsupported', 'GET', 'service_credential: JWT'),
    ],
  ],
  [
    'applinks: [192.0.2.7/32]',
    [
      ask(JIRA, '/rest/applinks/1.0/manifest', 'allowed'),
      ask(JIRA, '/plugins/servlet/oauth/request-token', 'allowed', 'POST', OAUTH),
      ask(JIRA, '/plugins/servlet/applinks/whoami', 'allowed', 'GET', OAUTH),
      ask(JIRA, '/rest/api/content', 'allowed', 'GET', OAUTH),
      ask(JIRA, '/display/HOME', 'credential_missing'),
      ask(JIRA, '/plugins/servlet/applinks/listApplicationLinks', 'credential_missing'),
      ask(NOBODY, '/plugins/servlet/oauth/authorize', 'credential_missing'),
      ask(PERSON, '/plugins/servlet/oauth/authorize', 'allowed'),
      ask(NOBODY, '/rest/api/content', 'credential_missing', 'GET', OAUTH),
    ],
  ],
  [
    'tokens: true',
    [
      ask('as: { roles: [confluence-users] }', '/rest/api/content', 'allowed', 'GET', TOKEN),
      ask('as: { roles: [confluence-users] }', '/download/attachments/1/a.png', 'allowed', 'GET', TOKEN),
      ask(NOBODY, '/rest/api/content', 'credential_missing', 'GET', TOKEN),
      ask(NOBODY, '/display/HOME', 'token_malformed', 'GET', TOKEN),
    ],
  ],
  [
    'tokens_alone: true',
    [
      ask(NOBODY, '/rest/api/content', 'allowed', 'GET', TOKEN),
      ask(NOBODY, '/rest/plugins/1.0/', 'token_malformed', 'GET', TOKEN),
      ask(NOBODY, '/display/HOME', 'credential_missing'),
    ],
  ],
  [
    'anonymous: true',
    [
      ask(NOBODY, '/display/HOME', 'allowed'),
      ask(NOBODY, '/login.action', 'credential_missing'),
      ask(NOBODY, '/login.action/', 'credential_missing'),
      ask(NOBODY, '/admin/console.action', 'credential_missing'),
      ask(NOBODY, '/setup/setupstart.action', 'credential_missing'),
      ask(NOBODY, '/json/dobackup.action', 'credential_missing', 'POST'),
      ask(NOBODY, '/json/attachmentsearch.action', 'credential_missing'),
    ],
  ],
  [
    '',
    [
      ask('as: { network: 198.51.100.7 }', '/login.action', 'allowed'),
      ask('as: { network: 198.51.100.7 }', '/dologin.action', 'allowed', 'POST'),
      ask('as: { network: 198.51.100.7 }', '/admin/console.action', 'allowed'),
      ask('as: { network: 198.51.100.7 }', '/setup/setupstart.action', 'credential_missing'),
      ask('as: { network: 198.51.100.8 }', '/login.action', 'credential_missing'),
    ],
    ', break_glass: { network: [198.51.100.7/32] }',
  ],
  [
    'step_up: 15m, synchrony: editor, mobile: true, token_auth: true, applinks: [192.0.2.7/32], tokens: true, tokens_alone: true, anonymous: true',
    [ask(PERSON, '/display/HOME', 'allowed'), ask(NOBODY, '/admin/console.action', 'credential_missing')],
    ', break_glass: { network: [198.51.100.7/32] }',
  ],
];

describe('the profile confluence', () => {
  for (const [options, tests, roles] of cases) {
    test(`with ${options || 'no option'}${roles ?? ''}`, () => {
      expectPasses(policyWith(options, tests, roles));
    });
  }

  test('lets bodies pass that are a little larger than the largest attachment, without storing them', () => {
    const route = (options: string, path: string) =>
      parsePolicy(policyWith(options, []).replace('tests:\n', ''), 'm.yaml', {
        profiles,
      }).policy?.hosts[0]?.routes.find((it) => it.name === `w.test${path}`)?.proxy;
    expect(route('', '/rest/*')).toMatchObject({ maxBody: 110 * 2 ** 20, requestBuffering: false });
    expect(route('max_body: 2g', '/rest/*')).toMatchObject({ maxBody: 2 * 2 ** 30 });
    expect(route('', '/download/*')).toMatchObject({ buffering: false, requestBuffering: false, readTimeout: 600 });
    expect(route('', '/synchrony-proxy/*')).toMatchObject({ buffering: false, requestBuffering: false });
  });

  test('gives the roles the names of the groups that an option names', () => {
    const text = policyWith('user_group: staff, admin_group: wiki-admins', []).replace('tests:\n', '');
    const { policy } = parsePolicy(text, 'm.yaml', { profiles });
    expect(Object.keys(policy?.roles ?? {})).toEqual(['staff', 'wiki-admins', 'wiki-admins-console']);
  });
});
