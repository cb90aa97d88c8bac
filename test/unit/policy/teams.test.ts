import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { toTable } from '../../../src/rules/table/table.ts';
import { ATTEMPTS } from './team-attempts.ts';
import { errorsIn, OPS, PAY, PLATFORM, parseTexts, policyIn } from './team-policy.ts';

test('a policy with the files of two teams is valid', () => {
  expect(errorsIn({})).toEqual([]);
});

describe('a team cannot reach beyond its grant', () => {
  test.each(ATTEMPTS.map((attempt) => [attempt[0], attempt] as const))('%s', (_, [, from, to, says, below = 0]) => {
    expect(PAY.split(from)).toHaveLength(2);
    const before = PAY.slice(0, PAY.indexOf(from));
    const line = before.split('\n').length + below;
    const errors = errorsIn({ pay: PAY.replace(from, () => to) });
    expect(errors.join('\n')).toContain(says);
    for (const error of errors) expect(error).toMatch(/^\S+:\d+:\d+ (?:\(\S+\) )?team pay/);
    expect(errors.find((error) => error.includes(says))).toMatch(
      new RegExp(`^teams/pay\\.yaml:${line}:\\d+ (?:\\(profiles/\\S+\\) )?team pay`),
    );
  });
});

/** A mistake in the policy: the text, what stands in its place, and the error. */
const GRANTS: readonly (readonly [what: string, from: string, to: string, says: string])[] = [
  ['an absolute path', 'file: teams/pay.yaml', 'file: /etc/passwd', 'write a relative path without ..'],
  [
    'a path that leaves the folder',
    'file: teams/pay.yaml',
    'file: teams/../../x.yaml',
    'write a relative path without ..',
  ],
  [
    'the path of another team',
    'file: teams/pay.yaml',
    'file: teams/ops.yaml',
    '"teams/ops.yaml" overlaps "teams/ops.yaml" of team pay',
  ],
  [
    'a file that does not exist',
    'file: teams/pay.yaml',
    'file: teams/no.yaml',
    'teams.pay.file: cannot read "teams/no.yaml": there is no such file',
  ],
  [
    'a host twice',
    'hosts: [ops.example.com]',
    'hosts: [pay.example.com]',
    '"pay.example.com" overlaps "pay.example.com" of team pay; grant it to one team',
  ],
  [
    'a host below the wildcard of another team',
    'hosts: [ops.example.com]',
    'hosts: [a.pay.example.com]',
    '"a.pay.example.com" overlaps "*.pay.example.com" of team pay',
  ],
  [
    'a wildcard over the hosts of another team',
    'hosts: [ops.example.com]',
    'hosts: ["*.example.com"]',
    '"*.example.com" overlaps "pay.example.com" of team pay',
  ],
  [
    'a host that the policy defines',
    'hosts: [ops.example.com]',
    'hosts: [ops.example.com, wiki.example.com]',
    'this policy itself defines the host "wiki.example.com"',
  ],
  [
    'the host where people sign in',
    'hosts: [ops.example.com]',
    'hosts: [ops.example.com, auth.example.com]',
    'it covers "auth.example.com", where people sign in',
  ],
  [
    'a role that the policy defines',
    'services: [ops-*]',
    'services: [ops-*]\n    roles: [staff]',
    'this policy itself defines the role "staff"',
  ],
  [
    'a role that belongs to another team by its name',
    'services: [ops-*]',
    'services: [ops-*]\n    roles: [pay.x]',
    'roles that begin with pay. are those of team pay',
  ],
  [
    'services that begin like those of another team',
    'services: [ops-*]',
    'services: [ops-*, pay-ops-*]',
    '"pay-ops-*" overlaps "pay-*" of team pay',
  ],
  [
    'a service for two teams',
    'services: [ops-*]',
    'services: [ops-*, search]',
    '"search" overlaps "search" of team pay',
  ],
  [
    'services that begin with any letters',
    'services: [ops-*]',
    'services: ["*"]',
    'write a name, or the beginning of names with a dash and a star',
  ],
  [
    'the namespace of an ingress',
    'namespaces: [ops]',
    'namespaces: [istio-system]',
    'an ingress of the mesh runs in namespace "istio-system"',
  ],
  ['a namespace twice', 'namespaces: [ops]', 'namespaces: [ops, pay]', '"pay" overlaps "pay" of team pay'],
  [
    'an address in the namespace of another team',
    '["ops.internal:8443"]',
    '["web.pay.svc.cluster.local"]',
    'overlaps a namespace of team pay',
  ],
  [
    'all addresses of the cluster',
    '["ops.internal:8443"]',
    '["*.svc.cluster.local"]',
    'overlaps a namespace of team pay',
  ],
  [
    'a provider that does not exist',
    'providers: [okta, ci]\n    id',
    'providers: [okta, gitlab]\n    id',
    'no provider "gitlab"',
  ],
  ['an identity that does not exist', '[default, wiki-editor]', '[default, ops]', 'no identity "ops"'],
  ['a permission that does not exist', 'may: [anyone,', 'may: [everything,', '"everything" is not known here'],
  [
    'a role that belongs to a team',
    '  deployer: {',
    '  pay.deployer: { group: x, provider: okta }\n  deployer: {',
    'roles that begin with pay. are those of team pay',
  ],
  [
    'roles that begin like the name of another team',
    'teams:\n',
    'teams:\n  ops-tools: { file: teams/tools.yaml, hosts: [tools.example.com], roles: [o-*, op-x, "ops-*"] }\n  ops-core: { file: teams/core.yaml, hosts: [core.example.com] }\n',
    'roles that begin with ops-core. are those of team ops-core; grant another name',
  ],
];

describe('a grant', () => {
  test.each(GRANTS)('cannot have %s', (_, from, to, says) => {
    expect(PLATFORM.split(from)).toHaveLength(2);
    const errors = errorsIn({ platform: PLATFORM.replace(from, () => to) });
    expect(errors.find((error) => error.includes(says))).toMatch(
      /^m\.yaml:\d+:\d+ (?:teams\.(?:pay|ops|"ops-tools")\.|roles\.)/,
    );
  });

  test('names each role of the policy that a team may use, and none is unused because no file names it', () => {
    const platform = PLATFORM.replace('roles:\n', 'roles:\n  unused: { group: unused, provider: okta }\n');
    expect(errorsIn({ platform })).toEqual([]);
  });

  test('reads no file without the function that reads files', () => {
    expect(parsePolicy(PLATFORM, 'm.yaml').errors.map(formatError)).toEqual([
      expect.stringContaining('teams.pay.file: cannot read "teams/pay.yaml"'),
      expect.stringContaining('teams.ops.file: cannot read "teams/ops.yaml"'),
    ]);
  });
});

describe('the file of a team', () => {
  test('gives its name to its roles, services and hosts, and the policy gives none', () => {
    const { roles, services, hosts } = policyIn({});
    const teams = (all: readonly { readonly name: string; readonly team?: string }[]) =>
      Object.fromEntries(all.map(({ name, team }) => [name, team]));
    expect(teams(hosts)).toEqual({ 'wiki.example.com': undefined, 'pay.example.com': 'pay', 'ops.example.com': 'ops' });
    expect(teams(Object.values(roles))).toMatchObject({ staff: undefined, 'pay.clerk': 'pay', 'ops.admin': 'ops' });
    expect(teams(Object.values(services))).toMatchObject({ search: undefined, 'pay-web': 'pay', 'ops-api': 'ops' });
  });

  test('tells the gateway whose roles are whose', () => {
    const policy = policyIn({});
    const { teams, routes } = toTable(policy, compile(policy), { egress: '/run/egress.sock' });
    expect(teams).toEqual({ 'pay.clerk': 'pay', 'ops.admin': 'ops', 'ops.release': 'ops' });
    expect(routes['pay.example.com/*']?.team).toBe('pay');
    expect(routes['wiki.example.com/*']).not.toHaveProperty('team');
  });

  test('leads to a service that the policy defines for the team', () => {
    const { hosts } = policyIn({
      pay: PAY.replace(
        '/*: { service: pay-web',
        '/find/*: { service: search, allow: [staff] }\n    /*: { service: pay-web',
      ),
    });
    expect(hosts.flatMap(({ routes }) => routes.map(({ name, service }) => `${name} ${service}`))).toContain(
      'pay.example.com/find/* search',
    );
  });

  test('has names that the policy and other teams cannot use', () => {
    const [before = '', after = ''] = PLATFORM.split('allow: [staff] }\n');
    const errors = errorsIn({ platform: `${before}allow: [staff, pay.clerk] }\n${after}` });
    expect(errors).toEqual([
      expect.stringMatching(/^m\.yaml:\d+:\d+ hosts\."wiki\.example\.com".*no role "pay\.clerk"/),
    ]);
  });

  test('has anchors of its own', () => {
    const pay = PAY.replace(
      '    /*: {',
      '    /a: &route { service: pay-web, allow: [staff] }\n    /b: *route\n    /*: {',
    );
    expect(policyIn({ pay }).hosts[1]?.routes.map(({ name }) => name)).toEqual([
      'pay.example.com/a',
      'pay.example.com/b',
      'pay.example.com/*',
    ]);
  });

  test('contains the variables that are granted, and others keep their value out of the errors', () => {
    const stage = {
      variables: new Map([
        ['STAGE', 'prod'],
        ['OTHER', 'hidden-value'],
      ]),
    };
    const withName = (name: string) => OPS.replace('web.ops.svc.cluster.local', () => name);
    const withVariable = withName('"${STAGE}.ops.svc.cluster.local"');
    expect(parseTexts({ ops: withVariable }, stage).policy?.services['ops-web']?.authority).toBe(
      'prod.ops.svc.cluster.local',
    );
    const [error, ...others] = errorsIn({ ops: withName('"${OTHER}.ops.svc.cluster.local"') }, stage);
    expect(others).toEqual([]);
    expect(error).toContain('the variable OTHER is not granted to team ops');
    expect(error).not.toContain('hidden-value');
  });

  test('is valid or not whatever the file of another team contains', () => {
    const broken = 'hosts: { pay.example.com: [';
    const alone = errorsIn({ pay: PAY.replace('service: pay-web', 'service: wiki') });
    const both = errorsIn({ pay: PAY.replace('service: pay-web', 'service: wiki'), ops: broken });
    expect(both.filter((error) => error.includes('team pay'))).toEqual(alone);
    expect(both.filter((error) => error.includes('team ops'))).toHaveLength(1);
  });

  test('reports a syntax error with the team, and the sections that can be read', () => {
    const errors = errorsIn({ pay: `${PAY}  - { as: nobody, GET: [ }\n`.replace('namespace: pay', 'namespace: wiki') });
    expect(errors).toEqual([
      expect.stringMatching(/^teams\/pay\.yaml:4:\d+ team pay services\."pay-web"\.namespace: /),
      expect.stringMatching(/^teams\/pay\.yaml:11:\d+ team pay: not YAML/),
    ]);
  });

  test.each([
    [
      '',
      'a team’s file is a mapping with roles, services, hosts, profiles, tests; write at least hosts below this line',
    ],
    ['- a', 'a team’s file is a mapping'],
    ['hosts: []', 'write the names of hosts, each with its own mapping, below it'],
    ['tests: {}', 'write a list of tests below it'],
  ])('cannot be %j', (pay, says) => {
    expect(errorsIn({ pay })).toEqual([expect.stringContaining(`team pay`)]);
    expect(errorsIn({ pay })[0]).toContain(says);
  });

  test('can define and name no service if the policy grants none', () => {
    const without = PLATFORM.replace('    services: [pay-*, search]\n', '');
    expect(errorsIn({ platform: without, pay: 'version: 1' })).toEqual([]);
    const errors = errorsIn({ platform: without });
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors)
      expect(error).toMatch(/ask the owners of the policy to add \S+ to teams\.pay\.services$/);
  });

  test('can leave everything out but a comment with the version', () => {
    expect(policyIn({ pay: 'version: 1 # nothing yet' }).hosts.map(({ name }) => name)).not.toContain(
      'pay.example.com',
    );
  });
});

describe('a profile in the file of a team', () => {
  const use = (name: string, host = 'app.pay.example.com') =>
    `profiles: [{ use: ${name}, host: ${host}, service: pay-web }]\n${PAY}`;
  const granted = (more: string) => PLATFORM.replace('namespaces: [pay]', `namespaces: [pay]\n    ${more}`);

  test('becomes a part of the file', () => {
    const { hosts, roles } = policyIn({ platform: granted('roles: [app-*]'), pay: use('named') });
    expect(hosts.find(({ name }) => name === 'app.pay.example.com')?.team).toBe('pay');
    expect(roles['app-users']?.team).toBe('pay');
  });

  test('has the permissions of the team', () => {
    const platform = granted('may: [anyone]');
    const { hosts } = policyIn({ platform, pay: use('small') });
    expect(hosts.find(({ name }) => name === 'app.pay.example.com')?.routes).toHaveLength(2);
  });

  test('has its errors in the file of the team, and names the line of the profile', () => {
    const [error, ...others] = errorsIn({ pay: use('small') });
    expect(others).toEqual([]);
    expect(error).toMatch(/^teams\/pay\.yaml:1:\d+ \(profiles\/small\.yaml:10:\d+\) team pay /);
  });

  test('can use a service of the policy that the grant names, and no other', () => {
    const platform = granted('may: [anyone]');
    const of = (service: string) => ({
      platform,
      pay: use('small').replace('service: pay-web }', `service: ${service} }`),
    });
    const { hosts } = policyIn(of('search'));
    expect(hosts.find(({ name }) => name === 'app.pay.example.com')?.routes[0]?.service).toBe('search');
    expect(errorsIn(of('wiki'))).toEqual([expect.stringContaining('the service "wiki" is not granted to team pay')]);
    expect(errorsIn(of('ops-web'))).toEqual([expect.stringContaining('no service "ops-web"')]);
  });

  test('that does not exist is an error', () => {
    expect(errorsIn({ pay: use('smal') })).toEqual([
      expect.stringContaining('team pay profiles[0].use: no profile "smal"; did you mean "small"?'),
    ]);
    expect(errorsIn({ pay: `profiles: {}\n${PAY}` })).toEqual([expect.stringContaining('team pay profiles')]);
  });
});

describe('a default of the grant', () => {
  const granted = (from: string, to: string, pay = PAY) => errorsIn({ platform: PLATFORM.replace(from, to), pay });

  test('without the default identity, each rule of the mesh names another', () => {
    const grant = 'namespaces: [pay]\n    identities: [wiki-editor]';
    expect(granted('namespaces: [pay]', grant)).toEqual([
      expect.stringContaining('allow[0]: the identity "default" is not granted to team pay; write as: wiki-editor'),
      expect.stringContaining('allow[1]: the identity "default" is not granted'),
    ]);
    const named = PAY.replace(
      '[staff, pay.clerk] }',
      '[{ role: staff, as: wiki-editor }, { role: pay.clerk, as: wiki-editor }] }',
    );
    expect(granted('namespaces: [pay]', grant, named)).toEqual([]);
  });

  test('without providers, a team may not name one of several', () => {
    expect(granted('namespaces: [pay]\n    providers: [okta]', 'namespaces: [pay]')).toEqual([
      expect.stringContaining('the provider "okta" is not granted to team pay; ask the owners'),
      expect.stringContaining('hosts."pay.example.com".providers[0]'),
    ]);
  });
});
