import { describe, expect, test } from 'vitest';
import { expandPolicy, formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest } from '../../../src/rules/digest.ts';
import { profileFiles } from '../../harness/profiles.ts';

/** A profile for tests: a paste bin whose administrators may be asked to sign in again. */
const PASTES = `profile: 1
about: The paste bin
roles:
  user: { about: People who read. }
  admin: { about: People who delete., default: { group: root } }
options:
  open: { about: Anyone may read., default: false }
  fresh: { about: How recent the sign-in of an administrator must be. }
  identity: { about: The identity for administrators. }
  group: { about: The name of the role of people., default: pastes-users }
policy:
  roles:
    $options.group: { any: [$roles.user] }
    pastes-admins: { any: [$roles.admin] }
  hosts:
    $host:
      headers: { X-Pastes-User: subject, X-Pastes-Origin: { claim: origin } }
      /*: { service: $service, allow: [$options.group] }
      /admin/*: { service: $service, allow: [{ role: pastes-admins, as: $options.identity }] }
      /upload/*: { service: $service, proxy: { max_body: 1g }, allow: [$options.group] }
with:
  fresh:
    roles: { pastes-admins: { all: [{ any: [$roles.admin] }, { max_age: $options.fresh }] } }
  open:
    hosts:
      $host:
        /*: { allow: [anyone] }
`;

const BASE = `version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://p] }
roles:
  staff: { group: staff }
services:
  pastes: { url: https://pastes.internal:8443 }
`;

const USE = 'use: pastes, host: p.example.com, service: pastes';
const STAFF = 'roles: { user: staff }';

interface Given {
  readonly profile?: string;
  readonly overlay?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

const stage = ({ profile = PASTES, overlay, variables = {} }: Given) => ({
  overlays: overlay === undefined ? [] : [{ name: 'prod.yaml', text: overlay }],
  variables: new Map(Object.entries(variables)),
  profiles: {
    names: () => ['pastes', 'wiki'],
    read: (use: string) =>
      use === 'pastes' || use === './own.yaml'
        ? { name: `${use}.yaml`, text: profile }
        : { mistake: `cannot read the profile ${use}: there is no such file` },
  },
});

const read = (text: string, given: Given = {}) => parsePolicy(text, 'm.yaml', stage(given));
const errors = (text: string, given: Given = {}) => read(text, given).errors.map(formatError);

function policy(text: string, given: Given = {}) {
  const found = read(text, given);
  expect(found.errors.map(formatError)).toEqual([]);
  return found.policy!;
}

const expanded = (text: string, given: Given = {}) => expandPolicy({ name: 'm.yaml', text }, stage(given));

/** The base policy with the entries of `profiles`, and with more text after them. */
const using = (uses: string, more = '') => `${BASE}profiles: [${uses}]\n${more}`;

const allowed = (text: string, given: Given = {}) =>
  Object.fromEntries(
    policy(text, given).hosts.flatMap(({ routes }) =>
      routes.map(({ name, allow }) => [name, allow.map(({ who }) => ('role' in who ? who.role : who.kind)).join()]),
    ),
  );

describe('a profile', () => {
  test('writes hosts, routes, roles and headers with its parameters', () => {
    const { hosts, roles } = policy(using(`{ ${USE}, ${STAFF} }`));
    expect(hosts.map(({ name }) => name)).toEqual(['p.example.com']);
    expect(hosts[0]?.routes.map(({ name, service }) => [name, service])).toEqual([
      ['p.example.com/*', 'pastes'],
      ['p.example.com/admin/*', 'pastes'],
      ['p.example.com/upload/*', 'pastes'],
    ]);
    expect(hosts[0]?.routes[2]?.proxy?.maxBody).toBe(2 ** 30);
    expect(hosts[0]?.routes[0]?.headers).toMatchObject({ 'X-Pastes-User': 'subject' });
    expect(roles['pastes-users']?.fact).toMatchObject({ op: 'any', facts: [{ op: 'role', value: 'staff' }] });
  });

  test('takes a fact, or a list of facts, for a role', () => {
    const { roles } = policy(using(`{ ${USE}, roles: { user: [staff, { group: guests }], admin: { group: ops } } }`));
    expect(roles['pastes-users']?.fact).toMatchObject({
      facts: [{ value: 'staff' }, { op: 'group', value: 'guests' }],
    });
    expect(roles['pastes-admins']?.fact).toMatchObject({ facts: [{ op: 'group', value: 'ops' }] });
  });

  test('has the default of a role that the policy does not set', () => {
    const { roles } = policy(using(`{ ${USE}, ${STAFF} }`));
    expect(roles['pastes-admins']?.fact).toMatchObject({ facts: [{ op: 'group', value: 'root' }] });
  });

  test('adds the parts of the options that are set, and only these', () => {
    expect(allowed(using(`{ ${USE}, ${STAFF}, options: { open: true } }`))['p.example.com/*']).toBe(
      'pastes-users,anyone',
    );
    expect(allowed(using(`{ ${USE}, ${STAFF}, options: { open: false } }`))['p.example.com/*']).toBe('pastes-users');
    const { roles } = policy(using(`{ ${USE}, ${STAFF}, options: { fresh: 15m } }`));
    expect(roles['pastes-admins']?.fact).toMatchObject({ op: 'all', facts: [{}, { op: 'max_age', value: 900 }] });
  });

  test('adds the elements of lists once, and after those that are there', () => {
    const profile = PASTES.replace('/*: { allow: [anyone] }', '/*: { allow: [$options.group, pastes-admins, anyone] }');
    const text = using(`{ ${USE}, ${STAFF}, options: { open: true } }`);
    expect(allowed(text, { profile })['p.example.com/*']).toBe('pastes-users,pastes-admins,anyone');
  });

  test('adds the parts of a role that need not be set', () => {
    const profile = PASTES.replace(
      'options:',
      '  guest: { about: People who look., required: false }\noptions:',
    ).replace(
      'with:',
      'with:\n  guest: { roles: { guests: { any: [$roles.guest] } }, hosts: { $host: { /*: { allow: [guests] } } } }',
    );
    expect(allowed(using(`{ ${USE}, ${STAFF} }`), { profile })['p.example.com/*']).toBe('pastes-users');
    const text = using(`{ ${USE}, roles: { user: staff, guest: { group: g } } }`);
    expect(allowed(text, { profile })['p.example.com/*']).toBe('pastes-users,guests');
  });

  test('names a role by an option, so that two hosts can have different people', () => {
    const two = `{ ${USE}, ${STAFF} }, { use: pastes, host: q.example.com, service: pastes, roles: { user: { group: q } }, options: { group: q-users } }`;
    expect(allowed(using(two))).toMatchObject({ 'p.example.com/*': 'pastes-users', 'q.example.com/*': 'q-users' });
  });

  test('cannot write another value where a second profile writes one', () => {
    const two = `{ ${USE}, ${STAFF} }, { use: pastes, host: q.example.com, service: pastes, roles: { user: { group: q } } }`;
    expect(errors(using(two))).toEqual([
      'm.yaml:9:91 (pastes.yaml:13:21) roles."pastes-users": two profiles write different values here; set an option of one of them, or write the value into the policy',
    ]);
  });

  test('can be a copy of your own', () => {
    const own = PASTES.replace('/upload/*:', '/send/*:');
    const uses = `{ use: ./own.yaml, host: p.example.com, service: pastes, ${STAFF} }`;
    expect(Object.keys(allowed(using(uses), { profile: own }))).toContain('p.example.com/send/*');
  });

  test('keeps the digest and the rules when the expanded policy is read instead', () => {
    const uses = `{ ${USE}, ${STAFF}, options: { fresh: 15m } }`;
    const more = 'hosts: { p.example.com: { /x: { service: pastes, allow: [staff] }, /upload/*: null } }\n';
    const text = using(uses, more);
    const entire = expanded(text);
    expect(entire).not.toContain('profiles');
    const [a, b] = [policy(text), parsePolicy(entire, 'whole.yaml').policy!];
    const ids = (it: typeof a) => compile(it).map(({ id }) => id);
    expect(ids(b)).toEqual(ids(a));
    expect(policyDigest(b, compile(b))).toBe(policyDigest(a, compile(a)));
    expect(expanded(entire)).toBe(entire);
  });
});

describe('what the policy says about the host itself', () => {
  const uses = `{ ${USE}, ${STAFF} }`;
  const host = (text: string) => `hosts: { p.example.com: ${text} }\n`;

  test('adds routes and keys', () => {
    const { hosts } = policy(using(uses, host('{ limit: { rate: 1/s }, /x: { service: pastes, allow: [staff] } }')));
    expect(hosts[0]?.routes).toHaveLength(4);
    expect(hosts[0]?.limit).toMatchObject({ rate: 1 });
  });

  test('changes single keys of a route, and replaces its rules as a whole', () => {
    const { hosts } = policy(
      using(uses, host('{ /upload/*: { proxy: { read_timeout: 5m }, allow: [pastes-admins] } }')),
    );
    expect(hosts[0]?.routes[2]?.proxy).toMatchObject({ maxBody: 2 ** 30, readTimeout: 300 });
    expect(hosts[0]?.routes[2]?.allow.map(({ who }) => who)).toEqual([{ kind: 'role', role: 'pastes-admins' }]);
  });

  test('removes routes and headers by null', () => {
    const { hosts } = policy(using(uses, host('{ /upload/*: null, headers: { X-Pastes-Origin: null } }')));
    expect(hosts[0]?.routes.map(({ name }) => name)).toEqual(['p.example.com/*', 'p.example.com/admin/*']);
    expect(hosts[0]?.routes[0]?.headers).not.toHaveProperty('X-Pastes-Origin');
    expect(hosts[0]?.routes[0]?.headers).toHaveProperty('X-Pastes-User');
  });

  test('cannot remove what the profile does not have', () => {
    expect(errors(using(uses, host('{ /uplod/*: null }')))).toEqual([
      'm.yaml:10:27 hosts."p.example.com"."/uplod/*": no effect: the policy has no "/uplod/*" here; did you mean "/upload/*"?',
    ]);
  });
});

describe('a stage', () => {
  test('changes the profiles, and what they expand to', () => {
    const overlay = 'hosts: { p.example.com: { name: p.prod.example.com } }\n';
    expect(Object.keys(allowed(using(`{ ${USE}, ${STAFF} }`), { overlay }))[0]).toBe('p.prod.example.com/*');
    const other = `profiles: [{ use: pastes, host: r.example.com, service: pastes, ${STAFF} }]\n`;
    expect(Object.keys(allowed(using(`{ ${USE}, ${STAFF} }`), { overlay: other }))[0]).toBe('r.example.com/*');
  });

  test('has variables in the parameters, and their values in the expanded policy', () => {
    const uses = `{ use: pastes, host: "\${HOST}", service: pastes, ${STAFF} }`;
    const variables = { HOST: 's.example.com' };
    expect(Object.keys(allowed(using(uses), { variables }))[0]).toBe('s.example.com/*');
    expect(expanded(using(uses), { variables })).toContain('s.example.com:');
  });
});

describe('errors', () => {
  test('of a value name the line of the policy and the parameter of the profile, once', () => {
    expect(errors(using(`{ ${USE}, roles: { user: stff } }`))).toEqual([
      'm.yaml:9:80 (pastes.yaml:4:3) roles."pastes-users".any[0]: no role "stff"; did you mean "staff"?',
    ]);
    expect(errors(using(`{ use: pastes, host: p.example.com, service: paste, ${STAFF} }`))).toEqual([
      'm.yaml:9:57 profiles[0].service: no service "paste"; did you mean "pastes"?',
    ]);
  });

  test('of a part of the profile name the use and the line of the profile', () => {
    const profile = PASTES.replace('max_body: 1g', 'max_body: 900g');
    expect(errors(using(`{ ${USE}, ${STAFF} }`), { profile })).toEqual([
      'm.yaml:9:12 (pastes.yaml:20:58) hosts."p.example.com"."/upload/*".proxy.max_body: 900g is too large; write at most 100g',
    ]);
  });

  test('of a part that the policy changes name both lines', () => {
    const more = 'hosts: { p.example.com: { /*: { service: null } } }\n';
    expect(errors(using(`{ ${USE}, ${STAFF} }`, more))).toEqual([
      'm.yaml:9:12 (pastes.yaml:18:7) hosts."p.example.com"."/*".service: missing key "service"; write service: pastes (m.yaml:10:31 changes this part)',
    ]);
  });

  const mistakes: readonly (readonly [name: string, uses: string, says: string, profile?: string])[] = [
    [
      'an unknown profile',
      '{ use: paste, host: p.example.com, service: pastes }',
      'm.yaml:9:19 profiles[0].use: no profile "paste"; did you mean "pastes"?',
    ],
    [
      'a profile that cannot be read',
      `{ use: ./x.yaml, host: p.example.com, service: pastes }`,
      'm.yaml:9:19 profiles[0].use: cannot read the profile ./x.yaml: there is no such file',
    ],
    ['a missing role', `{ ${USE} }`, 'm.yaml:9:12 profiles[0].roles.user: the profile needs this: People who read.'],
    [
      'an unknown role',
      `{ ${USE}, roles: { user: staff, admn: staff } }`,
      'm.yaml:9:87 profiles[0].roles.admn: the profile pastes has no role "admn"; did you mean "admin"?',
    ],
    [
      'an unknown option',
      `{ ${USE}, ${STAFF}, options: { opn: true } }`,
      'm.yaml:9:100 profiles[0].options.opn: the profile pastes has no option "opn"; did you mean "open"?',
    ],
    [
      'a switch that is no switch',
      `{ ${USE}, ${STAFF}, options: { open: 5 } }`,
      'm.yaml:9:106 profiles[0].options.open: write true or false: Anyone may read.',
    ],
    [
      'a use without a host',
      `{ use: pastes, service: pastes, ${STAFF} }`,
      'm.yaml:9:12 profiles[0].host: missing key "host"; write host: a DNS name in lower case, as in wiki.example.com',
    ],
    [
      'a list of the wrong form',
      '5',
      'm.yaml:9:12 profiles[0]: 5 is not a profile; write { use: confluence, host: wiki.example.com, service: wiki }',
    ],
    [
      'a profile without its version',
      `{ ${USE}, ${STAFF} }`,
      'm.yaml:9:12 (pastes.yaml:1:1): write profile: 1 at its beginning',
      PASTES.replace('profile: 1\n', ''),
    ],
    [
      'an unknown key of a profile',
      `{ ${USE}, ${STAFF} }`,
      'm.yaml:9:12 (pastes.yaml:11:1): unknown key "polcy"; did you mean "policy"?',
      PASTES.replace('policy:', 'polcy:'),
    ],
    [
      'an unknown parameter',
      `{ ${USE}, ${STAFF} }`,
      'm.yaml:9:12 (pastes.yaml:13:29): no parameter "roles.usr"; write one of host, service, roles.user, roles.admin, options.open, options.fresh, options.identity, options.group',
      PASTES.replace('[$roles.user] }\n    pastes', '[$roles.usr] }\n    pastes'),
    ],
    [
      'a part of an option that the profile does not have',
      `{ ${USE}, ${STAFF} }`,
      'm.yaml:9:12 (pastes.yaml:22:3): with: no option or role "frsh"; did you mean "fresh"?',
      PASTES.replace('with:\n  fresh', 'with:\n  frsh'),
    ],
    [
      'tests in a profile',
      `{ ${USE}, ${STAFF} }`,
      'm.yaml:9:12 (pastes.yaml:12:3): policy: a profile has no tests; write it into the policy',
      PASTES.replace('policy:\n', 'policy:\n  tests: []\n'),
    ],
    [
      'a profile that is no YAML',
      `{ ${USE}, ${STAFF} }`,
      'm.yaml:9:12 (pastes.yaml:2:8): not YAML: a plain value cannot begin with this character; put it in quotes',
      PASTES.replace('about: The', 'about: @The'),
    ],
  ];

  for (const [name, uses, says, profile] of mistakes) {
    test(`say what to write instead of ${name}, and nothing about the parts that are missing`, () => {
      expect(errors(using(uses), profile === undefined ? {} : { profile })).toEqual([says]);
    });
  }

  test('of a policy that cannot read profiles say so', () => {
    expect(parsePolicy(using(`{ ${USE}, ${STAFF} }`), 'm.yaml').errors.map(formatError)).toEqual([
      'm.yaml:9:19 profiles[0].use: no profile "pastes"; write the path of your own profile, as in ./pastes.yaml',
    ]);
  });
});

test('the exact paths of the profiles only open what the route around them closes, because a path with a slash at its end is no exact path', () => {
  for (const text of Object.values(profileFiles)) {
    const routes = [...text.matchAll(/^ +(\/\S*):( .*)?$/gm)].map(([, path = '', route = '']) => ({ path, route }));
    const administrators = routes
      .filter(({ path, route }) => path.endsWith('/*') && route.includes('allow: [$options.admin_group-console]'))
      .map(({ path }) => path.slice(0, -1));
    for (const { path, route } of routes) {
      if (path.endsWith('*') || route.includes('allow: [{ who: anyone, methods: [GET] }]')) continue;
      expect(route).toContain('allow: [$options.user_group]');
      expect(administrators.filter((around) => path.startsWith(around))).not.toEqual([]);
    }
  }
});
