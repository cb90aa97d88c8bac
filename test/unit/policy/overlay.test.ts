import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { nginxOptions } from '../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../src/targets/nginx/render.ts';
import { BASE, errorsOf, policyOf } from './stage.ts';

const withProd = (overlay: string) => policyOf(BASE, { overlays: { 'prod.yaml': overlay } });
const errors = (overlay: string) => errorsOf(BASE, { overlays: { 'prod.yaml': overlay } });

describe('an overlay', () => {
  test('changes the keys that it has, and leaves the others', () => {
    const { services, providers } = withProd('services: { wiki: { url: https://wiki.prod:8443 } }');
    expect(services.wiki?.direct).toMatchObject({ host: 'wiki.prod', caFile: '/run/wiki/ca.pem' });
    expect(providers).toEqual(withProd('roles: { editor: { group: e } }').providers);
  });

  test('adds hosts, routes and services', () => {
    const { hosts } = withProd(`
services: { status: { url: https://status.prod:8443 } }
hosts:
  wiki.example.com: { /status: { service: status, allow: [anyone] } }
  www.example.com: { /*: { service: status, allow: [anyone] } }
`);
    expect(hosts.flatMap(({ routes }) => routes.map(({ name }) => name))).toEqual([
      'wiki.example.com/*',
      'wiki.example.com/rest/*',
      'wiki.example.com/status',
      'www.example.com/*',
    ]);
  });

  test('replaces lists, and so the rules of a route, as a whole', () => {
    const [host] = withProd(`hosts: { wiki.example.com: { /*: { allow: [editor, staff] } } }`).hosts;
    expect(host?.routes[0]?.allow.map(({ who }) => who)).toEqual([
      { kind: 'role', role: 'editor' },
      { kind: 'role', role: 'staff' },
    ]);
  });

  test('replaces the source of a header as a whole, so that it cannot change the order of its roles silently', () => {
    const { hosts } = withProd('headers: { X-Role: { first_role: { staff: S } } }');
    expect(hosts[0]?.routes[0]?.headers['X-Role']).toEqual({ firstRole: [['staff', 'S']] });
  });

  test('replaces a role as a whole, so that nothing of the old fact is left', () => {
    const { roles } = withProd('roles: { staff: { scope: staff } }');
    expect(roles.staff?.fact).toMatchObject({ op: 'scope', value: 'staff' });
    expect(roles.staff?.fact).not.toHaveProperty('provider');
  });

  test('replaces the match of an agent as a whole', () => {
    const agents = (match: string) => `agents: { bot: { match: ${match}, acts_for: [staff], bound: none } }`;
    const { agents: found } = policyOf(`${BASE}${agents('{ client_id: bot, provider: okta }')}\n`, {
      overlays: { 'prod.yaml': 'agents: { bot: { match: { client_id: prod-bot } } }' },
    });
    expect(found.bot).toMatchObject({ match: { kind: 'client', client: 'prod-bot' }, bound: 'none' });
    expect(found.bot?.match).not.toHaveProperty('provider');
  });

  test('removes keys by null', () => {
    const { hosts, roles } = withProd('hosts: { wiki.example.com: { /rest/*: null } }');
    expect(hosts[0]?.routes.map(({ name }) => name)).toEqual(['wiki.example.com/*']);
    expect(Object.keys(roles)).toEqual(['staff', 'editor']);
    expect(withProd('services: { wiki: { ca_file: null } }').services.wiki?.direct).not.toHaveProperty('caFile');
  });

  test('is merged after those before it', () => {
    const { services } = policyOf(BASE, {
      overlays: {
        'a.yaml': 'services: { wiki: { url: https://a:1, server_name: a } }',
        'b.yaml': 'services: { wiki: { url: https://b:1 } }',
      },
    });
    expect(services.wiki?.direct).toMatchObject({ host: 'b', serverName: 'a' });
  });

  test('changes one use of an alias and not the others', () => {
    const text = BASE.replace('    /*:', '    /a/*: &route').replace(
      '    /rest/*:\n      service: wiki\n      allow: [editor]',
      '    /b/*: *route',
    );
    const [host] = policyOf(text, {
      overlays: { 'p.yaml': 'hosts: { wiki.example.com: { /b/*: { allow: [editor] } } }' },
    }).hosts;
    expect(host?.routes.map(({ allow }) => allow.length)).toEqual([2, 1]);
  });

  test('may say the version of the policy', () => {
    expect(withProd('version: 1\nroles: { editor: { group: e } }').version).toBe(1);
  });

  test('gives the places of its own lines', () => {
    const { hosts } = withProd('\nhosts:\n  wiki.example.com:\n    /*:\n      allow: [staff, editor]');
    const [route] = hosts[0]?.routes ?? [];
    expect(route?.at).toMatchObject({ file: 'm.yaml', line: 14 });
    expect(route?.allow[1]?.at).toEqual({ file: 'prod.yaml', line: 5, column: 22 });
  });
});

describe('null where a policy may say null', () => {
  const headersOf = (overlay: string, text = BASE) =>
    policyOf(text, { overlays: { 'prod.yaml': overlay } }).hosts[0]?.routes[0]?.headers;

  test('cancels the header of an outer part, and does not bring it back', () => {
    const text = BASE.replace('    /*:', '    headers: { X-User: email }\n    /*:');
    expect(headersOf('roles: { editor: { group: e } }', text)).toMatchObject({ 'X-User': 'email' });
    expect(headersOf('hosts: { wiki.example.com: { headers: { X-User: null } } }', text)).not.toHaveProperty('X-User');
  });

  test('removes a header that no outer part sets', () => {
    const text = BASE.replace('    /*:', '    headers: { X-Team: { claim: team } }\n    /*:');
    expect(headersOf('hosts: { wiki.example.com: { headers: { X-Team: null } } }', text)).not.toHaveProperty('X-Team');
    expect(headersOf('headers: { X-Role: null }')).toEqual({ 'X-User': 'subject' });
  });

  test('cancels a limit of the gateway, and removes a limit that cancels nothing', () => {
    const limited = BASE.replace('    /*:', '    limit: { rate: 9/m }\n    /*:');
    const other = '  other.example.com: { /*: { service: wiki, allow: [staff] } }\n';
    const gateway = 'gateway: { limits: { callers: { rate: 5/m } } }\n';
    const overlay = { overlays: { 'p.yaml': 'hosts: { wiki.example.com: { limit: null } }' } };
    expect(policyOf(limited + other + gateway, overlay).hosts[0]).toHaveProperty('limit', null);
    expect(policyOf(limited, overlay).hosts[0]).not.toHaveProperty('limit');
  });

  test('removes the CORS of a host', () => {
    const cors = BASE.replace('    /*:', '    cors: { origins: [https://a.example.com] }\n    /*:');
    const limits = 'gateway: { limits: { callers: { rate: 5/m } } }\n';
    const given = { overlays: { 'p.yaml': 'hosts: { wiki.example.com: { cors: null } }' } };
    expect(policyOf(cors + limits, given).hosts[0]?.routes[0]).not.toHaveProperty('cors');
  });
});

describe('a mistake in an overlay', () => {
  test.each([
    ['host: { wiki.example.com: { owner: x } }', 'prod.yaml:1:1 host: unknown key "host"; did you mean "hosts"?'],
    [
      '\nservices:\n  wiki: { ulr: https://a:1 }',
      'prod.yaml:3:11 services.wiki.ulr: unknown key "ulr"; did you mean "url"?',
    ],
    ['version: 2', 'prod.yaml:1:10 version: an overlay has the version of its policy; write the same, or leave it out'],
    [
      'version: null',
      'prod.yaml:1:10 version: an overlay has the version of its policy; write the same, or leave it out',
    ],
    [
      'roles: { staf: null }',
      'prod.yaml:1:10 roles.staf: no effect: the policy has no "staf" here; did you mean "staff"?',
    ],
    ['agents: null', 'prod.yaml:1:1 agents: no effect: the policy has no "agents" here; remove this line'],
    ['roles:', 'prod.yaml:1:1 roles: the value is missing; write it, or null to remove this from the policy'],
    [
      'roles:\n  staff:\n',
      'prod.yaml:2:3 roles.staff: the value is missing; write it, or null to remove this from the policy',
    ],
    ['', 'prod.yaml:1:1: the overlay is empty; write the sections that differ, as in the policy'],
    ['# later\n', 'prod.yaml:1:1: the overlay is empty; write the sections that differ, as in the policy'],
    ['[roles]', 'prod.yaml:1:1: an overlay is a mapping; write the sections that differ, as in the policy'],
    [
      'roles: { staff: { group: a }, staff: { group: b } }',
      'prod.yaml:1:31 roles.staff: the key "staff" is here twice; keep one',
    ],
    ['roles: { __proto__: { group: a } }', 'prod.yaml:1:10 roles.__proto__: not allowed; choose another'],
    [
      'roles: { constructor: { group: a } }',
      'prod.yaml:1:10 roles.constructor: no role can have this name; choose another',
    ],
    ['roles: { staff: [ }', 'prod.yaml:1:17: not YAML: this [ is left open; add the closing ]'],
    [
      'hosts: { wiki.exmple.com: { owner: x } }',
      'prod.yaml:1:10 hosts."wiki.exmple.com": this host has no routes; write /*: { service: wiki, allow: [staff] }',
    ],
    [
      'hosts: { wiki.example.com: { /*: { allow: [staf] } } }',
      'prod.yaml:1:44 hosts."wiki.example.com"."/*".allow[0]: no role "staf"; did you mean "staff"?',
    ],
    [
      'services: { wikki: { url: https://a:1 } }',
      'prod.yaml:1:13 services.wikki: no effect: nothing uses this service; route a path to it, or remove it',
    ],
  ])('%s', (overlay, error) => expect(errors(overlay)).toEqual([error]));

  test('names the overlay, if the mistake is that it removes a required key', () => {
    expect(errors('\nhosts:\n  wiki.example.com: { /*: { service: null } }')).toEqual([
      'm.yaml:14:5 hosts."wiki.example.com"."/*".service: missing key "service"; write service: wiki (prod.yaml:3:27 changes this part)',
    ]);
  });

  test('names the overlay, if two keys of different files exclude each other', () => {
    expect(errors('services: { wiki: { insecure_url: http://wiki:80 } }')).toEqual([
      'prod.yaml:1:21 services.wiki.insecure_url: url is there as well; keep one of the two',
    ]);
    const plain = BASE.replace('{ url: https://wiki.internal:8443', '{ insecure_url: http://wiki:80').replace(
      ', ca_file: /run/wiki/ca.pem',
      '',
    );
    expect(errorsOf(plain, { overlays: { 'prod.yaml': 'services: { wiki: { url: https://wiki:8443 } }' } })).toEqual([
      'm.yaml:8:11 services.wiki.insecure_url: url is there as well; keep one of the two (prod.yaml:1:19 changes this part)',
    ]);
    expect(errors('services: { wiki: { url: null, authority: wiki } }')[0]).toBe(
      'm.yaml:8:3 services.wiki: the policy has no mesh; write url: https://HOST:PORT, or a mesh section (prod.yaml:1:19 changes this part)',
    );
  });

  test('an anchor is for its own file only', () => {
    const text = BASE.replace('staff: { group', 'staff: &staff { group');
    expect(errorsOf(text, { overlays: { 'prod.yaml': 'roles: { editor: *staff }' } })).toEqual([
      'prod.yaml:1:18 roles.editor: no anchor of this name stands before it; write the value itself',
    ]);
  });

  test('a syntax error of the policy does not cause errors about an overlay', () => {
    const text = BASE.replace('editor: { group: editors }', 'editor: { group: editors');
    expect(errorsOf(text, { overlays: { 'prod.yaml': 'roles: { editor: null }' } })).toHaveLength(1);
  });

  test('errors of all files are reported in one run, in the order of the files', () => {
    const given = { overlays: { 'a.yaml': 'rols: {}', 'b.yaml': 'roles: { gone: null }' } };
    expect(errorsOf(BASE.replace('else:', 'elze:'), given).map((it) => it.split(':')[0])).toEqual([
      'm.yaml',
      'a.yaml',
      'b.yaml',
    ]);
  });
});

describe('the name of a host', () => {
  test('replaces its key, for all that reads the policy', () => {
    const { hosts } = withProd('hosts: { wiki.example.com: { name: wiki.prod.example.com } }');
    expect(hosts[0]).toMatchObject({ name: 'wiki.prod.example.com', at: { file: 'm.yaml', line: 13 } });
    expect(hosts[0]?.routes.map(({ name }) => name)).toEqual([
      'wiki.prod.example.com/*',
      'wiki.prod.example.com/rest/*',
    ]);
    expect(hosts[0]).not.toHaveProperty('key');
  });

  test('two hosts may exchange their names', () => {
    const { hosts } = withProd(
      'hosts: { wiki.example.com: { name: a.example.com }, a.example.com: { name: wiki.example.com, /x: { service: wiki, allow: [staff] } } }',
    );
    expect(hosts.map(({ name, routes }) => [name, routes.length])).toEqual([
      ['a.example.com', 2],
      ['wiki.example.com', 1],
    ]);
  });

  test.each([
    ['name: Wiki.example.com', 'is not the name of a host; write a DNS name in lower case'],
    ['name: 1', '1 is not the name of a host'],
    ['name: __proto__', 'is not the name of a host'],
  ])('%s is rejected', (key, says) => {
    const found = errors(`hosts: { wiki.example.com: { ${key} } }`);
    expect(found).toEqual([expect.stringContaining(says)]);
    expect(found[0]).toMatch(/^prod\.yaml:1:36 hosts\."wiki\.example\.com"\.name: /);
  });

  test('two hosts with one name are rejected', () => {
    expect(
      errors('hosts: { a.example.com: { name: wiki.example.com, /x: { service: wiki, allow: [staff] } } }'),
    ).toEqual(['prod.yaml:1:33 hosts."a.example.com".name: another host is named "wiki.example.com"; keep one']);
  });
});

test('what is rendered depends on the merged policy only, not on its files', () => {
  const overlay = 'services: { wiki: { url: https://wiki.prod:8443 } }\nroles: { editor: { group: "${E}" } }\n';
  const entire = BASE.replace('wiki.internal', 'wiki.prod').replace('group: editors', 'group: writers');
  const files = (policy: ReturnType<typeof policyOf>) =>
    renderNginx(policy, compile(policy), nginxOptions({ dir: '/etc/nginx/meshgate' })).files;
  const staged = policyOf(BASE, { overlays: { 'prod.yaml': overlay }, variables: { E: 'writers' } });
  const { policy } = parsePolicy(entire, 'other.yaml');
  expect(files(staged)).toEqual(files(policy as NonNullable<typeof policy>));
});
