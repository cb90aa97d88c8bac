import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatError, type Policy, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';

function parse(text: string): Policy {
  const { policy, errors } = parsePolicy(text, 'm.yaml');
  expect(errors.map(formatError)).toEqual([]);
  return policy as Policy;
}

const at = (line: number, column: number) => ({ file: 'm.yaml', line, column });

const smallest = `version: 1
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] }
roles:
  staff: { group: staff }
services:
  wiki: { url: https://ingress.mesh:8443, ca_file: /run/mesh/ca.pem }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
`;

test('the smallest policy, with every default', () => {
  expect(parse(smallest)).toEqual({
    version: 1,
    gateway: {
      name: 'meshgate',
      clockSkew: 30,
      tokenCache: 300,
      keys: { refresh: 300, stale: 86400, coolDown: 10 },
      trustedProxies: [],
      resolver: [],
      ipVersions: [4],
      listen: 8443,
      insecureHttp: false,
    },
    providers: {
      okta: {
        name: 'okta',
        kind: 'okta',
        issuer: 'https://example.okta.com/oauth2/default',
        audiences: ['api://wiki'],
        algorithms: ['RS256', 'PS256', 'ES256'],
        subject: { claim: 'sub', prefix: '' },
        at: at(3, 3),
      },
    },
    agents: {},
    roles: { staff: { name: 'staff', fact: { op: 'group', value: 'staff', at: at(5, 3) }, at: at(5, 3) } },
    services: {
      wiki: {
        name: 'wiki',
        authority: '',
        endpoint: { host: 'ingress.mesh', port: 8443 },
        direct: { host: 'ingress.mesh', port: 8443, tls: true, caFile: '/run/mesh/ca.pem', serverName: 'ingress.mesh' },
        at: at(7, 3),
      },
    },
    hosts: [
      {
        name: 'wiki.example.com',
        providers: ['okta'],
        routes: [
          {
            name: 'wiki.example.com/*',
            host: 'wiki.example.com',
            path: '',
            kind: 'prefix',
            service: 'wiki',
            accept: ['bearer'],
            allow: [{ who: { kind: 'role', role: 'staff' }, as: '', at: at(10, 34) }],
            headers: { 'X-Forwarded-User': 'subject', 'X-Forwarded-Email': 'email', 'X-Forwarded-Roles': 'roles' },
            at: at(10, 5),
          },
        ],
        at: at(9, 3),
      },
    ],
    tests: [],
  });
});

describe('a policy with every key', () => {
  const full = readFileSync(new URL('fixtures/full.yaml', import.meta.url), 'utf8');
  const policy = parse(full);
  const routes = policy.hosts.flatMap((host) => host.routes);
  const route = (name: string) => routes.find((it) => it.name === name);

  test('facts, with their places', () => {
    expect(policy.roles.editor?.fact).toMatchObject({
      op: 'any',
      facts: [
        { op: 'group', value: 'confluence-editors', provider: 'okta', at: at(71, 9) },
        { op: 'has', claim: 'realm_access.roles', value: 'editor', provider: 'keycloak', at: at(72, 9) },
      ],
    });
    expect(policy.roles.ops?.fact).toMatchObject({
      op: 'all',
      facts: [
        { op: 'provider', value: 'keycloak' },
        { op: 'scope', value: 'ops' },
        { op: 'none', facts: [{ op: 'has' }] },
      ],
    });
    expect(policy.roles.reader?.fact).toEqual({ op: 'role', value: 'staff', at: at(84, 3) });
  });

  test('facts about the sign-in', () => {
    expect(policy.roles.admin?.fact).toMatchObject({
      facts: [{ op: 'role' }, { op: 'group' }, { op: 'acr', value: 'phr' }, { op: 'max_age', value: 900 }],
    });
  });

  test('sessions, and what they share', () => {
    expect(policy.gateway).toMatchObject({
      publicPort: 8443,
      session: { keysFile: '/run/secrets/session.jwks', idle: 14400, absolute: 43200, fresh: 300 },
      signin: {
        host: 'auth.example.com',
        tls: { certFile: '/run/tls/auth.crt', keyFile: '/run/tls/auth.key' },
        pagesDir: '/etc/meshgate/pages',
      },
      store: {
        endpoints: ['https://etcd-0:2379', 'https://etcd-1:2379'],
        caFile: '/run/etcd/ca.pem',
        certFile: '/run/etcd/client.crt',
        keyFile: '/run/etcd/client.key',
        prefix: '/meshgate/',
      },
    });
  });

  test('clients, and what they request', () => {
    expect(policy.providers.okta).toMatchObject({
      kind: 'generic',
      client: { id: '0oa1', auth: { kind: 'client_secret_post', secretFile: '/run/secrets/okta' } },
      signin: {
        scopes: ['openid', 'profile'],
        prompt: 'login',
        maxAge: 28800,
        acrValues: ['phr'],
        domains: ['example.com'],
        userinfo: true,
        label: 'okta',
      },
    });
    expect(policy.providers.keycloak).toMatchObject({
      kind: 'keycloak',
      client: {
        id: 'meshgate',
        auth: { kind: 'tls_client_auth', certFile: '/run/kc/client.crt', keyFile: '/run/kc/client.key' },
      },
      signin: { scopes: ['openid', 'profile', 'email'], label: 'Guests', par: true },
    });
  });

  test('the accepted credentials of routes, and the owner on their pages', () => {
    expect(route('wiki.example.com/*')).toMatchObject({
      accept: ['bearer', 'session'],
      owner: 'wiki-team@example.com',
      ask: 'https://tickets.example.com/new?reason={reason}&id={request_id}',
    });
    expect(route('wiki.example.com/rest/*')).toMatchObject({
      owner: 'wiki-team@example.com',
      ask: 'mailto:rest-team@example.com?subject={route}',
    });
    expect(route('*.dashboard.example.com/*')).not.toHaveProperty('owner');
  });

  test('one PEM file is certificate and key', () => {
    expect(policy.mesh?.identities.default).toMatchObject({
      certFile: '/run/mesh/gateway.pem',
      keyFile: '/run/mesh/gateway.pem',
    });
    expect(policy.mesh?.identities['wiki-editor']?.keyFile).toBe('/run/mesh/wiki-editor.key');
  });

  test('the folder of spiffe-helper stands for the two files that it writes there', () => {
    const text = full.replace('pem_file: /run/mesh/gateway.pem', 'svid_dir: /run/spiffe/gateway');
    expect(parse(text).mesh?.identities.default).toMatchObject({
      certFile: '/run/spiffe/gateway/svid.pem',
      keyFile: '/run/spiffe/gateway/svid_key.pem',
    });
  });

  test('services in the mesh and outside it', () => {
    expect(policy.services.wiki?.endpoint).toEqual({ host: 'confluence', port: 8090 });
    expect(policy.services.dashboard?.endpoint).toEqual({ host: 'dashboard.ops.svc.cluster.local', port: 80 });
    expect(policy.services.dashboard?.direct).toBeUndefined();
    expect(policy.services.legacy).toMatchObject({
      authority: 'legacy.example.com',
      direct: { port: 8080, tls: false },
    });
  });

  test('rules', () => {
    expect(route('wiki.example.com/*')?.allow).toMatchObject([
      { who: { kind: 'role', role: 'admin' }, as: 'wiki-editor' },
      { who: { kind: 'role', role: 'editor' }, as: 'wiki-editor', methods: ['GET', 'POST'] },
      { who: { kind: 'role', role: 'reader' }, as: 'default', methods: ['GET'] },
    ]);
    expect(route('wiki.example.com/status')).toMatchObject({
      kind: 'exact',
      path: '/status',
      allow: [{ who: { kind: 'anyone' }, as: '' }],
    });
    expect(route('*.dashboard.example.com/*')?.allow[1]?.who).toEqual({ kind: 'authenticated' });
  });

  test('headers are merged by name, and null removes', () => {
    const role = {
      firstRole: [
        ['admin', 'Admin'],
        ['editor', 'Editor'],
      ],
      else: 'Viewer',
    };
    expect(route('wiki.example.com/rest/*')?.headers).toEqual({
      'X-Forwarded-User': 'subject',
      'X-Forwarded-Roles': 'roles',
      'X-WEBAUTH-ROLE': role,
      'X-Department': { claim: 'department' },
    });
    expect(Object.keys(route('*.dashboard.example.com/*')?.headers ?? {})).toHaveLength(4);
  });

  test('tests', () => {
    expect(policy.tests.map(({ at: _, ...it }) => it)).toEqual([
      { as: { kind: 'nobody' }, method: 'GET', url: 'https://wiki.example.com/status', expect: 'allowed' },
      {
        as: { kind: 'roles', roles: ['reader'] },
        method: 'POST',
        url: 'https://wiki.example.com/x',
        expect: 'role_missing',
      },
      {
        as: { kind: 'roles', roles: ['editor'] },
        method: 'GET',
        url: 'https://wiki.example.com/rest/x',
        serviceCredential: 'Basic',
        expect: 'allowed',
      },
      {
        as: { kind: 'claims', provider: 'okta', claims: { uid: 'ann', groups: ['staff'] } },
        method: 'GET',
        url: 'https://wiki.example.com/x',
        expect: 'allowed',
      },
    ]);
  });
});

describe('valid policies', () => {
  const cases: readonly (readonly [what: string, from: string, to: string])[] = [
    ['"as: default" on a service that is reached directly', '[staff]', '[{ role: staff, as: default }]'],
    ['a rule that lets more people in after one that lets fewer', '[staff]', '[staff, authenticated, anyone]'],
    ['the same role over two identities for different methods', '[staff]', '[{ role: staff, methods: [GET] }, staff]'],
    ['paths that only look like the gateway’s own', '/*:', '/.meshgates/x:'],
    ['a prefix above the gateway’s own paths', '/*:', '/.well-known/*:'],
    ['a path with every character that may be in one', '/*:', '/Az09._~!&()+,=:@-/x:'],
    ['a group with spaces and letters of any language', '{ group: staff }', '{ group: Équipe du wiki }'],
    ['a claim of any name', '{ group: staff }', '{ claim: https://example.com/roles, is: true }'],
    ['an issuer that ends in a slash', 'https://example.okta.com/oauth2/default', 'https://example.eu.auth0.com/'],
    ['a host on one label', 'wiki.example.com', 'localhost'],
    ['a wildcard host', 'wiki.example.com', '"*.example.com"'],
    ['keys in quotes, other spacing, comments', 'roles:\n', '"roles" : # who\n'],
    ['windows line ends', '\n', '\r\n'],
  ];
  test.each(cases)('%s', (_, from, to) => {
    expect(smallest).toContain(from);
    parse(smallest.replaceAll(from, () => to));
  });

  test('anchors and aliases', () => {
    const policy = parse(
      smallest.replace(
        '/*: { service: wiki, allow: [staff] }',
        '/a: &a { service: wiki, allow: [staff] }\n    /b/*: *a',
      ),
    );
    expect(policy.hosts[0]?.routes.map((it) => [it.name, it.service])).toEqual([
      ['wiki.example.com/a', 'wiki'],
      ['wiki.example.com/b/*', 'wiki'],
    ]);
  });
});

test('an error in one line', () => {
  const [error] = parsePolicy(smallest.replace('[staff]', '[anyone, staf]'), 'meshgate.yaml').errors;
  expect(error && formatError(error)).toBe(
    'meshgate.yaml:10:42 hosts."wiki.example.com"."/*".allow[1]: no role "staf"; did you mean "staff"?',
  );
});

test('an assertion, with its default life and with another', () => {
  const written = (lifetime: string) =>
    parse(
      smallest.replace(
        'providers:',
        `gateway: { assertion: { issuer: https://wiki.example.com, keys_file: /run/secrets/assertion.jwks${lifetime} } }\nproviders:`,
      ),
    ).gateway.assertion;
  expect(written('')).toEqual({
    issuer: 'https://wiki.example.com',
    keysFile: '/run/secrets/assertion.jwks',
    lifetime: 60,
  });
  expect(written(', lifetime: 10m')?.lifetime).toBe(600);
});

test('a service of its own for a rule: through the mesh or outside it', () => {
  const policy = parse(`
version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress: { address: ingress.mesh:8443, ca_file: /run/mesh/ca.pem }
  identities: { default: { spiffe: spiffe://example.org/gateway, pem_file: /run/mesh/gateway.pem } }
services:
  wiki: { authority: wiki }
  canary: { authority: canary }
  plain: { insecure_url: "http://plain:8080" }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [{ role: beta, service: canary }, { role: staff, methods: [GET], service: plain }, staff] }
`);
  expect(compile(policy).map(({ id, service, as }) => [id, service, as])).toEqual([
    ['wiki.example.com/*#1', 'canary', 'default'],
    ['wiki.example.com/*#2', 'plain', ''],
    ['wiki.example.com/*#3', 'wiki', 'default'],
  ]);
});

describe('sign-in', () => {
  const withClient = (client: string, gateway = 'session: { keys_file: /run/s.jwks }') =>
    parse(
      smallest
        .replace('providers:', `gateway:\n  ${gateway}\nproviders:`)
        .replace('[api://wiki] }', `[api://wiki], client: ${client} }`),
    );

  test.each([
    ['{ id: a }', { kind: 'none' }],
    ['{ id: a, secret_file: /s }', { kind: 'client_secret_basic', secretFile: '/s' }],
    ['{ id: a, secret_file: /s, auth: basic }', { kind: 'client_secret_basic', secretFile: '/s' }],
    ['{ id: a, secret_file: /s, auth: post }', { kind: 'client_secret_post', secretFile: '/s' }],
    ['{ id: a, keys_file: /k }', { kind: 'private_key_jwt', keysFile: '/k' }],
    ['{ id: a, cert_file: /c, key_file: /k }', { kind: 'tls_client_auth', certFile: '/c', keyFile: '/k' }],
  ])('the client %s', (client, auth) => {
    expect(withClient(client).providers.okta?.client).toEqual({ id: 'a', auth });
  });

  test('with every default', () => {
    const { gateway, providers, hosts } = withClient('{ id: a }');
    expect(gateway.session).toEqual({ keysFile: '/run/s.jwks', idle: 28800, absolute: 86400, fresh: 600 });
    expect(gateway).not.toHaveProperty('publicPort');
    expect(providers.okta?.signin).toEqual({
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      domains: [],
      userinfo: true,
      label: 'okta',
    });
    expect(hosts[0]?.routes[0]?.accept).toEqual(['bearer', 'session']);
  });

  test('a default is shortened to fit a shorter time', () => {
    const times = (text: string) => withClient('{ id: a }', `session: { keys_file: /s, ${text} }`).gateway.session;
    expect(times('absolute: 1h')).toMatchObject({ idle: 3600, absolute: 3600, fresh: 600 });
    expect(times('idle: 5m')).toMatchObject({ idle: 300, absolute: 86400, fresh: 300 });
    expect(times('absolute: 2s, idle: 2s, fresh: 1s')).toMatchObject({ idle: 2, absolute: 2, fresh: 1 });
  });

  test('a provider without audiences is for sessions only', () => {
    const text = smallest
      .replace('providers:', 'gateway: { session: { keys_file: /s } }\nproviders:')
      .replace('audiences: [api://wiki]', 'client: { id: a }');
    const { providers, hosts } = parse(text);
    expect(providers.okta?.audiences).toEqual([]);
    expect(hosts[0]?.routes[0]?.accept).toEqual(['session']);
  });

  test('routes of a wildcard host accept sessions as well', () => {
    const text = smallest
      .replace('providers:', 'gateway: { session: { keys_file: /s } }\nproviders:')
      .replace('audiences: [api://wiki]', 'client: { id: a }');
    expect(parse(text.replace('wiki.example.com', '"*.example.com"')).hosts[0]?.routes[0]?.accept).toEqual(['session']);
  });

  test('an acr belongs to the provider that another fact of its `all` names', () => {
    const text = smallest
      .replace('roles:', '  other: { issuer: https://other.example.com, audiences: [x] }\nroles:')
      .replace('{ group: staff }', '{ all: [{ group: staff, provider: okta }, { any: [{ acr: phr }, { acr: hw }] }] }')
      .replace('wiki.example.com:', 'wiki.example.com:\n    providers: [okta, other]')
      .replace('[api://wiki] }', '[api://wiki], subject: { prefix: a- } }')
      .replace('audiences: [x] }', 'audiences: [x], subject: { prefix: b- } }');
    expect(parse(text).roles.staff).toBeDefined();
  });
});

test.each([
  ['https://example.okta.com/oauth2/default', 'okta'],
  ['https://dev-1.oktapreview.com/oauth2/aus1', 'okta'],
  ['https://okta.example.com/oauth2/default', 'generic'],
  ['https://example.okta.com.evil.example/oauth2/default', 'generic'],
  ['https://login.microsoftonline.com/8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55/v2.0', 'entra'],
  ['https://sts.windows.net/8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55/', 'entra'],
  ['https://login.example.com/realms/main', 'keycloak'],
  ['https://login.example.com/auth/realms/main', 'keycloak'],
  ['https://login.example.com/realms/main/x', 'generic'],
  ['https://login.example.com', 'generic'],
])('the issuer %s looks like one of %s', (issuer, kind) => {
  expect(parse(smallest.replace('https://example.okta.com/oauth2/default', issuer)).providers.okta?.kind).toBe(kind);
});
