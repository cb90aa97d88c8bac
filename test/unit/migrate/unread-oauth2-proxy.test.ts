/** Settings of oauth2-proxy that are not in the files: until the command has them, the policy admits no caller. */
import { expect, test } from 'vitest';
import { meshgate } from '../cli/fake.ts';
import { migrate, type Reported } from './case.ts';

const FLAGS = [
  ...['--provider=oidc', '--oidc-issuer-url=https://login.example.com', '--client-id=a', '--client-secret=b'],
  ...['--cookie-secret=0123456789abcdef', '--email-domain=*', '--upstream=http://app:8080/'],
  '--redirect-url=https://app.example.com/oauth2/callback',
];

const deployment = (flags: readonly string[] = [], container: object = {}) =>
  JSON.stringify({
    kind: 'Deployment',
    spec: {
      template: {
        spec: {
          containers: [{ name: 'oauth2-proxy', image: 'oauth2-proxy', args: [...FLAGS, ...flags], ...container }],
        },
      },
    },
  });

const configMap = (name: string, data: object) => JSON.stringify({ kind: 'ConfigMap', metadata: { name }, data });

const chart = (values: object) => {
  const extraArgs = Object.fromEntries(FLAGS.map((it) => it.slice(2).split('=')));
  return JSON.stringify({ extraArgs, ...values });
};

const secretVariables = { envFrom: [{ secretRef: { name: 'one' } }, { secretRef: { name: 'two' } }] };

const isClosed = ({ policy, toDo }: Reported): boolean =>
  policy.includes('fill-in@migrate.invalid') && toDo.some(({ text }) => text.includes('closed'));

test.each<[string, Readonly<Record<string, string>>]>([
  ['a word that is a variable of the container', { 'd.json': deployment(['$(FLAGS)']) }],
  ['a word that the shell replaces', { 'run.sh': `#!/bin/sh\noauth2-proxy ${FLAGS.join(' ')} "$@"\n` }],
  [
    'a configuration that no given ConfigMap has',
    {
      'd.json': deployment(['--config=/etc/proxy/settings']),
      'c.json': configMap('other', { 'nginx.cfg': 'cookie_name = "x"' }),
    },
  ],
  ['two Secrets, if one file of variables is given', { 'd.json': deployment([], secretVariables), 'one.env': 'A=b\n' }],
  [
    'a ConfigMap whose keys get a prefix',
    {
      'd.json': deployment([], { envFrom: [{ prefix: 'OAUTH2_PROXY_', configMapRef: { name: 'c' } }] }),
      'c.json': configMap('c', { ALLOWED_GROUPS: 'staff' }),
    },
  ],
  [
    'two files of a compose file, if one is given',
    {
      'compose.json': JSON.stringify({
        services: { proxy: { image: 'oauth2-proxy', command: FLAGS, env_file: ['a.env', 'b.env'] } },
      }),
      'a.env': 'A=b\n',
    },
  ],
  [
    'a service that a compose file extends',
    {
      'compose.json': JSON.stringify({
        services: { proxy: { image: 'oauth2-proxy', command: FLAGS, extends: { file: 'base.yaml', service: 'base' } } },
      }),
    },
  ],
  [
    'a service that a compose file extends, beside a file of variables',
    {
      'compose.json': JSON.stringify({
        services: { proxy: { image: 'oauth2-proxy', command: FLAGS, extends: 'base' } },
      }),
      'a.env': 'A=b\n',
    },
  ],
  [
    'a Kustomization',
    { 'd.json': deployment(), 'k.json': JSON.stringify({ kind: 'Kustomization', resources: ['d.json'] }) },
  ],
  [
    'a HelmRelease',
    { 'd.json': deployment(), 'k.json': JSON.stringify({ kind: 'HelmRelease', spec: { values: {} } }) },
  ],
  ['config.existingConfig of the chart', { 'values.json': chart({ config: { existingConfig: 'c' } }) }],
  ['config.google of the chart', { 'values.json': chart({ config: { google: { groups: ['staff'] } } }) }],
  ['a key of config that is not known', { 'values.json': chart({ config: { allowedGroups: ['staff'] } }) }],
  ['alphaConfig.existingConfig', { 'values.json': chart({ alphaConfig: { enabled: true, existingConfig: 'c' } }) }],
  ['alphaConfig.existingSecret', { 'values.json': chart({ alphaConfig: { enabled: true, existingSecret: 's' } }) }],
])('%s closes the policy, and the report says what is missing', async (_, files) => {
  expect(isClosed(await migrate({ command: 'oauth2-proxy', files }))).toBe(true);
});

test.each<[string, Readonly<Record<string, string>>]>([
  [
    'the ConfigMap of --config, whatever the name of the file',
    {
      'd.json': deployment(['--config=/etc/proxy/settings']),
      'c.json': configMap('c', { settings: 'allowed_groups = ["staff"]', 'other.cfg': 'skip_auth_routes = ["^/x/"]' }),
    },
  ],
  [
    'as many files of variables as Secrets',
    {
      'd.json': deployment([], secretVariables),
      'one.env': 'A=b\n',
      'two.env': 'OAUTH2_PROXY_ALLOWED_GROUPS=staff\n',
    },
  ],
  [
    'a variable that is a flag',
    { 'd.json': deployment(['$(G)'], { env: [{ name: 'G', value: '--allowed-group=staff' }] }) },
  ],
  [
    'config.existingConfig beside its ConfigMap',
    {
      'values.json': chart({ config: { existingConfig: 'c' } }),
      'c.json': configMap('c', { 'oauth2_proxy.cfg': 'allowed_groups = ["staff"]' }),
    },
  ],
])('%s is read: only the group passes, and no other file decides', async (_, files) => {
  const report = await migrate({ command: 'oauth2-proxy', files });
  expect(isClosed(report)).toBe(false);
  expect(report.policy).toContain('group: staff');
  expect(report.policy).not.toContain('anyone');
});

const compose = (environment: string) => `
x-common: &common
  OAUTH2_PROXY_ALLOWED_GROUPS: staff
services:
  proxy:
    image: oauth2-proxy
    command: ${JSON.stringify(FLAGS)}
    environment:
${environment}
`;

test('a variable that comes by a merge key is read', async () => {
  const files = { 'compose.yaml': compose('      <<: *common\n      OAUTH2_PROXY_COOKIE_NAME: a') };
  const report = await migrate({ command: 'oauth2-proxy', files });
  expect(report.policy).toContain('group: staff');
});

test('a variable without a value, which Docker takes from its shell, closes the policy', async () => {
  const report = await migrate({
    command: 'oauth2-proxy',
    files: { 'compose.yaml': compose('      OAUTH2_PROXY_ALLOWED_GROUPS:') },
  });
  expect(report.policy).toContain('fill-in@migrate.invalid');
});

test('a merge key after other keys, which programs read in different ways, gives no policy', async () => {
  const files = { 'compose.yaml': compose('      OAUTH2_PROXY_ALLOWED_GROUPS: all\n      <<: *common') };
  const ran = await meshgate(['migrate', 'oauth2-proxy', 'compose.yaml'], { files });
  expect(ran).toMatchObject({ code: 1, out: '' });
  expect(ran.err).toContain('compose.yaml:10: not YAML that all programs read alike');
});

test('a path without the slash at its end stays closed beside an open folder', async () => {
  const flags = ['--upstream=http://app:8080/x/', '--skip-auth-route=^/x/'];
  const args = [...FLAGS.filter((it) => !it.startsWith('--upstream')), ...flags];
  const { policy } = await migrate({
    command: 'oauth2-proxy',
    files: { 'run.sh': `#!/bin/sh\noauth2-proxy ${args.join(' ')}\n` },
  });
  expect(policy).toMatch(/\/x\/\*:[^/]*anyone/);
  expect(policy).toMatch(/\n {4}\/x:(?![^/]*anyone)/);
});
