/** Random configurations: the command never fails with an exception, and what it prints is a valid policy. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { optionsByFlag, optionsByKey } from '../../../src/migrate/oauth2-proxy/options.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { holds } from '../../harness/property.ts';
import { meshgate } from '../cli/fake.ts';
import type { Reported } from './case.ts';
import { ingress } from './ingress-nginx/manifest.ts';
import { names } from './ingress-nginx/names.ts';

const values = fc.oneof(
  fc.constantFrom(
    ...[
      '',
      '*',
      'true',
      'false',
      '0',
      '168h',
      '1h30m',
      '-1s',
      'example.com',
      '.example.com',
      'ann@example.com',
      'null',
    ],
    ...[
      'http://a:80',
      'http://a/b/',
      'https://10.0.0.1',
      'https://[::1]:9',
      'file:///x/#/y/',
      'static://202',
      'unix:///s',
    ],
    ...[
      '^/x$',
      'GET=^/a/',
      'PUT!=^/b',
      '/c',
      '^/C$',
      '^/(a|b)/',
      '(',
      '10.0.0.0/8',
      '0.0.0.0/0',
      '::1',
      '2001:db8::/32',
    ],
    ...[
      'https://login.example.com',
      'https://login.microsoftonline.com/common/v2.0',
      'https://a.okta.com',
      'keycloak-oidc',
    ],
    ...[
      'https://h.example.com/oauth2/callback',
      'http://127.0.0.1/cb',
      'https://x.eu.auth0.com',
      'google',
      'github',
      'oidc',
    ],
    ...[
      'azure',
      'gitlab',
      'login.gov',
      'https://sso/realms/a/',
      'a b c',
      '${HOME}',
      '$(X)',
      '/run/x',
      'role:a:b',
      '💥',
      '\'"',
      '\n',
    ],
    ...['https://token.actions.githubusercontent.com=x', 'https://accounts.google.com=y', 'https://a.example=b', 'a='],
  ),
  fc.string(),
  fc.string({ unit: 'binary' }),
);

const settings = fc.array(
  fc.tuple(
    fc.constantFrom(...optionsByFlag.keys(), ...optionsByKey.keys()),
    fc.array(values, { minLength: 1, maxLength: 3 }),
  ),
  {
    maxLength: 12,
  },
);

const toml = (all: readonly (readonly [string, readonly string[]])[]) =>
  [...new Map(all)]
    .map(
      ([name, list]) =>
        `${name.replaceAll('-', '_')} = ${list.length > 1 ? JSON.stringify(list) : JSON.stringify(list[0])}\n`,
    )
    .join('');

async function runs(files: Readonly<Record<string, string>>, command = 'oauth2-proxy'): Promise<void> {
  const ran = await meshgate(['migrate', command, ...Object.keys(files)], { files });
  expect(ran.err).not.toMatch(/Error: |at \w+ \(/);
  expect([0, 1]).toContain(ran.code);
  if (ran.code === 0) expect(parsePolicy(ran.out, 'x').errors).toEqual([]);
}

test('every configuration of oauth2-proxy gives a valid policy', async () => {
  await holds(
    fc.asyncProperty(settings, async (all) => {
      const files = { 'a.cfg': `# oauth2-proxy\nauth_logging = true\n${toml(all)}` };
      const ran = await meshgate(['migrate', 'oauth2-proxy', ...Object.keys(files)], { files });
      // A string of TOML cannot contain some control characters.
      if (ran.err.includes('not TOML')) return;
      expect(ran.err).not.toContain('no policy');
      expect(ran.code).toBe(0);
      expect(parsePolicy(ran.out, 'x').errors).toEqual([]);
    }),
    100,
  );
});

test('flags and variables give a valid policy, too', async () => {
  await holds(
    fc.asyncProperty(settings, fc.boolean(), async (all, asFlags) => {
      const lines = all.flatMap(([name, list]) =>
        list.map((it) =>
          asFlags ? `--${name}='${it}'` : `OAUTH2_PROXY_${name.replaceAll('-', '_').toUpperCase()}=${it}`,
        ),
      );
      await runs({
        [asFlags ? 'run.sh' : '.env']:
          `${asFlags ? '#!/bin/sh\noauth2-proxy ' : 'A=1\n'}${lines.join(asFlags ? ' ' : '\n')}`,
      });
    }),
    60,
  );
});

const keys = fc.constantFrom(
  ...[
    'kind',
    'items',
    'spec',
    'metadata',
    'containers',
    'args',
    'env',
    'name',
    'value',
    'services',
    'environment',
    'command',
  ],
  ...[
    'image',
    'providers',
    'upstreamConfig',
    'upstreams',
    'injectRequestHeaders',
    'values',
    'claimSource',
    'claim',
    'config',
  ],
  ...[
    'extraArgs',
    'alphaConfig',
    'configData',
    'configFile',
    'data',
    'server',
    'loginURLParameters',
    'default',
    'path',
    'uri',
  ],
);

const { tree } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    values,
    fc.constant(null),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom('Deployment', 'List', 'ConfigMap'),
  ),
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    tie('leaf'),
    fc.dictionary(keys, tie('tree'), { maxKeys: 5 }),
    fc.array(tie('tree'), { maxLength: 3 }),
  ),
}));

test('every YAML is read without an exception', async () => {
  await holds(
    fc.asyncProperty(tree, async (value) => runs({ 'a.yaml': `# a file\n${JSON.stringify(value)}` })),
    100,
  );
});

test('every text is read without an exception', async () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('a: &a [*a]', 'x = [', '--- \n...\n', '- - - -', '!!binary x'),
  );
  await holds(
    fc.asyncProperty(texts, async (text) => runs({ a: text })),
    100,
  );
});

const annotation = fc.oneof(
  values,
  fc.constantFrom(
    ...[
      'true',
      'any',
      'basic',
      '10',
      '0',
      '-5',
      '1e9',
      '8m',
      '99999g',
      '/$1',
      '/$2',
      'HTTPS',
      'FCGI',
      'apps/ca',
      'optional',
    ],
    ...[
      'http://x/oauth2/auth?allowed_groups=a,b',
      'https://a/verify',
      'deny all;',
      'more_set_headers "a: b";',
      'CN=a.example',
      '*',
    ],
    ...['https://*.example.com, https://a.example', 'X-Auth-Request-User, Authorization, Host', 'a.example.com, ~^b$'],
  ),
);

const paths = fc.array(
  fc.tuple(
    fc.constantFrom('a.example.com', '*.example.com', '', 'A.example.com', '10.0.0.1'),
    fc.constantFrom(
      '/',
      '/a',
      '/A',
      '/a/',
      '/a(/|$)(.*)',
      '/(.*)',
      '/.*\\.php$',
      '/oauth2',
      '',
      '/a//b',
      '/.meshgate/x',
      '/[a-z]+/x',
    ),
    fc.constantFrom('app', 'oauth2-proxy', 'App_1', ''),
    fc.constantFrom<number | string>(80, 'http', 'x', 0, 99_999),
    fc.constantFrom('Prefix', 'Exact', 'ImplementationSpecific', 'Other'),
  ),
  { maxLength: 4 },
);

const ingresses = fc.array(fc.tuple(fc.dictionary(fc.constantFrom(...names), annotation, { maxKeys: 8 }), paths), {
  minLength: 1,
  maxLength: 4,
});

const OAUTH2_PROXY = `provider = "oidc"
oidc_issuer_url = "https://login.example.com"
client_id = "a"
email_domains = ["example.com"]
trusted_ips = ["10.0.0.0/8"]
skip_jwt_bearer_tokens = true
extra_jwt_issuers = ["https://ci.example.com=a"]
`;

test('all Ingresses give a valid policy, and no annotation is silent', async () => {
  await holds(
    fc.asyncProperty(ingresses, fc.boolean(), async (all, hasProxy) => {
      const text = all.map(([annotations, list], index) => ingress(`i${index}`, annotations, list)).join('');
      const files = { 'i.yaml': text, 'o.cfg': OAUTH2_PROXY };
      const proxy = hasProxy ? ['--oauth2-proxy', 'o.cfg'] : [];
      const ran = await meshgate(['migrate', 'ingress-nginx', '--json', ...proxy, 'i.yaml'], { files });
      expect(ran.err).toBe('');
      const report = JSON.parse(ran.out) as Reported;
      expect(parsePolicy(report.policy, 'x').errors).toEqual([]);
      const reported = new Set([...report.carried, ...report.notCarried].map(({ option }) => option));
      const silent = all.flatMap(([annotations], index) =>
        Object.keys(annotations).filter((name) => !reported.has(`apps/i${index} ${name}`)),
      );
      expect(silent).toEqual([]);
    }),
    80,
  );
});

test('every YAML is read without an exception, as an Ingress too', async () => {
  await holds(
    fc.asyncProperty(tree, async (value) =>
      runs(
        { 'a.yaml': `# a file\n${JSON.stringify({ kind: 'Ingress', spec: value, metadata: value })}` },
        'ingress-nginx',
      ),
    ),
    60,
  );
});

const restricting = fc.constantFrom<Readonly<Record<string, string>>>(
  { 'auth-url': 'https://$host/oauth2/auth' },
  { 'auth-url': 'http://authz.example/verify', satisfy: 'any' },
  { 'auth-type': 'basic', 'auth-secret': 'a' },
  { 'auth-type': 'digest' },
  { 'whitelist-source-range': '192.0.2.0/24' },
  { 'whitelist-source-range': 'nonsense' },
  { 'denylist-source-range': '192.0.2.0/24' },
  { 'auth-tls-secret': 'a/b', 'auth-tls-verify-client': 'on' },
  { 'configuration-snippet': 'deny all;' },
  { 'server-snippet': 'if ($a) { return 403; }' },
  { 'nginx.example.com/auth-url': 'x' },
);

test('no path of an Ingress that restricts access is open to anyone', async () => {
  await holds(
    fc.asyncProperty(ingresses, restricting, fc.boolean(), async ([[others = {}, list] = [{}, []]], own, hasProxy) => {
      const files = { 'i.yaml': ingress('a', { ...others, ...own }, list), 'o.cfg': OAUTH2_PROXY };
      const proxy = hasProxy ? ['--oauth2-proxy', 'o.cfg'] : [];
      const ran = await meshgate(['migrate', 'ingress-nginx', ...proxy, 'i.yaml'], { files });
      expect(ran.out).not.toContain('anyone');
    }),
    80,
  );
});
