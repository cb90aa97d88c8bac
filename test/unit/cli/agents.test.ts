import { describe, expect, test } from 'vitest';
import { meshgate } from './fake.ts';

const POLICY = `version: 1
gateway:
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }
  assertion: { issuer: https://wiki.test, keys_file: /run/assertion.jwks }
  inner: { client_ca_file: /run/services.pem }
providers:
  okta: { issuer: https://okta.test, audiences: [wiki] }
roles:
  staff: { group: staff }
  admin: { group: admins }
agents:
  pages: { match: { service: wiki }, acts_for: [staff] }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: ingress.mesh:8443
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/own/tls.crt, key_file: /run/own/tls.key, client_ca_file: /run/own/ca.pem, listen: 9443, assertion_jwks_file: /run/own/jwks }
  identities:
    default: { spiffe: spiffe://example.org/gateway, pem_file: /run/mesh/default.pem }
    hop: { spiffe: spiffe://example.org/hop, pem_file: /run/mesh/hop.pem }
services:
  wiki: { authority: wiki.mesh, spiffe: spiffe://example.org/ns/wiki/sa/wiki }
  board: { authority: board.mesh }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff, admin] }
  board.test:
    /*:
      service: board
      allow:
        - { role: staff, methods: [GET] }
        - admin
        - { agent: pages, methods: [GET, POST], as: hop }
tests:
  - { as: { roles: [staff], agent: pages }, GET: https://board.test/, expect: allowed }
  - { as: { roles: [staff, admin], agent: pages }, POST: https://board.test/, expect: role_missing }
  - { as: { roles: [admin], agent: pages }, GET: https://board.test/, expect: role_missing }
  - { as: { roles: [staff], agent: pages }, GET: https://wiki.test/, expect: actor_not_allowed }
`;

const files = { 'meshgate.yaml': POLICY };

function changed(from: string, to: string): string {
  expect(POLICY).toContain(from);
  return POLICY.replace(from, to);
}

test('validate runs the tests of agents', async () => {
  const { code, out } = await meshgate(['validate', 'meshgate.yaml'], { files });
  expect(out).toContain('4 tests pass');
  expect(code).toBe(0);
});

describe('explain', () => {
  const explain = (...args: string[]) => meshgate(['explain', '--policy', 'meshgate.yaml', ...args], { files });

  test('an agent for a person with the role', async () => {
    const { code, out } = await explain('--as', 'staff', '--agent', 'pages', 'GET', 'https://board.test/x');
    expect(code).toBe(0);
    expect(out).toContain('allowed by board.test/*#3');
    expect(out).toContain('caller    agent pages, which acts for staff; for staff (as given)');
    expect(out).toContain('yes board.test/*#3: agent pages, GET POST HEAD, as hop');
  });

  test('an agent for a person whose role does not travel', async () => {
    const { code, out } = await explain('--as', 'admin', '--agent', 'pages', 'GET', 'https://board.test/x');
    expect(code).toBe(1);
    expect(out).toContain('denied: role_missing (403)');
    expect(out).toContain('no  role "admin": agent pages does not act for it');
    expect(out).toContain('role staff would pass, by board.test/*#1');
  });

  test('an agent without a rule', async () => {
    const { code, out } = await explain('--as', 'staff', '--agent', 'pages', 'DELETE', 'https://board.test/x');
    expect(code).toBe(1);
    expect(out).toContain('denied: actor_not_allowed (403)');
    expect(out).toContain('nearest rule  board.test/*#3: agent pages');
  });

  test('the rule of an agent does not appear for people', async () => {
    const { out } = await explain('--as', 'staff', 'GET', 'https://board.test/x');
    expect(out).toContain('no  agent pages: the caller is not this agent');
  });

  test.each([
    [['--agent', 'pages'], 'agent pages never acts for itself'],
    [['--as', 'staff', '--agent', 'page'], 'no agent "page"; did you mean "pages"?'],
  ])('%j is wrong use', async (args, says) => {
    const { code, err } = await explain(...args, 'GET', 'https://board.test/x');
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  test('as JSON', async () => {
    const { out } = await explain(
      '--as',
      'staff',
      '--agent',
      'pages',
      '--format',
      'json',
      'GET',
      'https://board.test/',
    );
    expect(JSON.parse(out)).toMatchObject({
      allowed: true,
      rule: { id: 'board.test/*#3' },
      caller: { roles: ['staff'], agent: 'pages' },
    });
  });
});

describe('diff', () => {
  async function diff(to: string) {
    const { out } = await meshgate(['diff', 'meshgate.yaml', 'new.yaml'], { files: { ...files, 'new.yaml': to } });
    return out.trimEnd().split('\n');
  }

  test('reports an added role that travels', async () => {
    expect(await diff(changed('acts_for: [staff]', 'acts_for: [staff, admin]'))).toEqual([
      '+ agent pages, for admin, may now GET, POST https://board.test/* (by board.test/*#3, as hop)',
    ]);
  });

  test('reports a removed method', async () => {
    expect(await diff(changed('methods: [GET, POST]', 'methods: [GET]'))).toEqual(['nothing changed']);
    expect(await diff(changed('methods: [GET, POST]', 'methods: [HEAD]'))).toEqual([
      '- agent pages, for staff, may no longer GET https://board.test/* (was by board.test/*#3)',
    ]);
  });

  test('reports a rule for people that also allows its agent', async () => {
    expect(await diff(changed('methods: [GET] }', 'methods: [GET, POST] }'))).toEqual([
      '+ staff may now POST https://board.test/* (by board.test/*#1, as default)',
      '+ agent pages, for staff, may now POST https://board.test/* (by board.test/*#3, as hop)',
    ]);
  });

  test('reports a longer chain', async () => {
    expect(await diff(changed('acts_for: [staff]', 'acts_for: [staff], hops: 2'))).toEqual([
      '* agent pages: hops 1 → 2',
    ]);
  });
});

describe('prove', () => {
  const prove = (to: string, ...args: string[]) =>
    meshgate(['prove', ...args, 'meshgate.yaml', 'b'], { files: { ...files, b: to } });

  test('finds an agent that is allowed more', async () => {
    const { code, out } = await prove(changed('acts_for: [staff]', 'acts_for: [staff, admin]'));
    expect(code).toBe(1);
    expect(out).toContain('caller  agent pages for admin');
  });

  test('treats an agent in longer chains as another one', async () => {
    const { code, out } = await prove(changed('acts_for: [staff]', 'acts_for: [staff], hops: 2'));
    expect(code).toBe(1);
    expect(out).toContain('agent pages: hops 1 → 2');
  });

  test('Envoy’s file and the policy allow the same requests', async () => {
    const { written } = await meshgate(['render', '--target', 'envoy', '--out', 'out', 'meshgate.yaml'], { files });
    const envoy = Object.entries(written).find(([path]) => path.endsWith('envoy.yaml'))?.[1] ?? '';
    expect(await prove(envoy, '--target', 'envoy')).toMatchObject({ code: 0 });
    expect(envoy).toContain('board.test/*#3.1:');
    const less = { 'meshgate.yaml': changed('methods: [GET, POST]', 'methods: [HEAD]'), b: envoy };
    const { code, out } = await meshgate(['prove', '--target', 'envoy', 'meshgate.yaml', 'b'], { files: less });
    expect(code).toBe(1);
    expect(out).toContain('caller  spiffe://example.org/hop');
  });
});

describe('an agent that is recognised by its tokens', () => {
  const text = `version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  okta: { issuer: https://okta.test, audiences: [wiki] }
roles:
  staff: { group: staff }
  admin: { group: admins }
agents:
  bot: { match: { client_id: bot }, acts_for: [staff], alone: true, bound: none }
services:
  wiki: { insecure_url: http://wiki:8080 }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [{ role: staff, methods: [GET] }, admin, { agent: bot, methods: [GET, POST] }] }
tests:
  - { as: { agent: bot }, POST: https://wiki.test/, expect: allowed }
  - { as: { agent: bot }, DELETE: https://wiki.test/, expect: actor_not_allowed }
  - { as: { roles: [staff], agent: bot }, POST: https://wiki.test/, expect: role_missing }
  - as: { provider: okta, claims: { sub: ann, azp: bot, groups: [staff] } }
    GET: https://wiki.test/
    expect: allowed
  - { as: { provider: okta, claims: { sub: ann, act: { sub: other } } }, GET: https://wiki.test/, expect: actor_not_allowed }
`;
  const now = 1_800_000_000;
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (claims: object) =>
    [
      part({ alg: 'RS256' }),
      part({ iss: 'https://okta.test', aud: 'wiki', exp: now + 600, ...claims }),
      'A'.repeat(342),
    ].join('.');
  const given = {
    files: {
      'meshgate.yaml': text,
      ann: token({ sub: 'ann', azp: 'bot', groups: ['staff', 'admins'] }),
      bot: token({ sub: 'bot', azp: 'bot', groups: ['admins'] }),
    },
    now,
  };
  const explain = (...args: string[]) =>
    meshgate(['explain', '--policy', 'meshgate.yaml', '--now', String(now), ...args], given);

  test('is tested alone, for people, and by claims', async () => {
    const { code, out } = await meshgate(['validate', 'meshgate.yaml'], given);
    expect(out).toContain('5 tests pass');
    expect(code).toBe(0);
  });

  test('is explained alone, by its name and by its token', async () => {
    for (const args of [
      ['--agent', 'bot'],
      ['--token', 'bot'],
    ]) {
      const { code, out } = await explain(...args, 'POST', 'https://wiki.test/x');
      expect(out).toContain('caller    agent bot, alone');
      expect(out).toContain('allowed by wiki.test/*#3');
      expect(out).toContain('no  role "admin": agent bot acts for itself, and has no role');
      expect(code).toBe(0);
    }
  });

  test('is explained for the person that its token names, with the roles that travel', async () => {
    const { code, out } = await explain('--token', 'ann', 'DELETE', 'https://wiki.test/x');
    expect(out).toContain('caller    agent bot, for "ann" of okta; roles that the agent keeps: staff');
    expect(out).toContain('no  role "admin": agent bot does not act for it');
    expect(out).toContain('denied: actor_not_allowed');
    expect(code).toBe(1);
  });

  test('is in the JSON output', async () => {
    const { out } = await explain('--token', 'bot', '--format', 'json', 'GET', 'https://wiki.test/x');
    expect(JSON.parse(out).caller).toMatchObject({
      kind: 'token',
      subject: 'bot',
      roles: [],
      agent: 'bot',
      alone: true,
    });
  });

  test('gains and loses when it acts alone as well', async () => {
    const files = {
      ...given.files,
      'new.yaml': text.replace('alone: true, ', '').replaceAll(/ {2}- { as: { agent: bot }.*\n/g, ''),
    };
    const { out } = await meshgate(['diff', 'meshgate.yaml', 'new.yaml'], { files, now });
    expect(out).toContain('- agent bot alone may no longer GET, POST https://wiki.test');
    expect((await meshgate(['prove', 'meshgate.yaml', 'new.yaml'], { files, now })).out).toContain('agent bot alone');
  });
});
