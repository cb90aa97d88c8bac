import { describe, expect, test } from 'vitest';
import { ETCD_PAGE } from '../../../../src/session/limits.ts';
import { goldenPolicy, render } from './golden.ts';
import { all, args, type Parsed, readConf, treeOf } from './read.ts';
import { inherited } from './traps.ts';

const { files } = render(goldenPolicy('sessions'));
const http = treeOf(files, 'http.conf');
const wiki = treeOf(files, 'hosts/wiki.example.com.conf');
const apps = treeOf(files, 'hosts/_.apps.example.com.conf');
const api = treeOf(files, 'hosts/api.example.com.conf');
const shared = render(goldenPolicy('signin-host')).files;
const auth = treeOf(shared, 'hosts/auth.example.com.conf');
const handed = treeOf(shared, 'hosts/wiki.example.com.conf');

const location = (tree: readonly Parsed[], ...words: readonly string[]): readonly Parsed[] =>
  all(tree, 'location').find((one) => one.words.slice(1).join(' ') === words.join(' '))?.block ?? [];
const sent = (tree: readonly Parsed[]): readonly string[] => args(tree, 'proxy_set_header');
const hop = (tree: readonly Parsed[]) => sent(location(tree, '^~', '/.meshgate/check/'));

const BROWSER = ['X-Meshgate-Origin $meshgate_origin_in', 'X-Meshgate-Navigation $meshgate_navigation'];

test('the check receives the browser headers if sessions are accepted, and everywhere the gateway’s cookies', () => {
  for (const tree of [wiki, apps, api]) {
    const credentials = args(location(tree, '^~', '/.meshgate/check/'), 'proxy_set_body');
    expect(credentials).toEqual(['$meshgate_in_query$http_authorization\n$meshgate_cookie_in']);
    expect(hop(tree).filter((it) => /^(Cookie|Authorization) /.test(it))).toEqual([]);
  }
  expect(hop(wiki)).toEqual(expect.arrayContaining(BROWSER));
  expect(hop(api).filter((it) => BROWSER.includes(it))).toEqual([]);
  expect(hop(wiki).filter((it) => it.startsWith('X-Meshgate-Host'))).toEqual([]);
  expect(hop(apps)).toContain('X-Meshgate-Host $host');
});

test('the answer of the check has room for a cookie if it may set one', () => {
  const size = (tree: readonly Parsed[]) => args(location(tree, '^~', '/.meshgate/check/'), 'proxy_buffer_size');
  expect([size(wiki), size(api)]).toEqual([['6k'], ['2k']]);
});

const REST = `$${[...Array(10).keys()].map((i) => `meshgate_k${i}`).join('$')}`;

test('services receive the Cookie line without the gateway’s cookies, gRPC calls too, and at the inner listener', () => {
  for (const tree of [wiki, apps, api]) expect(sent(location(tree, '^~', '/'))).toContain('Cookie $meshgate_cookie_to');
  expect(args(location(wiki, '^~', '/'), 'grpc_set_header')).toContain('Cookie $meshgate_cookie_to');
  const agents = goldenPolicy('agents');
  const { session } = goldenPolicy('sessions').gateway;
  const [first, ...hosts] = agents.hosts;
  const routes = first!.routes.map((route) => ({ ...route, accept: ['session', 'bearer'] as const }));
  const both = render({
    ...agents,
    gateway: { ...agents.gateway, ...(session && { session }) },
    hosts: [{ ...first!, routes }, ...hosts],
  });
  const [inner = ''] = Object.keys(both.files).filter((path) => path.startsWith('inner/'));
  const inside = treeOf(both.files, inner);
  expect(sent(location(inside, '^~', '/'))).toContain('Cookie $meshgate_cookie_other');
  expect(sent(location(inside, '^~', '/.meshgate/hop/')).filter((it) => it.startsWith('Cookie'))).toEqual([]);
  const map = readConf(both.files['http.conf'] ?? '').find(({ words }) => words[2] === '$meshgate_cookie_other');
  expect([map?.words[1], map?.block?.[0]?.words]).toEqual(['$meshgate_cookie_in', ['default', REST]]);
});

test('the response sets the cookie of the check, beside the headers of other levels', () => {
  for (const tree of [wiki, apps]) {
    const around = location(tree, '^~', '/');
    expect(args(around, 'add_header')).toEqual([
      'Set-Cookie $meshgate_set_cookie_beside always',
      'Cache-Control $meshgate_cache_for always',
      'WWW-Authenticate $meshgate_challenges always',
      'Clear-Site-Data $meshgate_cleared always',
      'Link $meshgate_linked always',
      'Strict-Transport-Security $meshgate_transport always',
      'Proxy-Status $meshgate_informational always',
    ]);
    expect(args(around, 'add_header_inherit')).toEqual(['merge']);
    for (const one of all(around, 'location')) {
      if (args(one.block ?? [], 'add_header').length === 0 || args(one.block ?? [], 'proxy_pass').length === 0)
        continue;
      expect(args(one.block ?? [], 'add_header_inherit')).toEqual(['merge']);
    }
  }
  // This host has no sign-in; what browsers clear is the whole site's.
  expect(args(location(api, '^~', '/'), 'add_header')).toEqual([
    'Clear-Site-Data $meshgate_cleared always',
    'Link $meshgate_linked always',
    'Strict-Transport-Security $meshgate_transport always',
    'Proxy-Status $meshgate_informational always',
  ]);
  expect(args(location(api, '^~', '/'), 'add_header_inherit')).toEqual(['merge']);
});

describe('the endpoints', () => {
  const several = ['callback/okta', 'callback/keycloak'];
  const hosts = [
    [wiki, several],
    [apps, ['callback']],
    [auth, ['callback']],
    [handed, ['handover']],
  ] as const;
  const namesOf = (back: readonly string[]) => [
    ...['signin', ...back],
    ...['signout', 'backchannel', 'frontchannel', 'whoami'],
  ];

  test('are where people sign in, each path back only where it is used', () => {
    for (const [tree, back] of hosts) {
      const around = location(tree, '^~', '/.meshgate/');
      const found = all(around, 'location').map(({ words }) => words.slice(1).join(' '));
      expect(found.sort()).toEqual(
        [...namesOf(back).map((name) => `= /.meshgate/${name}`), '^~ /.meshgate/assets/'].sort(),
      );
    }
    expect(all(location(api, '^~', '/.meshgate/'), 'location')).toEqual([]);
    expect(Object.keys(files)).not.toContain('hosts/auth.example.com.conf');
  });

  test('are limited by address, by nginx itself, except the provider’s endpoint', () => {
    const limits = (tree: readonly Parsed[], name: string) =>
      args(location(tree, '=', `/.meshgate/${name}`), 'limit_req');
    for (const [tree, back] of hosts) {
      for (const name of ['signin', ...back, 'signout']) {
        expect(limits(tree, name)).toEqual([
          'zone=meshgate_signin_sites burst=3200 nodelay',
          'zone=meshgate_signin_rate burst=200 nodelay',
          'zone=meshgate_signin_aside burst=200 nodelay',
        ]);
        expect(args(location(tree, '=', `/.meshgate/${name}`), 'limit_req_status')).toEqual(['429']);
      }
      for (const name of ['backchannel', 'frontchannel']) expect(limits(tree, name)).toEqual([]);
      expect(args(location(tree, '^~', '/.meshgate/'), 'error_page')).toContain('429 = /.meshgate/often');
      expect(args(location(tree, '=', '/.meshgate/often'), 'try_files')).toEqual(['/- @meshgate_limit_exceeded']);
      expect(args(location(tree, '@meshgate_limit_exceeded'), 'return')[0]).toMatch(/^429 .*limit_exceeded/);
      expect(args(location(tree, '^~', '/.meshgate/page/'), 'error_log')).toEqual(['/dev/null emerg']);
    }
    expect(args(http, 'limit_req_zone')).toEqual([
      '$meshgate_signin_opened_from zone=meshgate_signin_rate:4096k rate=20r/s',
      '$meshgate_signin_opened_site zone=meshgate_signin_sites:4096k rate=320r/s',
      '$meshgate_signin_aside_from zone=meshgate_signin_aside:4096k rate=20r/s',
    ]);
  });

  test('are limited as the policy says', () => {
    const policy = goldenPolicy('sessions');
    const signin = { ...policy.gateway.signin, limit: { rate: '600/m', burst: 50 } };
    const other = render({ ...policy, gateway: { ...policy.gateway, signin } }).files;
    expect(args(readConf(other['http.conf'] ?? ''), 'limit_req_zone')).toEqual([
      '$meshgate_signin_opened_from zone=meshgate_signin_rate:4096k rate=600r/m',
      '$meshgate_signin_opened_site zone=meshgate_signin_sites:4096k rate=9600r/m',
      '$meshgate_signin_aside_from zone=meshgate_signin_aside:4096k rate=600r/m',
    ]);
    const tree = treeOf(other, 'hosts/wiki.example.com.conf');
    expect(args(location(tree, '=', '/.meshgate/signin'), 'limit_req')).toEqual([
      'zone=meshgate_signin_sites burst=800 nodelay',
      'zone=meshgate_signin_rate burst=50 nodelay',
      'zone=meshgate_signin_aside burst=50 nodelay',
    ]);
  });

  test('log no query, and nothing to the error log', () => {
    for (const [tree, back] of hosts) {
      const around = location(tree, '^~', '/.meshgate/');
      expect(args(around, 'error_log')).toEqual(['/dev/null emerg']);
      expect(args(around, 'access_log')).toEqual(['/var/log/nginx/meshgate.log meshgate']);
      // A query in the inner URL would be in the inner server's error log.
      for (const name of namesOf(back)) {
        expect(args(location(tree, '=', `/.meshgate/${name}`), 'proxy_pass')).toEqual([
          'http://unix:/run/meshgate/check.sock:$uri',
        ]);
      }
    }
  });

  test('receive the configured host and no header that a client makes up', () => {
    for (const [tree, host] of [
      [wiki, 'wiki.example.com'],
      [apps, '$host'],
      [auth, 'auth.example.com'],
    ] as const) {
      const around = location(tree, '^~', '/.meshgate/');
      expect(args(around, 'proxy_pass_request_headers')).toEqual(['off']);
      expect(sent(around)).toContain(`X-Meshgate-Host ${host}`);
      expect(sent(around).filter((it) => it.includes('authorization'))).toEqual([]);
      expect(sent(around).filter((it) => it.includes('$http_x_'))).toEqual([]);
      expect(sent(location(tree, '=', '/.meshgate/whoami'))).toContain('Authorization $http_authorization');
    }
  });
});

test('JavaScript of the sign-in is in no context of the check', () => {
  const [check] = all(http, 'server').filter(({ block = [] }) =>
    args(block, 'listen').some((it) => it.includes('check.sock')),
  );
  const block = check?.block ?? [];
  expect(args(block, 'js_import')).toEqual(['meshgate from meshgate.js']);
  expect(args(http, 'js_import')).toEqual(['meshgate_counts from counts.js', 'meshgate_cookies from cookies.js']);
  for (const one of [location(block, '^~', '/.meshgate/'), location(block, '@meshgate_page')]) {
    expect(args(one, 'js_import')).toEqual(['signin from signin.js']);
  }
  expect(args(location(block, '=', '/.meshgate/renew'), 'js_content')).toEqual(['signin.renew']);
  expect(args(location(block, '@meshgate_revocations'), 'js_periodic')).toEqual(['signin.revocations interval=1s']);
  for (const tree of [wiki, apps, api]) expect(JSON.stringify(tree)).not.toContain('/.meshgate/renew');
});

test('the job of revocations receives a whole page of etcd in one response', () => {
  const block = all(http, 'location').find(({ words }) => words[1] === '@meshgate_revocations')?.block ?? [];
  const [size] = args(block, 'js_fetch_max_response_buffer_size');
  const value = btoa(JSON.stringify({ kind: 'sub', value: 'x'.repeat(64), before: 2 ** 31, until: 2 ** 31 }));
  const kv = {
    key: btoa(`/meshgate/revoked/sub ${'x'.repeat(64)}`),
    create_revision: '1'.repeat(10),
    mod_revision: '1'.repeat(10),
    version: '1',
    value,
    lease: '1'.repeat(19),
  };
  expect(JSON.stringify(Array(ETCD_PAGE).fill(kv)).length).toBeLessThan(Number(size));
});

test('zones: revocations and used values are never evicted', () => {
  const zones = args(http, 'js_shared_dict_zone');
  const zone = (name: string) => zones.find((it) => it.startsWith(`zone=meshgate_${name}:`)) ?? '';
  expect(zone('sessions')).toBe('zone=meshgate_sessions:32m type=string timeout=24h evict');
  expect(zone('once')).toBe('zone=meshgate_once:6m type=string timeout=1h');
  expect(zone('revoked')).toBe('zone=meshgate_revoked:6m type=string timeout=24h state=/var/lib/meshgate/revoked.json');
});

// nginx 1.30.6 put states of five keys of 154 providers into 1 MB, and of nine keys of 86.
test.each([
  [1, '1024k'],
  [6, '1024k'],
  [160, '25600k'],
])('zones: %i providers have %s for keys, twice what each may keep', (providers, size) => {
  const policy = goldenPolicy('smallest');
  const one = Object.values(policy.providers)[0] as (typeof policy.providers)[string];
  const all = Array.from({ length: providers }, (_, i) => [`p${i}`, { ...one, name: `p${i}` }] as const);
  const rendered = render({ ...policy, providers: Object.fromEntries(all) }).files['http.conf'] ?? '';
  expect(rendered).toContain(`zone=meshgate_keys:${size} `);
  expect(Number.parseInt(size, 10) * 1024).toBeGreaterThanOrEqual(2 * providers * (64 + 2 * 8) * 1024);
});

// nginx 1.30.6 put what is found of 143 CA files into 64 KB.
test('zones: each CA of client certificates has room for what is found of it', () => {
  const policy = goldenPolicy('smallest');
  const [host] = policy.hosts;
  const hosts = Array.from({ length: 300 }, (_, i) => ({
    ...(host as (typeof policy.hosts)[number]),
    name: `h${i}.example.com`,
    clientCaFile: `/run/ca/${i}.pem`,
  }));
  const size = /zone=meshgate_svids:(\d+)k/.exec(render({ ...policy, hosts }).files['http.conf'] ?? '')?.[1];
  expect(Number(size)).toBeGreaterThan(300 * (64 / 143));
});

// nginx 1.30.6 put 223 entries with names of 68 characters into 64 KB, and 4,047 into 1 MB.
test.each([
  [1, 0, '64k'],
  [160, 0, '832k'],
  [1, 4000, '64k'],
  [160, 100_000, '832k'],
])(
  'zones: %i providers, whatever number of people (%i) have sessions, have %s for locks',
  (providers, people, size) => {
    const policy = goldenPolicy('smallest');
    const one = Object.values(policy.providers)[0] as (typeof policy.providers)[string];
    const all = Array.from({ length: providers }, (_, i) => [`p${i}`, { ...one, name: `p${i}` }] as const);
    const gateway = people === 0 ? policy.gateway : { ...policy.gateway, sessionRoom: { people } };
    const rendered = render({ ...policy, gateway, providers: Object.fromEntries(all) }).files['http.conf'] ?? '';
    expect(rendered).toContain(`zone=meshgate_locks:${size} `);
    const bytes = Number.parseInt(size, 10) * 1024;
    expect(bytes).toBeGreaterThan(providers * 20 * (1_048_576 / 4047));
  },
);

// 160 places and 32 questions, each with a counter of its address and of its site, a lock for each question, and the
// total counters.
test.each([1, 4, 40])('zones: locks have room for all questions to each of %i providers at once', (providers) => {
  const policy = goldenPolicy('introspection');
  const one = Object.values(policy.providers).find(({ introspection }) => introspection !== undefined)!;
  const all = Array.from({ length: providers }, (_, i) => [`p${i}`, { ...one, name: `p${i}` }] as const);
  const rendered = render({ ...policy, hosts: [], providers: Object.fromEntries(all) }).files['http.conf'] ?? '';
  const kilobytes = Number(/zone=meshgate_locks:(\d+)k /.exec(rendered)?.[1]);
  expect(kilobytes * 1024).toBeGreaterThan(providers * (19 + 2 * 160 + 3 * 32 + 8) * (1_048_576 / 4047));
});

// Verified tokens have a zone of their own, of 32 MB.
test.each([1, 4])('zones: answers about tokens have room of their own for each of %i providers', (providers) => {
  const policy = goldenPolicy('introspection');
  const one = Object.values(policy.providers).find(({ introspection }) => introspection !== undefined)!;
  const all = Array.from({ length: providers }, (_, i) => [`p${i}`, { ...one, name: `p${i}` }] as const);
  const rendered = render({ ...policy, hosts: [], providers: Object.fromEntries(all) }).files['http.conf'] ?? '';
  expect(rendered).toContain(`zone=meshgate_answers:${providers * 8192}k type=string timeout=1h evict;`);
  expect(rendered).toContain('zone=meshgate_tokens:32m ');
  expect(render(goldenPolicy('smallest')).files['http.conf']).not.toContain('meshgate_answers');
});

test.each([
  [1, 4, 4, 64, 64],
  [4000, 32, 6, 3072, 2048],
  [100_000, 782, 149, 76_224, 50_816],
])(
  'zones: for %i people there are %i MB for records, %i MB for revocations, %i KB for locks and %i KB for counts of sign-ins',
  (people, records, revocations, renewals, signins) => {
    const policy = goldenPolicy('sessions');
    const changed = { ...policy, gateway: { ...policy.gateway, sessionRoom: { people } } };
    const zones = args(readConf(render(changed).files['http.conf'] ?? ''), 'js_shared_dict_zone').join('\n');
    expect(zones).toContain(`zone=meshgate_sessions:${records}m `);
    expect(zones).toContain(`zone=meshgate_revoked:${revocations}m `);
    // Sign-outs have 70 %: an entry for each person, and one for a sign-out by a provider without a person.
    expect(revocations * 2 ** 20 * 0.7).toBeGreaterThanOrEqual(people * (768 + 320));
    expect(zones).toContain(`zone=meshgate_renewals:${renewals}k type=number timeout=60s`);
    expect(zones).toContain(`zone=meshgate_signins:${signins}k type=number timeout=15m`);
    // Each renewed session has three entries, and each entry has the size that was measured above.
    expect(renewals * 1024).toBeGreaterThan(people * 3 * (1_048_576 / 4047));
    // Sign-ins are counted by quarters of an hour, of which two overlap.
    expect(signins * 1024).toBeGreaterThan(people * 2 * (1_048_576 / 4047));
  },
);

describe('egress', () => {
  const server = (conf: readonly Parsed[]) =>
    all(conf, 'server').find(({ block = [] }) => args(block, 'listen').some((it) => it.includes('egress.sock')))
      ?.block ?? [];

  /** A location of it, with the directives that it inherits. */
  const at = (egress: readonly Parsed[], ...words: readonly string[]) =>
    inherited(egress, { words: [], block: location(egress, ...words) }).block ?? [];

  test('a provider with a client is called by GET or POST, once; keys are fetched from another one', () => {
    const egress = server(http);
    const okta = at(egress, '=', '/okta');
    expect(args(okta, 'proxy_method')).toEqual(['$meshgate_egress_method']);
    expect(args(okta, 'proxy_pass_request_body')).toEqual([]);
    const ci = at(egress, '=', '/ci');
    expect(args(ci, 'proxy_method')).toEqual(['GET']);
    expect(args(ci, 'proxy_pass_request_body')).toEqual(['off']);
    for (const one of [okta, ci]) {
      expect(args(one, 'proxy_next_upstream')).toEqual(['off']);
      expect(args(one, 'proxy_ssl_verify')).toEqual(['on']);
      expect(args(one, 'proxy_ssl_session_reuse')).toEqual(['off']);
    }
    const method = http.find(({ words }) => words[2] === '$meshgate_egress_method');
    expect(method?.block?.map(({ words }) => words)).toEqual([
      ['default', 'GET'],
      ['POST', 'POST'],
    ]);
  });

  test('a client certificate is a variable, so that its files are read again', () => {
    const keycloak = location(server(http), '=', '/keycloak');
    expect(args(keycloak, 'set')).toEqual([
      '$meshgate_client_cert /run/secrets/client.crt',
      '$meshgate_client_key /run/secrets/client.key',
    ]);
    expect(args(keycloak, 'proxy_ssl_certificate')).toEqual(['$meshgate_client_cert']);
    expect(args(location(server(http), '=', '/okta'), 'proxy_ssl_certificate')).toEqual([]);
  });

  test('each node of etcd has its own block, and is verified by its own name', () => {
    const conf = readConf(shared['http.conf'] ?? '');
    const nodes = [0, 1, 2].map((i) => at(server(conf), '^~', `/etcd/${i}/`));
    expect(nodes.map((node) => args(node, 'proxy_pass')[0])).toEqual(
      [0, 1, 2].map((i) => `https://meshgate_etcd_${i}/`),
    );
    expect(nodes.map((node) => args(node, 'proxy_ssl_name')[0])).toEqual([
      'etcd-0.example.net',
      'etcd-1.example.net',
      '192.0.2.7',
    ]);
    for (const node of nodes) {
      expect(args(node, 'proxy_ssl_verify')).toEqual(['on']);
      expect(args(node, 'proxy_next_upstream')).toEqual(['off']);
      expect(args(node, 'proxy_ssl_certificate')).toEqual(['$meshgate_etcd_cert']);
    }
    expect(all(http, 'location').filter(({ words }) => words[2]?.startsWith('/etcd/'))).toEqual([]);
  });
});

test('the sign-in host has a server of its own with its certificate', () => {
  const servers = all(readConf(shared['servers.conf'] ?? ''), 'server').map(({ block = [] }) => block);
  const own = servers.find((block) => args(block, 'server_name')[0] === 'auth.example.com') ?? [];
  expect(args(own, 'ssl_certificate')).toEqual(['/run/tls/auth.crt']);
  expect(args(own, 'include')).toEqual(['/etc/nginx/meshgate/hosts/auth.example.com.conf']);
});
