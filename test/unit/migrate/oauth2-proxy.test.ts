import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { meshgate } from '../cli/fake.ts';
import { decided, lists, migrate, type Reported } from './case.ts';
import { flags } from './oauth2-proxy/flags.ts';

const BASE = {
  provider: 'oidc',
  oidc_issuer_url: 'https://login.example.com',
  client_id: 'wiki',
  email_domains: ['example.com'],
  upstreams: ['http://wiki:8080'],
  redirect_url: 'https://wiki.example.com/oauth2/callback',
};

const toml = (settings: Readonly<Record<string, unknown>>) =>
  Object.entries(settings)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('');

const run = (files: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<Reported> =>
  migrate({ command: 'oauth2-proxy', files, args });

const config = (settings: object = {}): Promise<Reported> => run({ 'a.cfg': toml({ ...BASE, ...settings }) });

const policyOf = ({ policy }: Reported): Policy => parsePolicy(policy, 'x').policy!;

test('the report says what becomes of each of the 167 flags', async () => {
  expect(flags).toHaveLength(167);
  const names = flags.map((flag) => `--${flag}`);
  const report = await run({ 'run.sh': `#!/bin/sh\noauth2-proxy ${names.map((it) => `${it}=x`).join(' ')}\n` });
  const reported = new Set([...report.carried, ...report.notCarried].map(({ option }) => option));
  expect(names.filter((it) => !reported.has(it) || lists(report, it, /no such option/))).toEqual([]);
});

describe('precedence', () => {
  const files = {
    'a.cfg': toml({ ...BASE, client_id: 'of-file', cookie_refresh: '1m', cookie_expire: '2h' }),
    '.env': 'OAUTH2_PROXY_CLIENT_ID=of-variable\nOAUTH2_PROXY_COOKIE_REFRESH=2m\n',
    'run.sh': '#!/bin/sh\noauth2-proxy --client-id of-flag\n',
  };

  test('a flag wins over a variable, and a variable over the file', async () => {
    const { providers, gateway } = policyOf(await run(files));
    expect(providers.sso?.client?.id).toBe('of-flag');
    expect(gateway.session).toMatchObject({ fresh: 120, absolute: 7200 });
  });

  test('the order of the files does not matter', async () => {
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    expect((await run(reversed)).policy).toBe((await run(files)).policy);
  });

  test('flags that are given several times are one list', async () => {
    const flags = '#!/bin/sh\noauth2-proxy --email-domain=a.example --email-domain b.example,c.example\n';
    const { roles } = policyOf(await run({ 'a.cfg': toml(BASE), 'run.sh': flags }));
    expect(JSON.stringify(roles.member)).toContain('*@c.example');
    expect(JSON.stringify(roles.member)).not.toContain('*@example.com');
  });
});

describe('a value that the files do not contain', () => {
  const container = (env: string) => `
kind: Deployment
spec: { template: { spec: { containers: [{ name: oauth2-proxy, args: [--provider=oidc, --oidc-issuer-url=https://login.example.com,
  --client-id=wiki, "--email-domain=*", --upstream=http://wiki:8080, --redirect-url=https://wiki.example.com/cb], env: [${env}] }] } } }
`;

  test('keeps the role closed if it restricts who may pass', async () => {
    const env = '{ name: OAUTH2_PROXY_ALLOWED_GROUPS, valueFrom: { secretKeyRef: { name: groups, key: x } } }';
    const report = await run({ 'd.yaml': container(env) });
    expect(report.policy).toContain('fill-in@migrate.invalid');
    expect(lists(report, 'OAUTH2_PROXY_ALLOWED_GROUPS', /the Secret groups/)).toBe(true);
    expect((await run({ 'd.yaml': container('') })).policy).not.toContain('fill-in@migrate.invalid');
  });

  test('of a secret is not asked for', async () => {
    const env = '{ name: OAUTH2_PROXY_COOKIE_SECRET, valueFrom: { secretKeyRef: { name: s, key: x } } }';
    const report = await run({ 'd.yaml': container(env) });
    expect(lists(report, 'COOKIE_SECRET', /not in these files/)).toBe(false);
  });
});

describe('who may pass', () => {
  test('nothing about people: the role is closed', async () => {
    const report = await config({ email_domains: [] });
    expect(report.policy).toContain('fill-in@migrate.invalid');
    expect(lists(report, '--email-domain', /does not start/)).toBe(true);
  });

  test('Google with every address: the role is closed, because anyone has an account', async () => {
    const report = await config({ provider: 'google', oidc_issuer_url: '', email_domains: ['*'] });
    expect(report.policy).toContain('fill-in@migrate.invalid');
    expect(lists(report, 'email_domains', /anyone in the world/)).toBe(true);
  });

  test('groups of Google: the role is closed', async () => {
    const report = await config({ provider: 'google', oidc_issuer_url: '', google_groups: ['admins@example.com'] });
    expect(report.policy).toContain('fill-in@migrate.invalid');
    expect(lists(report, 'google_groups', /no groups/)).toBe(true);
  });

  test('Entra ID with every address: people without an address pass too, which is wider', async () => {
    const issuer = 'https://login.microsoftonline.com/8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55/v2.0';
    const report = await config({ provider: 'entra-id', oidc_issuer_url: issuer, email_domains: ['*'] });
    expect(policyOf(report).hosts[0]?.routes[0]?.allow[0]?.who.kind).toBe('authenticated');
    expect(report.differs.some(({ option, wider }) => wider && option === 'email_domains')).toBe(true);
  });

  test('every tenant of Entra ID: a tenant has to be filled in', async () => {
    const report = await config({ provider: 'azure', oidc_issuer_url: '', email_domains: ['*'] });
    expect(report.policy).toContain('tenants: ["00000000-0000-0000-0000-000000000000"]');
    const issuer = 'https://login.microsoftonline.com/common/v2.0';
    const of = (tenant: string) =>
      config({ provider: 'entra-id', oidc_issuer_url: issuer, entra_id_allowed_tenants: [tenant] });
    // No token has the id of a tenant in capital letters, and oauth2-proxy compares it exactly.
    const capital = await of('8F8B0B2E-4D7C-4B6D-9D60-0F3B8A1A6A55');
    expect(capital.policy).toContain('tenants: ["00000000-0000-0000-0000-000000000000"]');
    const reported = await of('8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55');
    expect(policyOf(reported).providers.entra?.issuers).toEqual([
      'https://login.microsoftonline.com/8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55/v2.0',
    ]);
  });

  test('the old provider keycloak: its issuer follows from an endpoint', async () => {
    const url = 'https://sso.example.com/auth/realms/main/protocol/openid-connect/auth';
    const report = await config({ provider: 'keycloak', oidc_issuer_url: '', login_url: url, keycloak_groups: ['/a'] });
    expect(policyOf(report).providers.keycloak?.issuer).toBe('https://sso.example.com/auth/realms/main');
  });

  test('a groups claim of its own: the role compares that claim', async () => {
    const report = await config({ oidc_groups_claim: 'memberOf', allowed_groups: ['cn=wiki,dc=example'] });
    expect(report.policy).toContain('{ claim: memberOf, is: "cn=wiki,dc=example" }');
  });

  test('an extra issuer, with groups: its callers have no groups in oauth2-proxy, so none passes', async () => {
    const jwt = { skip_jwt_bearer_tokens: true, extra_jwt_issuers: ['https://ci.example.com=wiki'] };
    const report = await config({ ...jwt, allowed_groups: ['staff'] });
    expect(report.policy).not.toContain('tokens-caller');
    expect(lists(report, 'extra_jwt_issuers', /write a role/)).toBe(true);
  });
});

describe('services', () => {
  test('an upstream without a slash at its end is an exact path, and one with a slash is not the path itself', async () => {
    const upstreams = ['http://a/', 'http://b/b', 'http://c/c/'];
    const routes = policyOf(await config({ upstreams })).hosts[0]!.routes;
    const of = Object.fromEntries(
      routes.map(({ kind, path, service }) => [`${path}${kind === 'prefix' ? '/*' : ''}`, service]),
    );
    expect(of).toEqual({ '/*': 'a', '/b': 'b', '/c/*': 'c', '/c': 'a' });
  });

  test('a service receives the host that people open, or its own with pass_host_header = false', async () => {
    expect(policyOf(await config()).services.wiki?.authority).toBe('');
    expect(policyOf(await config({ pass_host_header: false })).services.wiki?.authority).toBe('wiki:8080');
  });

  test('a password in the URL of an upstream is never printed', async () => {
    const report = await config({ upstreams: ['http://user:hunter2@wiki:8080/'] });
    expect(JSON.stringify(report)).not.toContain('hunter2');
    expect(policyOf(report).services.wiki?.direct?.host).toBe('wiki');
  });

  test('no upstream that nginx reaches: a service has to be filled in', async () => {
    const report = await config({ upstreams: ['static://202'] });
    expect(report.policy).toContain('https://fill-in.invalid');
    expect(lists(report, 'upstreams', /no service remains/)).toBe(true);
  });
});

describe('an upstream that the gateway cannot have', () => {
  const ann = { claims: { sub: '1', email: 'ann@example.com', email_verified: true } };
  const provider = { provider: 'oidc', clientID: 'a', oidcConfig: { issuerURL: 'https://login.example.com' } };
  const of = (upstreams: readonly object[], settings: object = {}): Promise<Reported> =>
    run({
      'a.cfg': toml({ email_domains: ['example.com'], redirect_url: BASE.redirect_url, ...settings }),
      'alpha.yaml': JSON.stringify({ providers: [provider], upstreamConfig: { upstreams } }),
    });
  const app = { id: 'app', path: '/', uri: 'http://app:8080' };
  const isWider = ({ notCarried }: Reported, option: string) =>
    notCarried.some((it) => it.option.includes(option) && it.wider === true);
  const serviceAt = (report: Reported, path: string) => {
    const { hosts, services } = policyOf(report);
    const found = hosts[0]!.routes.find((it) => `${it.path}${it.kind === 'prefix' ? '/*' : ''}` === path);
    return services[found?.service ?? '']?.direct?.host;
  };

  test.each<[string, object, string]>([
    ['a fixed response', { path: '/admin/', static: true, staticCode: 403 }, '/admin/*'],
    ['a fixed response for one path', { path: '/admin', static: true }, '/admin'],
    ['a folder', { path: '/admin/', uri: 'file:///srv' }, '/admin/*'],
    ['a socket', { path: '/admin/', uri: 'unix:///run/a.sock' }, '/admin/*'],
    ['members in another case', { Path: '/admin/', STATIC: true }, '/admin/*'],
  ])('%s: its paths are closed, and reach no upstream with a shorter path', async (_, upstream, path) => {
    const report = await of([app, { id: 'a', ...upstream }]);
    expect(serviceAt(report, path)).toBe('fill-in.invalid');
    const url = `https://wiki.example.com${path.replace('*', 'x')}`;
    expect(decided(report.policy, { as: ann, url })).toBe('role_missing');
    expect(decided(report.policy, { as: ann, url: 'https://wiki.example.com/x' })).toBe('allowed');
  });

  test('an open path of it does not reach the upstream with a shorter path', async () => {
    const settings = { skip_auth_routes: ['^/static/'] };
    const report = await of([app, { id: 'a', path: '/static/', uri: 'file:///srv' }], settings);
    expect(decided(report.policy, { as: 'nobody', url: 'https://wiki.example.com/static/x' })).toBe('allowed');
    expect(serviceAt(report, '/static/*')).toBe('fill-in.invalid');
  });

  test.each<[string, object]>([
    ['a rewritten path', { path: '^/admin/(.*)$', rewriteTarget: '/$1', uri: 'http://b' }],
    ['a rewritten path, with members in another case', { path: '/admin/', RewriteTarget: '/', uri: 'http://b' }],
    ['a path with a variable', { path: '/{name}/', uri: 'http://b' }],
    ['a path that a policy cannot name', { path: '/a b/', static: true }],
    ['a path of the gateway', { path: '/.meshgate/', uri: 'http://b' }],
  ])('%s is listed as wider', async (_, upstream) => {
    expect(isWider(await of([app, { id: 'a', ...upstream }]), 'upstreams[1] a')).toBe(true);
    expect(isWider(await of([{ ...app, path: '/app/' }, app]), 'upstreams')).toBe(false);
  });

  test('of two that differ in case only, the policy has the first, and says what is wider', async () => {
    const report = await of([
      app,
      { id: 'a', path: '/A/', uri: 'http://a' },
      { id: 'b', path: '/a/', uri: 'http://b' },
    ]);
    expect([serviceAt(report, '/A/*'), serviceAt(report, '/a/*')]).toEqual(['a', undefined]);
    expect(isWider(report, 'upstreams[2] b')).toBe(true);
  });

  test('a path is read in any case of its name', async () => {
    const report = await of([{ ID: 'a', Path: '/only/', URI: 'http://a' }]);
    expect(serviceAt(report, '/only/*')).toBe('a');
    expect(serviceAt(report, '/*')).toBeUndefined();
  });

  test('a header is read in any case of its members', async () => {
    const secret = { Name: 'X-Key', Values: [{ FromEnv: 'KEY' }] };
    const alpha = {
      providers: [provider],
      injectRequestHeaders: [{ NAME: 'X-Mail', VALUES: [{ ClaimSource: { CLAIM: 'email' } }] }, secret],
    };
    const report = await run({ 'a.cfg': toml({ email_domains: ['*'] }), 'alpha.yaml': JSON.stringify(alpha) });
    expect(report.policy).toContain('X-Mail: email');
    expect(lists(report, 'injectRequestHeaders[1] X-Key', /no fixed values/)).toBe(true);
  });

  test('an unknown member closes the policy, because oauth2-proxy does not start with it', async () => {
    const report = await of([app, { id: 'a', path: '/a/', uri: 'http://a', rewrite: '/' }]);
    expect(decided(report.policy, { as: ann, url: 'https://wiki.example.com/x' })).toBe('role_missing');
  });
});

describe('the command', () => {
  test('lists an unknown option without its value', async () => {
    const report = await config({ clientsecret: 'hunter2' });
    expect(lists(report, 'clientsecret', /no such option/)).toBe(true);
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  test('never quotes a line that it cannot read', async () => {
    for (const text of ['client_secret = "hunter2\nx = 1\n', 'a: [hunter2\nb: {', '[a]\nclient_secret = hunter2 x\n']) {
      const ran = await meshgate(['migrate', 'oauth2-proxy', 'a.cfg'], { files: { 'a.cfg': text } });
      expect(ran.code).toBe(1);
      expect(ran.out).toBe('');
      expect(ran.err).toMatch(/^meshgate: a\.cfg:\d+: not /);
      expect(ran.err).not.toContain('hunter2');
    }
  });

  test('takes the host of --host, and rejects one that is no name', async () => {
    const files = { 'a.cfg': toml({ ...BASE, redirect_url: '' }) };
    expect(policyOf(await run(files, ['--host', 'a.example.com'])).hosts.map(({ name }) => name)).toEqual([
      'a.example.com',
    ]);
    const ran = await meshgate(['migrate', 'oauth2-proxy', '--host', '10.0.0.1', 'a.cfg'], { files });
    expect(ran.code).toBe(2);
  });

  test('writes a file that does not exist yet, and no other', async () => {
    const files = { 'a.cfg': toml(BASE), '/home/ann/old.yaml': 'x', 'old.yaml': 'x' };
    const ran = await meshgate(['migrate', 'oauth2-proxy', 'a.cfg', '--out', 'new.yaml'], { files });
    expect(ran).toMatchObject({ code: 0, out: '' });
    expect(ran.written['/home/ann/new.yaml']).toContain('version: 1');
    const again = await meshgate(['migrate', 'oauth2-proxy', 'a.cfg', '--out', 'old.yaml'], { files });
    expect(again).toMatchObject({ code: 2, written: {} });
  });

  test('prints the findings to standard error, and the policy alone to standard output', async () => {
    const ran = await meshgate(['migrate', 'oauth2-proxy', 'a.cfg'], { files: { 'a.cfg': toml(BASE) } });
    expect(parsePolicy(ran.out, 'x').errors).toEqual([]);
    expect(ran.err).toMatch(/^To do \(\d+\):\n/);
    expect(ran.err).toContain('Decided differently');
  });

  test.each(['just: a mapping\n', 'kind: Cluster\n', 'providers: { docker: {} }\n', '# all: in comments\n'])(
    'a file of something else is no policy: %j',
    async (text) => {
      const ran = await meshgate(['migrate', 'oauth2-proxy', 'a'], { files: { a: text } });
      expect(ran).toMatchObject({ code: 1, out: '' });
    },
  );

  test('asks for the files that flags name', async () => {
    const flags = '#!/bin/sh\noauth2-proxy --config=/etc/o.cfg --alpha-config=/etc/alpha.yaml\n';
    const report = await run({ 'run.sh': flags });
    expect(lists(report, '--config', /give this file/)).toBe(true);
    expect(lists(report, '--alpha-config', /give this file/)).toBe(true);
    expect(report.policy).toContain('fill-in@migrate.invalid');
    const both = await run({ 'run.sh': flags, 'a.cfg': toml(BASE), 'alpha.yaml': 'providers: [{ provider: oidc }]\n' });
    expect(lists(both, 'config', /give this file/)).toBe(false);
  });

  test('reads the values of a chart that has oauth2-proxy as a part', async () => {
    const report = await run({ 'values.yaml': 'oauth2-proxy: { extraArgs: { client-id: of-chart } }\n' });
    expect(report.policy).toContain('id: of-chart');
  });
});

describe('addresses that need no credential', () => {
  const of = async (settings: object) => {
    const report = await config({ trusted_ips: ['10.0.0.0/8'], ...settings });
    return [report, decided(report.policy, { as: { network: '10.0.0.7' }, url: 'https://wiki.example.com/' })] as const;
  };

  test.each([{}, { trusted_proxy_ips: ['0.0.0.0/0'] }, { trusted_proxy_ips: ['10.0.0.1'] }])(
    'behind proxies, %j: none, because each client would have the address of the proxy',
    async (settings) => {
      const [report, got] = await of({ reverse_proxy: true, ...settings });
      expect(got).toBe('credential_missing');
      expect(lists(report, 'trusted_ips', /proxy|proxies/)).toBe(true);
    },
  );

  test('with the addresses of the proxies, or without proxies, they pass', async () => {
    expect((await of({}))[1]).toBe('allowed');
    expect((await of({ reverse_proxy: true, trusted_proxy_ips: ['192.0.2.1'] }))[1]).toBe('allowed');
  });
});

test.each([
  { provider: 'github', github_org: 'acme', github_repo: 'acme/app' },
  { provider: 'bitbucket', bitbucket_team: 'acme', bitbucket_repository: 'acme/app' },
])('a repository restricts the members of the groups further, so the role is closed: %j', async (settings) => {
  expect((await config(settings)).policy).toContain('fill-in@migrate.invalid');
});

test.each([
  ['docker run ', 'a'],
  ['', 'oauth2-proxy'],
  ['docker run ', 'oauth2-proxy:'],
])('a line of "%s" and many "%s" is read in time that grows with its length', async (begin, piece) => {
  const spent = async (times: number) => {
    const before = process.threadCpuUsage();
    const line = begin + piece.repeat(times);
    await meshgate(['migrate', 'oauth2-proxy', 'a.txt'], { files: { 'a.txt': `${line}\n` } });
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  };
  // Sixteen times the length is sixteen times the work, or 256 times. Less than 16 ms is not measured well.
  const least = Math.max(16_000, await spent(600));
  expect(await spent(9_600)).toBeLessThan(64 * least);
});

describe('settings in files that the command does not have', () => {
  const pod = (container: object) =>
    JSON.stringify({
      kind: 'Deployment',
      spec: {
        template: {
          spec: {
            containers: [
              {
                image: 'oauth2-proxy',
                args: [
                  '--provider=oidc',
                  '--oidc-issuer-url=https://login.example.com',
                  '--client-id=a',
                  '--email-domain=*',
                ],
                ...container,
              },
            ],
          },
        },
      },
    });
  const isClosed = async (files: Readonly<Record<string, string>>) => {
    const report = await run(files);
    expect(
      lists(report, 'envFrom', /until then/) ||
        lists(report, 'env_file', /until then/) ||
        lists(report, '--config', /until then/),
    ).toBe(report.policy.includes('fill-in@migrate.invalid'));
    return report.policy.includes('fill-in@migrate.invalid');
  };
  const fromMap = pod({ envFrom: [{ configMapRef: { name: 'proxy' } }] });
  const map = (name: string) =>
    `kind: ConfigMap\nmetadata: { name: ${name} }\ndata: { OAUTH2_PROXY_ALLOWED_GROUPS: staff }\n`;

  test('close the role: a ConfigMap, a Secret, a file of variables, and a configuration file', async () => {
    expect(await isClosed({ 'd.yaml': pod({}) })).toBe(false);
    expect(await isClosed({ 'd.yaml': fromMap })).toBe(true);
    expect(await isClosed({ 'd.yaml': fromMap, 'c.yaml': map('other') })).toBe(true);
    expect(await isClosed({ 'd.yaml': pod({ envFrom: [{ secretRef: { name: 'proxy' } }] }) })).toBe(true);
    expect(await isClosed({ 'd.yaml': pod({ command: ['oauth2-proxy', '--config=/etc/proxy.cfg'] }) })).toBe(true);
    const compose =
      'services: { a: { image: oauth2-proxy, env_file: .env, environment: { OAUTH2_PROXY_EMAIL_DOMAINS: "*" } } }\n';
    expect(await isClosed({ 'compose.yaml': compose })).toBe(true);
  });

  test('close nothing if the command has them', async () => {
    const report = await run({ 'd.yaml': fromMap, 'c.yaml': map('proxy') });
    expect(report.policy).not.toContain('fill-in@migrate.invalid');
    expect(report.policy).toContain('staff');
    expect(
      await isClosed({
        'd.yaml': pod({ envFrom: [{ secretRef: { name: 'p' } }] }),
        '.env': 'OAUTH2_PROXY_CLIENT_ID=b\n',
      }),
    ).toBe(false);
    expect(
      await isClosed({
        'd.yaml': pod({ command: ['oauth2-proxy', '--config=/etc/proxy.cfg'] }),
        'proxy.cfg': toml(BASE),
      }),
    ).toBe(false);
  });
});

test.each(['allowed_groups', 'gitlab_groups', 'google_groups'])(
  'with %s, callers with a token of another issuer need a role that a person writes',
  async (key) => {
    const extra = { skip_jwt_bearer_tokens: true, extra_jwt_issuers: ['https://ci.example.com=wiki'] };
    const { roles } = policyOf(await config({ ...extra, email_domains: ['*'], [key]: ['staff'] }));
    expect(Object.keys(roles)).toEqual(['member']);
    expect(Object.keys(policyOf(await config({ ...extra, email_domains: ['*'] })).roles)).toContain('tokens-caller');
  },
);

test('names of settings have no case, as in oauth2-proxy', async () => {
  expect((await config({ Allowed_Groups: ['staff'] })).policy).toContain('group: staff');
});

describe('several containers that run oauth2-proxy', () => {
  const services = (...domains: readonly string[]) =>
    JSON.stringify({
      services: Object.fromEntries(
        domains.map((it, index) => [
          `p${index}`,
          {
            image: 'oauth2-proxy',
            command: ['--provider=oidc', '--oidc-issuer-url=https://l.example.com', `--email-domain=${it}`],
          },
        ]),
      ),
    });
  const wider = async (text: string) =>
    (await run({ 'compose.yaml': text })).differs.some((it) => it.option === 'oauth2-proxy' && it.wider);

  test('with different settings: the policy would have the people of all', async () => {
    expect(await wider(services('a.example.com', 'b.example.com'))).toBe(true);
  });

  test('with the same settings are one', async () => {
    expect(await wider(services('a.example.com', 'a.example.com'))).toBe(false);
    expect(await wider(services('a.example.com'))).toBe(false);
  });
});

test('members of the alpha configuration have no case, as in oauth2-proxy', async () => {
  const provider = {
    provider: 'oidc',
    clientID: 'a',
    AllowedGroups: ['staff'],
    OIDCConfig: { IssuerURL: 'https://l.example.com' },
  };
  const alpha = JSON.stringify({ providers: [provider], upstreamConfig: { upstreams: [] } });
  const { policy } = await run({ 'alpha.yaml': alpha, '.env': 'OAUTH2_PROXY_EMAIL_DOMAINS=*\n' });
  expect(policy).toContain('issuer: https://l.example.com');
  expect(policy).toContain('group: staff');
});
