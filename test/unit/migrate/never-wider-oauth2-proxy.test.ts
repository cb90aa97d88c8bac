/** What `migrate oauth2-proxy` writes, compared with a model of oauth2-proxy: no request passes that oauth2-proxy
 * refused, unless the report marks it with WIDER. */
import { describe, expect, test } from 'vitest';
import { runTests } from '../../../src/cli/decide/policy-tests.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { migrate, type Reported } from './case.ts';
import { type Given, options, passes, type Request } from './oauth2-proxy/model.ts';

const HOST = 'app.example.com';
const BASE = {
  provider: 'oidc',
  oidc_issuer_url: 'https://login.example.com',
  client_id: 'a',
  client_secret: 'b',
  cookie_secret: '0123456789abcdef',
  email_domains: ['example.com'],
  upstreams: ['http://app:8080/'],
  redirect_url: `https://${HOST}/oauth2/callback`,
};

const toml = (file: Readonly<Record<string, unknown>>) =>
  Object.entries(file)
    .map(([key, value]) => `${/^[\w-]+$/.test(key) ? key : JSON.stringify(key)} = ${JSON.stringify(value)}\n`)
    .join('');

const plain = (text: string) => text.replaceAll('$', '$$$$');

const migrated = ({ flags = [], variables = {}, file = {}, alpha }: Given, emails?: string): Promise<Reported> => {
  const environment = Object.fromEntries(Object.entries(variables).map(([name, it]) => [name, plain(it)]));
  const proxy = { image: 'oauth2-proxy', command: flags.map(plain), environment };
  return migrate({
    command: 'oauth2-proxy',
    files: {
      'compose.yaml': JSON.stringify({ services: { proxy } }),
      'a.cfg': toml(file),
      ...(alpha && { 'alpha.yaml': JSON.stringify({ providers: [alpha] }) }),
      ...(emails !== undefined && { emails }),
    },
    args: ['--host', HOST],
  });
};

const person = (email: string | undefined, others: object = {}) => ({
  sub: '1',
  ...(email !== undefined && { email, email_verified: true }),
  ...others,
});

const people = [
  person('ann@example.com', { groups: ['staff'], upn: 'ann@example.org', realm_access: { roles: ['x'] } }),
  person('eve@evil.example', { groups: ['guests', 'role:x', 'acme'], upn: 'eve@example.com', memberOf: ['staff'] }),
  person('bob@example.com', { groups: ['acme:core', 'core', 'a:b'] }),
  person('ann@sub.example.com', { groups: [' staff', 'staff,guests', '"staff"'] }),
  person('a@b@example.com', { groups: ['staff'] }),
  person('Ann@Example.com', { groups: ['Staff', '1', 'true', ''] }),
  person('x@notexample.com', { realm_access: { roles: ['', 'x:y'] }, groups: ['x'] }),
  person(undefined, { groups: ['staff'], upn: 'ann@example.com' }),
];

const requests: readonly Request[] = [
  ...['192.0.2.9', '198.51.100.9', '10.0.0.7'].map((network) => ({ method: 'GET', path: '/', network })),
  ...['/x', '/x/', '/x/y', '/admin', '/admin/x', '/X', '/public/x', '/a'].flatMap((path) =>
    ['GET', 'POST', 'OPTIONS'].map((method) => ({ method, path, network: '198.51.100.9' })),
  ),
  ...people.map((claims) => ({ method: 'GET', path: '/', network: '198.51.100.9', claims })),
];

const known = new Map<string, readonly Request[]>();

/** Returns the requests that the policy allows, decided by the code of the gateway. */
function allowedBy({ policy: text }: Reported): readonly Request[] {
  const before = known.get(text);
  if (before !== undefined) return before;
  const tests = requests.map(({ method, path, network, claims }) =>
    JSON.stringify({
      as: { network, ...(claims && { claims }) },
      [method]: `https://${HOST}${path}`,
      expect: 'allowed',
    }),
  );
  const { policy, errors } = parsePolicy(`${text}tests: [${tests.join(', ')}]\n`, 'p.yaml');
  expect(errors).toEqual([]);
  const ran = runTests({ policy: policy!, rules: compile(policy!) }, 1_800_000_000);
  const allowed = requests.filter((_, at) => ran[at]?.got === 'allowed');
  known.set(text, allowed);
  return allowed;
}

const wider = (report: Reported) => [...report.differs, ...report.notCarried].filter((it) => it.wider);

async function compare(given: Given, addresses?: readonly string[], emails?: string): Promise<Reported> {
  const report = await migrated(given, emails);
  const opened = allowedBy(report).filter((it) => !passes(given, it, addresses));
  if (opened.length > 0) expect(wider(report), JSON.stringify(opened)).not.toEqual([]);
  return report;
}

const spelled = (word: string): readonly string[] => [
  ...[word, word.toUpperCase(), ` ${word}`, `${word} `, `\t${word}`, `"${word}"`, `'${word}'`, `${word},`, `,${word}`],
  ...[`${word},guests`, `${word}\n${word}`, `${word}\u00a0`, `\ufeff${word}`, `[${word}]`, `"${word}`, `${word}x`],
];
const TRUTHS = [
  ...['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False', 'yes', 'on', 'tRUE', 'y'],
  ...['', ' ', 'true ', ' true', '"true"', 'no', 'off', '2', 'null', 'truе'],
];
const NETWORKS = [
  ...[
    '192.0.2.0/24',
    '192.0.2.9',
    '192.0.2.9/24',
    ' 192.0.2.9',
    '192.0.2.9 ',
    '192.0.2.0/24,192.0.2.0/25',
    '0.0.0.0/0',
  ],
  ...[
    '192.0.2.0/024',
    '192.0.2.09',
    '192.0.2.0/33',
    '192.0.2',
    'x',
    '192.0.2.0/24,x',
    '192.0.2.0/24,',
    '10.0.0.0/8,10.0.0.0/9',
  ],
];
const EXPRESSIONS = [
  ...['^/x$', '^/x', '/x', '^/x/', 'GET=^/x$', 'get=^/x$', ' GET=^/x$', 'GET =^/x$', 'GET!=^/x', '!=^/x', '=^/x$'],
  ...[
    'POST=^/public/',
    '^/(x|public)/',
    '(?i)^/x$',
    '^/x(?!/y)',
    '(',
    '^/(x)\\1$',
    '^/x$,(',
    '^/adm.n$',
    '^/a?$',
    'FOO=^/x$',
  ],
  ...[
    '^/x$ ',
    ' ^/x$',
    '^/X$',
    '^/x.*',
    '^/x/?$',
    '^/.+',
    '.*',
    '',
    '^',
    '$',
    '^/[ax]',
    '^/x|/y$',
    'GET=POST=^/x$',
    '^/x**',
  ],
];
const OF_KIND: Readonly<Record<string, readonly string[]>> = {
  list: [...spelled('staff'), 'role:x', '*', ''],
  bool: TRUTHS,
  text: [...spelled('email').slice(0, 8), 'x', ''],
  duration: ['1h', '90', '0', '1h30m', '1d', '1 h', '-1h', '', '1H', 'x'],
  number: ['1', '1.5', 'x', '', '-1'],
};
const OF_OPTION: Readonly<Record<string, readonly string[]>> = {
  'email-domain': [
    ...spelled('example.com'),
    ...spelled('*'),
    '.example.com',
    '*.example.com',
    '*example.com',
    '@example.com',
    '',
  ],
  'trusted-ip': NETWORKS,
  'trusted-proxy-ip': NETWORKS,
  'skip-auth-route': EXPRESSIONS,
  'skip-auth-regex': EXPRESSIONS,
  'api-route': EXPRESSIONS,
  provider: [...spelled('oidc'), 'keycloak-oidc', 'github', 'google', 'gitlab', 'bitbucket', 'keycloak', 'okta', ''],
  'oidc-email-claim': [...spelled('email'), 'upn', 'sub', 'groups', ''],
  'user-id-claim': [...spelled('email'), 'upn', 'sub', ''],
  'oidc-groups-claim': [...spelled('groups'), 'memberOf', ''],
  'oidc-audience-claim': ['aud', 'client_id', 'client_id,aud', 'aud,client_id', ' aud', 'AUD', ''],
  'oidc-enabled-signing-alg': ['RS256', 'HS256', 'HS256,RS256', 'none', 'rs256', 'ES256', ''],
  'cookie-samesite': ['lax', 'Lax', 'none', 'x', '', ' lax'],
  'real-client-ip-header': ['X-Forwarded-For', 'x-real-ip', 'X-Client', ' X-Real-IP', ''],
  'session-store-type': ['cookie', 'redis', 'Redis', 'file', ''],
};

const without = (key: string) => Object.fromEntries(Object.entries(BASE).filter(([it]) => it !== key));
const valuesOf = ({ flag, kind }: (typeof options)[number]) => OF_OPTION[flag] ?? OF_KIND[kind]!;

test('more than 60 options are tried, with more than 1000 values', () => {
  expect(options.length).toBeGreaterThan(60);
  expect(options.reduce((sum, it) => sum + valuesOf(it).length, 0)).toBeGreaterThan(1000);
});

describe.each(options.map((it) => [it.flag, it] as const))('--%s', (flag, option) => {
  const { key, kind } = option;
  test('of a flag never admits a request that oauth2-proxy refused, without a word', async () => {
    for (const value of valuesOf(option)) {
      await compare({ flags: [`--${flag}=${value}`], file: BASE });
      await compare({ flags: [`--${flag}`, value], file: { ...BASE, reverse_proxy: true } });
    }
    await compare({ flags: [`--${flag}`], file: BASE });
    await compare({ flags: [`--${key}=staff`], file: BASE });
    await compare({ flags: [`-${flag}=staff`], file: BASE });
    await compare({ flags: ['--', `--${flag}=*`], file: BASE });
    await compare({ flags: [`--${flag}=staff`, `--${flag}=guests`], file: BASE });
  });

  test('of a variable never admits a request that oauth2-proxy refused, without a word', async () => {
    for (const value of valuesOf(option)) {
      await compare({ variables: { [`OAUTH2_PROXY_${key.toUpperCase()}`]: value }, file: BASE });
    }
    for (const name of [flag.replaceAll('-', '_').toUpperCase(), key, `${key.toUpperCase()}_`]) {
      await compare({ variables: { [`OAUTH2_PROXY_${name}`]: kind === 'bool' ? 'true' : '*' }, file: BASE });
    }
  });

  test('of a file never admits a request that oauth2-proxy refused, without a word', async () => {
    const shapes = [1, 0, 2, true, false, [], [''], ['staff', 1], [true], [['staff']]];
    for (const value of [...valuesOf(option), ...valuesOf(option).map((it) => [it]), ...shapes]) {
      await compare({ file: { ...without(key), [key]: value } });
    }
    for (const name of [flag, key.toUpperCase(), `${key}_`]) {
      await compare({ file: { ...without(key), [name]: kind === 'list' ? ['*'] : 'true' } });
    }
  });
});

const email = { oidc_email_claim: 'upn' };
const kinds = ['oidc', 'keycloak-oidc', 'keycloak', 'gitlab', 'github', 'bitbucket', 'google', 'azure', 'cidaas'];
const restricting: readonly object[] = [
  { allowed_groups: ['staff'] },
  { allowed_roles: ['x'] },
  { allowed_roles: [''] },
  { keycloak_groups: ['staff'] },
  { gitlab_groups: ['staff'] },
  { gitlab_projects: ['a/b'] },
  { google_groups: ['staff'] },
  { github_org: 'acme' },
  { github_org: 'acme', github_team: 'core' },
  { github_org: 'x', github_team: 'acme:core' },
  { github_team: 'acme:core' },
  { github_team: 'core' },
  { github_users: ['bob'] },
  { bitbucket_team: 'acme' },
  { allowed_groups: ['role:x'] },
  email,
];

describe.each(kinds)('the provider %s', (provider) => {
  test.each(restricting.flatMap((one, at) => restricting.slice(at).map((other) => [{ ...one, ...other }])))(
    'with %j never admits a request that oauth2-proxy refused, without a word',
    async (settings) => {
      await compare({ file: { ...BASE, provider, email_domains: ['*'], ...settings } });
    },
  );
});

describe('precedence', () => {
  const groups = { ...BASE, email_domains: ['*'], allowed_groups: ['staff'] };

  test.each<[string, Given]>([
    ['a flag', { flags: ['--allowed-group=guests'], file: groups }],
    ['a variable', { variables: { OAUTH2_PROXY_ALLOWED_GROUPS: 'guests' }, file: groups }],
    [
      'a flag and a variable',
      { flags: ['--allowed-group=staff'], variables: { OAUTH2_PROXY_ALLOWED_GROUPS: 'guests' }, file: BASE },
    ],
    ['an empty variable', { variables: { OAUTH2_PROXY_ALLOWED_GROUPS: '' }, file: groups }],
    ['a variable with the name of the flag', { variables: { OAUTH2_PROXY_EMAIL_DOMAIN: '*' }, file: BASE }],
  ])('of %s is that of oauth2-proxy: the same people pass', async (_, given) => {
    const report = await compare(given);
    const is = ({ claims }: Request) => claims?.email === 'eve@evil.example' || claims?.email === 'ann@example.com';
    expect(allowedBy(report).filter(is)).toEqual(requests.filter((it) => is(it) && passes(given, it)));
  });
});

describe('the alpha configuration', () => {
  const provider = {
    id: 'a',
    provider: 'oidc',
    clientID: 'a',
    clientSecret: 'b',
    oidcConfig: { issuerURL: 'https://login.example.com' },
  };
  const { cookie_secret, email_domains, redirect_url } = BASE;
  const core = { cookie_secret, email_domains, redirect_url };

  test.each<[object, Given?]>([
    [{}],
    [{ allowedGroups: ['staff'] }],
    [{ allowedGroups: 'staff' }],
    [{ allowedGroups: [1] }],
    [{ allowedGroups: null }],
    [{ allowedGroup: ['staff'] }],
    [{ oidcConfig: { ...provider.oidcConfig, emailClaim: 'upn' } }],
    [{ oidcConfig: { ...provider.oidcConfig, userIDClaim: 'upn' } }],
    [{ oidcConfig: { ...provider.oidcConfig, insecureAllowUnverifiedEmail: 'true' } }],
    [{ oidcConfig: { ...provider.oidcConfig, insecureAllowUnverifiedEmail: true } }],
    [{ oidcConfig: { ...provider.oidcConfig, audienceClaims: ['client_id'] } }],
    [{ keycloakConfig: { roles: ['x'] } }],
    [{ provider: 'OIDC' }],
    [{}, { file: { ...core, provider: 'oidc' } }],
    [{}, { file: { ...core, allowed_groups: ['staff'] } }],
    [{}, { flags: ['--oidc-email-claim=email'], file: core }],
    [{ allowedGroups: ['staff'] }, { variables: { OAUTH2_PROXY_ALLOWED_GROUPS: 'guests' }, file: core }],
    [
      { oidcConfig: { ...provider.oidcConfig, emailClaim: 'upn' } },
      { variables: { OAUTH2_PROXY_OIDC_EMAIL_CLAIM: 'email' }, file: core },
    ],
  ])('%j with %j never admits a request that oauth2-proxy refused, without a word', async (members, given) => {
    await compare({ file: core, ...given, alpha: { ...provider, ...members } });
  });
});

test('a policy has only algorithms that oauth2-proxy accepts', async () => {
  const { policy } = await compare({ file: { ...BASE, oidc_enabled_signing_algs: ['ES256', 'HS256'] } });
  expect(parsePolicy(policy, 'p.yaml').policy?.providers.sso?.algorithms).toEqual(['ES256']);
});

test.each([
  ['ann@example.com\n', { authenticated_emails_file: '/e' }, ['ann@example.com']],
  ['ann@example.com\n', {}, []],
  ['ann@example.com,Ann\neve@evil.example\n', { authenticated_emails_file: '/e' }, []],
  ['ann@example.com,"x\neve@evil.example,y\n', { authenticated_emails_file: '/e' }, []],
])('a list of addresses %j with %j', async (emails, settings, addresses) => {
  await compare({ file: { ...BASE, email_domains: ['example.org'], ...settings } }, addresses, emails);
});
