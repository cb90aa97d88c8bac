import { describe, expect, test } from 'vitest';
import { meshgate, token } from './fake.ts';

const NOW = 1_800_000_000;

const POLICY = `version: 1
gateway:
  session: { keys_file: /run/session.jwks }
providers:
  okta:
    issuer: https://example.okta.com/oauth2/default
    audiences: [api://wiki]
    client: { id: 0oa1, secret_file: /run/okta }
    subject: { prefix: okta- }
  guests:
    issuer: https://guests.example.com
    client: { id: wiki }
    subject: { prefix: guests- }
roles:
  staff: { group: staff, provider: okta }
  guest: { group: guests, provider: guests }
  admin: { all: [staff, { acr: phr }, { max_age: 15m }] }
services:
  wiki: { url: https://wiki.internal:8443 }
hosts:
  wiki.example.com:
    providers: [okta, guests]
    owner: wiki-team@example.com
    /*: { service: wiki, allow: [staff, guest] }
    /admin/*: { service: wiki, allow: [admin] }
    /pages/*: { service: wiki, accept: [session], allow: [staff, guest] }
    /api/*: { service: wiki, accept: [bearer], allow: [staff, guest] }
    /open: { service: wiki, allow: [anyone] }
  staff.example.com:
    providers: [okta]
    /*: { service: wiki, accept: [session], allow: [{ who: authenticated, methods: [GET] }, staff] }
`;

const at = (tests: readonly string[]) => `${POLICY}tests:\n${tests.map((it) => `  - ${it}\n`).join('')}`;

async function run(policy: string, ...args: string[]) {
  const { code, out, err } = await meshgate(args, { files: { './meshgate.yaml': policy }, now: NOW });
  return { code, lines: (out + err).trimEnd().split('\n') };
}

describe('tests of a policy', () => {
  const staff = 'provider: okta, claims: { groups: [staff]';
  const guest = 'provider: guests, claims: { groups: [guests]';
  const url = 'https://wiki.example.com';

  test.each([
    [`{ as: { ${staff} } }, GET: ${url}/x, expect: allowed }`],
    [`{ as: { ${guest} } }, GET: ${url}/x, expect: allowed }`],
    [`{ as: { ${staff} } }, GET: ${url}/pages/x, expect: allowed }`],
    [`{ as: { ${guest} } }, GET: ${url}/pages/x, expect: allowed }`],
    [`{ as: { ${guest} } }, GET: ${url}/api/x, expect: audience_mismatch }`],
    [`{ as: nobody, GET: ${url}/pages/x, expect: credential_missing }`],
    [`{ as: nobody, GET: ${url}/open, expect: allowed }`],
    [`{ as: { ${staff} } }, GET: ${url}/admin/x, expect: step_up_required }`],
    [`{ as: { ${staff}, acr: phr } }, GET: ${url}/admin/x, expect: step_up_required }`],
    [`{ as: { ${staff}, acr: phr }, signed_in: 14m }, GET: ${url}/admin/x, expect: allowed }`],
    [`{ as: { ${staff}, acr: phr }, signed_in: 15m }, GET: ${url}/admin/x, expect: step_up_required }`],
    [`{ as: { ${staff}, acr: pwd }, signed_in: 1m }, GET: ${url}/admin/x, expect: step_up_required }`],
    [`{ as: { provider: okta, claims: { acr: phr }, signed_in: 1m }, GET: ${url}/admin/x, expect: role_missing }`],
    [`{ as: { roles: [admin] }, GET: ${url}/admin/x, expect: allowed }`],
    [`{ as: { ${staff} } }, POST: https://staff.example.com/x, expect: allowed }`],
    // Sessions of a provider that the host does not accept are ignored.
    [`{ as: { ${guest} } }, GET: https://staff.example.com/x, expect: credential_missing }`],
  ])('%s', async (one) => {
    const { code, lines } = await run(at([one]), 'validate');
    expect(lines.join('\n')).toContain('; 1 test passes');
    expect(code).toBe(0);
  });

  test.each([
    [`{ as: { roles: [staff], signed_in: 5m }, GET: ${url}/x, expect: allowed }`, 'no effect without claims'],
    [`{ as: { ${staff}, auth_time: 5 }, signed_in: 5m }, GET: ${url}/x, expect: allowed }`, 'auth_time as well'],
    [`{ as: { ${staff} }, signed_in: 5 }, GET: ${url}/x, expect: allowed }`, 'write 5s (or 5m, 5h)'],
  ])('%s is an error', async (one, says) => {
    const { code, lines } = await run(at([one]), 'validate');
    expect([code, lines.length]).toEqual([1, 2]);
    expect(lines[0]).toContain(says);
  });
});

describe('explain', () => {
  const claims = { iss: 'https://example.okta.com/oauth2/default', aud: 'api://wiki', sub: 'ann', groups: ['staff'] };
  const ask = async (more: object, ...args: string[]) => {
    const text = token({ ...claims, exp: NOW + 60, ...more });
    const files = { './meshgate.yaml': POLICY, 'token.txt': text };
    return meshgate(['explain', '--token', 'token.txt', ...args], { files, now: NOW });
  };

  test('says what another sign-in would give, and what it must be', async () => {
    const { code, out } = await ask({ acr: 'pwd', auth_time: NOW - 900 }, 'GET', 'https://wiki.example.com/admin/x');
    expect(code).toBe(1);
    expect(out).toContain('denied: step_up_required (401)');
    expect(out).toContain('accepts   bearer, session\n');
    expect(out).toMatch(/no {2}acr "phr" {2}meshgate\.yaml/);
    expect(out).toMatch(/no {2}max_age 900s {2}meshgate\.yaml/);
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      'another sign-in would give role admin: acr phr, no longer than 900s ago',
    );
    expect(out).not.toContain('would pass');
  });

  test('as JSON', async () => {
    const { out } = await ask({}, '--format', 'json', 'GET', 'https://wiki.example.com/admin/x');
    expect(JSON.parse(out)).toMatchObject({
      reason: 'step_up_required',
      stepUp: 'admin',
      nearest: { id: 'wiki.example.com/admin/*#1' },
      route: { accept: ['bearer', 'session'] },
    });
  });

  test('for a token if only sessions are accepted', async () => {
    const { code, out } = await ask({}, 'GET', 'https://wiki.example.com/pages/x');
    expect(code).toBe(1);
    expect(out).toContain('denied: credential_unsupported (401)\n  this route accepts no tokens');
  });
});

describe('diff', () => {
  const diff = async (from: string, to: string) => {
    expect(POLICY).toContain(from);
    const files = { 'old.yaml': POLICY, 'new.yaml': POLICY.replace(from, () => to) };
    return (await meshgate(['diff', 'old.yaml', 'new.yaml'], { files })).out.trimEnd().split('\n');
  };

  test.each([
    ['accept: [bearer], ', '', 'route wiki.example.com/api/*: accept ["bearer"] → ["bearer","session"]'],
    ['id: wiki }', 'id: wiki2 }', /^\* provider guests: client .*"wiki".* → .*"wiki2"/],
    [
      'keys_file: /run/session.jwks',
      'keys_file: /run/session.jwks, idle: 1h',
      /^\* gateway: session .*28800.* → .*3600/,
    ],
    [
      '{ max_age: 15m }',
      '{ max_age: 1h }',
      /^\* role admin means something else: now also needs max_age 3600s, no longer needs max_age 900s/,
    ],
    [', { acr: phr }', '', /^\* role admin is wider: no longer needs acr "phr"/],
  ])('%s → %s', async (from, to, says) => {
    const lines = await diff(from, to);
    expect(lines).toHaveLength(1);
    if (typeof says === 'string') expect(lines[0]).toBe(`* ${says}`);
    else expect(lines[0]).toMatch(says);
  });

  test('the owner on pages', async () => {
    const lines = await diff('wiki-team@example.com', 'helpdesk');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe('* route wiki.example.com/*: owner "wiki-team@example.com" → "helpdesk"');
  });
});

describe('prove', () => {
  const same = async (from: string, to: string) => {
    const files = { 'a.yaml': POLICY, 'b.yaml': POLICY.replace(from, () => to) };
    return (await meshgate(['prove', 'a.yaml', 'b.yaml'], { files })).code === 0;
  };

  test('compares accepted credentials, but not the parameters for a provider or the owner on pages', async () => {
    expect(await same('accept: [bearer], ', '')).toBe(false);
    expect(await same('wiki-team@example.com', 'helpdesk')).toBe(true);
    expect(await same('client: { id: wiki }', 'client: { id: wiki }\n    signin: { label: Guests }')).toBe(true);
  });
});
