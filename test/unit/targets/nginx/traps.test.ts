import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { identityOf, ingressesFor, meshOf } from '../../../../src/policy/checked/ingresses.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { erasedNames } from '../../../../src/targets/nginx/route/erase.ts';
import { hasServiceAgents } from '../../../../src/targets/nginx/route/route-listener.ts';
import { FORGED, INTERNAL } from '../../../security/forged-headers.ts';
import { cases, goldenPolicy, render } from './golden.ts';
import { all, args, type Parsed, readConf, treeOf } from './read.ts';
import { callsAsProxied, fallsInto, inherited, listsHeaders, meshTraps, tlsTraps, traps, trapsOf } from './traps.ts';

interface Place {
  readonly route: string;
  readonly match: string;
  readonly location: Parsed;
  /** It accepts gRPC calls. */
  readonly grpc: boolean;
}

/** The servers of a policy: those of the hosts, and those at the inner listener. */
const listeners = { hosts: '/.meshgate/check/', inner: '/.meshgate/hop/' } as const;
type ListenerName = keyof typeof listeners;

/** Every location of a rendered policy that proxies to a service, as nginx sees it. */
function proxied(name: string, listener: ListenerName = 'hosts'): readonly Place[] {
  const { files } = render(goldenPolicy(name));
  return Object.keys(files)
    .filter((path) => path.startsWith(`${listener}/`))
    .flatMap((path) => treeOf(files, path))
    .filter((one) => one.words.join(' ') === 'location ^~ /')
    .flatMap(({ block: around = [] }) => around.filter(proxies).map((location) => inherited(around, location)))
    .map((location) => ({
      grpc: isCall(location),
      location: isCall(location) ? callsAsProxied(location) : location,
      match: location.words.slice(1).join(' '),
      route: args(location.block ?? [], 'auth_request')[0]?.replace(listeners[listener], '') ?? '',
    }));
}

const isCall = (one: Parsed): boolean => args(one.block ?? [], 'grpc_pass').length > 0;

const proxies = (one: Parsed): boolean => isCall(one) || args(one.block ?? [], 'proxy_pass').length > 0;

/** To the sign-in's own JavaScript, and nowhere else. */
const toHandler = ({ words, block = [] }: Parsed): boolean =>
  /^\/\.meshgate\/(\w+\/?|callback\/\w+)$/.test(words[2] ?? '') &&
  args(block, 'proxy_pass').every((to) => to.startsWith('http://unix:/run/meshgate/check.sock:'));

test('nothing proxies except the routes, the hop to the check, that to the key set, and the sign-in', () => {
  for (const name of cases) {
    const policy = goldenPolicy(name);
    const ours = policy.gateway.assertion === undefined ? 1 : 2;
    for (const listener of ['hosts', 'inner'] as const) {
      const { files } = render(policy);
      const hosts = Object.keys(files).filter((path) => path.startsWith(`${listener}/`));
      const found = hosts.flatMap((path) => all(treeOf(files, path), 'location')).filter(proxies);
      const handlers = found.filter(toHandler);
      if (policy.gateway.session === undefined || listener === 'inner') expect(handlers).toEqual([]);
      expect(found.length - handlers.length).toBe(proxied(name, listener).length + ours * hosts.length);
    }
  }
});

const headers = (location: Parsed): readonly (readonly [string, string])[] =>
  (location.block ?? [])
    .filter((one) => one.words[0] === 'proxy_set_header')
    .map((one) => [one.words[1] ?? '', one.words[2] ?? '']);

/** The gateway's own headers in the rendered files, as names or as variables: for every setting of a policy. */
const ownNames = [
  ...new Set(
    cases.flatMap((name) =>
      Object.values(render(goldenPolicy(name)).files).flatMap((text) =>
        [...text.matchAll(/(?:\$(?:upstream_|sent_)?http_|[^a-z_$])(x[-_]meshgate[-_][a-z0-9_-]*[a-z0-9])/gi)].map(
          ([, own = '']) => own.toLowerCase().replaceAll('_', '-'),
        ),
      ),
    ),
  ),
];

/** The sources of an identity header: its own variable, or the value that nginx keeps of each answer for its log. */
const CARRIED = /^\$meshgate_(?:h\d+|user|provider|roles)(?= |$)/;

/** Variables that each answer of the check sets, some of them to empty text. */
const filledByAnswers = (http: string): readonly string[] => {
  const [map] = all(readConf(http), 'map').filter(({ words }) => words[2] === '$meshgate_answer');
  const text = (map?.block ?? []).flatMap(({ words }) => words).join(' ');
  return [...text.matchAll(/\(\?<(\w+)>/g)].map(([, name]) => `$${name}`);
};

const everyListener = [...cases.map((name) => [name, 'hosts'] as const), ['agents', 'inner'] as const];

describe.each(everyListener)('%s, %s', (name, listener) => {
  const places = proxied(name, listener);
  const policy = goldenPolicy(name);
  const hosts = listener === 'hosts' ? policy.hosts : policy.hosts.filter((host) => hasServiceAgents(host, policy));
  const routes = hosts.flatMap((host) => host.routes);
  const answers = filledByAnswers(render(policy).files['http.conf'] ?? '');

  test('every route has its locations, and each one calls the check by its name', () => {
    const expected = routes.flatMap((route) =>
      route.kind === 'exact'
        ? [`= ${route.path}`]
        : [
            ...(route.path === '' ||
            routes.some((o) => o.host === route.host && o.kind === 'exact' && o.path === route.path)
              ? []
              : [`= ${route.path}`]),
            `^~ ${route.path}/`,
          ],
    );
    expect(places.map(({ match }) => match)).toEqual(expected);
    expect(new Set(places.map(({ route }) => route))).toEqual(new Set(routes.map((route) => route.name)));
  });

  test.each(places.map((place) => [`${place.match} (${place.route})`, place] as const))(
    '%s',
    (_, { location, route, grpc }) => {
      expect(fallsInto(location, trapsOf(location, grpc)).map((trap) => trap.without)).toEqual([]);
      const sent = headers(location);
      const names = sent.map(([header]) => header.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
      const trusted = [...FORGED, ...INTERNAL].map((it) => it.toLowerCase());
      const passed = sent.filter(([, value]) => value.includes('$http_'));
      if (listsHeaders(location)) {
        // Headers that pass keep their name, which nothing trusts.
        const same = passed.filter(([name, value]) => value === `$http_${name.toLowerCase().replaceAll('-', '_')}`);
        expect(passed).toEqual(same);
        expect(passed.filter(([name]) => [...trusted, ...ownNames].includes(name.toLowerCase()))).toEqual([]);
        const passes = routes.find((one) => one.name === route)?.serviceCredential !== undefined;
        const credential = sent.filter(([name]) => name === 'Authorization').map(([, value]) => value);
        expect(credential).toEqual(passes ? ['$meshgate_authorization'] : []);
      } else {
        expect(names).toEqual(expect.arrayContaining(trusted));
        // Every header of the gateway in the rendered files of some policy.
        expect(ownNames.filter((it) => !names.includes(it))).toEqual([]);
        // Nothing that the client sent goes on under a name of the gateway.
        expect(passed).toEqual([]);
      }
      // Identity headers are empty unless the route sets them.
      const own = routes.find((one) => one.name === route)?.headers ?? {};
      const filled = args(location.block ?? [], 'auth_request_set').flatMap((it) => CARRIED.exec(it)?.[0] ?? []);
      const carried = sent.filter(([, value]) => CARRIED.test(value) && [...filled, ...answers].includes(value));
      expect(carried.map(([header]) => header)).toEqual(expect.arrayContaining(Object.keys(own)));
      // Headers of other routes have a field of their own, which the check leaves empty: rules/answer-lines.test.ts.
      const others = carried.filter(([header]) => !(header in own)).map(([, value]) => value);
      expect(others.filter((value) => filled.includes(value) || !/^\$meshgate_h\d+$/.test(value))).toEqual([]);
    },
  );
});

describe('the trap is seen', () => {
  const place = proxied('demo')[0] as Place;
  const needed = [...traps, ...tlsTraps, ...meshTraps];

  test.each(needed.map((trap) => [trap.directive, trap.without, trap] as const))('without %s: %s', (_, __, trap) => {
    const block = (place.location.block ?? []).filter(
      (one) => !(one.words[0] === trap.directive && trap.holds([one.words.slice(1).join(' ')])),
    );
    expect(fallsInto({ ...place.location, block }, needed)).toContain(trap);
  });

  test('without ^~', () => {
    expect(fallsInto({ ...place.location, words: ['location', '/x/'] }, needed)).toHaveLength(1);
  });
});

test('identity headers of the policy are erased in every spelling', () => {
  const names = erasedNames(['X-My-User']);
  expect(names).toEqual(expect.arrayContaining(['X-My-User', 'X_My_User', 'X-My_User', 'X_My-User', 'X-Meshgate-H0']));
});

test('of two identities on one route none shares an upstream', () => {
  const http = readConf(render(goldenPolicy('demo')).files['http.conf'] ?? '');
  const map = http.find((one) => one.words[0] === 'map' && one.words[2] === '$meshgate_upstream');
  const upstreams = (map?.block ?? []).filter((one) => one.words[0] !== 'default').map((one) => one.words[1]);
  expect(upstreams).toEqual(['meshgate_ingress_default', 'meshgate_ingress_editor', 'meshgate_ingress_reader']);
  for (const name of upstreams) {
    const found = all(http, 'upstream').filter((one) => one.words[1] === name);
    expect(found).toHaveLength(1);
    expect(args(found[0]?.block ?? [], 'keepalive_time')).toEqual(['30s']);
  }
});

describe.each(['canary', 'ingresses', 'meshes'])(
  '%s: rules with a place: each to its own service, ingress and identity',
  (name) => {
    const policy = goldenPolicy(name);
    const files = render(policy).files;
    const http = readConf(files['http.conf'] ?? '');
    const rules = compile(policy);
    const choosing = rules.filter((rule) =>
      rules.some((other) => other.route === rule.route && other.service !== rule.service),
    );
    const reported = (field: string, rule: string) =>
      args(http.find((one) => one.words[2] === `$meshgate_rule_${field}`)?.block ?? [], rule)[0];

    test.each(choosing.map((rule) => [rule.id, rule] as const))('%s', (id, { service, as }) => {
      const { authority, direct } = policy.services[service]!;
      const identity = identityOf(policy, { service, as });
      const mesh = meshOf(policy, policy.services[service]);
      const { ingresses } = policy.services[service]!;
      const ingress = mesh && ingressesFor(mesh, policy.services[service]!)[0];
      const own = ingress?.name === 'default' ? '' : `${ingress?.name}_`;
      const one = `ingress_${policy.mesh ? '' : `mesh_${mesh?.name}_`}${own}`;
      // The upstreams of several ingresses have the name of the first service with these ingresses.
      const first = Object.values(policy.services).find((it) => isDeepStrictEqual(it.ingresses, ingresses));
      const { serviceAccount, namespace } = policy.services[service]!;
      const linkerd = mesh?.kind === 'linkerd';
      const workload = linkerd && serviceAccount !== undefined;
      const listener = workload ? `workload_${service}_` : ingresses ? `ingresses_${first!.name}_` : one;
      const itself = `${serviceAccount}.${namespace}.serviceaccount.identity.linkerd.${mesh?.trustDomain}`;
      const scheme = direct?.tls === false ? 'http' : 'https';
      expect({
        service: reported('service', id),
        authority: reported('authority', id),
        pass: reported('pass', id),
        name: reported('name', id),
        cert: reported('cert', id),
        key: reported('key', id),
      }).toEqual({
        service,
        authority: linkerd ? authority.toLowerCase() : authority,
        pass: `${scheme}://meshgate_${direct ? `direct_${service}` : `${listener}${as}`}`,
        name: direct ? (direct.tls ? direct.serverName : '') : workload ? itself : ingress!.serverName,
        cert: direct ? '' : identity!.certFile,
        key: direct ? '' : identity!.keyFile,
      });
    });

    test('a rule that is not among them leads nowhere', () => {
      for (const field of ['authority', 'pass', 'name', 'cert', 'key']) expect(reported(field, 'default')).toBe('');
    });
  },
);

describe('a route with a service in the mesh', () => {
  test('sends a certificate, and no other does', () => {
    const shows = proxied('canary').map(({ route, location }) => [
      route,
      args(location.block ?? [], 'auth_request_set').some((one) => one.startsWith('$meshgate_cert ')),
    ]);
    expect(Object.fromEntries(shows)).toEqual({
      'wiki.example.com/*': true,
      'wiki.example.com/static/*': false,
      'wiki.example.com/same/*': true,
    });
  });
});

describe('several meshes', () => {
  const policy = goldenPolicy('meshes');
  const http = readConf(render(policy).files['http.conf'] ?? '');
  const upstreams = new Map(all(http, 'upstream').map(({ words, block = [] }) => [words[1], args(block, 'server')[0]]));
  /** The value of a map for a key, or the text itself if it names no variable. */
  const mapped = (text: string, key: string): string => {
    const name = /\$\w+$/.exec(text)?.[0];
    const map = http.find(({ words }) => words[0] === 'map' && words[2] === name);
    // A key named default is escaped.
    const value = map && [key, `\\${key}`].flatMap((it) => args(map.block ?? [], it)).at(-1);
    return name === undefined ? text : text.replace(name, value ?? '');
  };

  test('each rule reaches the ingress of its own mesh, with an identity of its own mesh', () => {
    const places = proxied('meshes').map(({ route, location }) => [route, location.block ?? []] as const);
    const blocks = new Map(places);
    const rules = compile(policy).filter(({ service }) => policy.services[service]?.direct === undefined);
    const found = rules.map(({ id, route, as }) => {
      const block = blocks.get(route) ?? [];
      const set = (name: string) =>
        args(block, 'auth_request_set')
          .find((one) => one.startsWith(`$meshgate_${name} `))
          ?.split(' ')[1] ?? '';
      const chosen = (name: string) => mapped(set(name), set(name).includes('_rule_') ? id : as);
      const upstream = chosen('pass').replace('https://', '');
      return [id, chosen('mesh'), upstreams.get(upstream)?.split(':')[0], chosen('cert'), chosen('destination')];
    });
    expect(found).toEqual([
      ['wiki.example.com/*#1', 'north', 'ingress.north.mesh', '/run/north/beta.pem', ''],
      ['wiki.example.com/*#2', 'north', 'ingress.north.mesh', '/run/north/gateway.pem', ''],
      ['wiki.example.com/search/*#1', 'north', 'west.north.mesh', '/run/north/beta.pem', ''],
      ['wiki.example.com/search/*#2', 'north', 'west.north.mesh', '/run/north/gateway.pem', ''],
      [
        'wiki.example.com/both/*#1',
        'north-west',
        'ingress.linkerd.mesh',
        '/run/linkerd/beta.pem',
        'notes.notes.svc.cluster.local:80',
      ],
      ['wiki.example.com/both/*#3', 'north', 'west.north.mesh', '/run/north/gateway.pem', ''],
      [
        'notes.example.com/*#1',
        'north-west',
        'ingress.linkerd.mesh',
        '/run/linkerd/beta.pem',
        'notes.notes.svc.cluster.local:80',
      ],
      [
        'notes.example.com/*#2',
        'north-west',
        'ingress.linkerd.mesh',
        '/run/linkerd/gateway.pem',
        'notes.notes.svc.cluster.local:80',
      ],
      ['notes.example.com/reports/*#1', 'consul', '192.0.2.7', '/run/consul/gateway.pem', ''],
    ]);
  });

  test('no two of mesh, ingress and identity share an upstream', () => {
    const names = all(http, 'upstream').map(({ words }) => words[1]);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name?.startsWith('meshgate_ingress_'))).toHaveLength(7);
    const variables = http.filter(({ words }) => words[0] === 'map').map(({ words }) => words[2]?.toLowerCase());
    expect(new Set(variables).size).toBe(variables.length);
  });
});

describe('several ingresses', () => {
  const { files } = render(goldenPolicy('ingresses'));
  const upstreams = all(readConf(files['http.conf'] ?? ''), 'upstream');

  test('each has its own upstream for each identity that it receives', () => {
    const servers = upstreams.map(({ words, block = [] }) => [words[1], args(block, 'server')[0]]);
    expect(Object.fromEntries(servers)).toMatchObject({
      meshgate_ingress_default: 'ingress.mesh:8443 resolve',
      meshgate_ingress_beta: 'ingress.mesh:8443 resolve',
      'meshgate_ingress_north-west_default': 'nw.mesh:8443 resolve',
      'meshgate_ingress_north-west_beta': 'nw.mesh:8443 resolve',
      meshgate_ingress_south_beta: '192.0.2.7:443',
    });
    expect(upstreams.map(({ words }) => words[1])).not.toContain('meshgate_ingress_south_default');
  });

  test('each location verifies by the CA and the name of its own', () => {
    const verified = proxied('ingresses').map(({ match, location: { block = [] } }) => [
      match,
      [args(block, 'proxy_ssl_trusted_certificate')[0], args(block, 'proxy_ssl_name')[0]],
    ]);
    expect(Object.fromEntries(verified)).toEqual({
      '^~ /': ['/run/mesh/ca.pem', 'ingress.mesh'],
      '= /search': ['/run/mesh/nw.pem', 'north-west.mesh'],
      '^~ /search/': ['/run/mesh/nw.pem', 'north-west.mesh'],
      '= /both': ['/run/mesh/nw.pem', '$meshgate_rule_name'],
      '^~ /both/': ['/run/mesh/nw.pem', '$meshgate_rule_name'],
    });
  });
});

test('each server closes the locations that others add, before it matches any', () => {
  const { files } = render(goldenPolicy('demo'));
  for (const path of Object.keys(files)) {
    if (!path.startsWith('hosts/')) continue;
    const server = treeOf(files, path);
    expect(args(server, 'auth_request')).toEqual(['/.meshgate/check/-']);
    expect(args(server, 'satisfy')).toEqual(['all']);
    expect(args(server, 'underscores_in_headers')).toEqual(['off']);
    expect(server.find((one) => one.words[0] === 'if')?.words).toEqual(['if', '($meshgate_odd)']);
    // A `set` at this level would run again in the check's subrequest and erase the location's value.
    expect(args(server, 'set')).toEqual([]);
    const hop = server.find((one) => one.words[2] === '/.meshgate/check/')?.block ?? [];
    expect(hop[0]?.words).toEqual(['internal']);
    expect(args(hop, 'proxy_pass_request_headers')).toEqual(['off']);
    expect(args(hop, 'client_max_body_size')).toEqual(['0']);
  }
});

describe('the inner listener', () => {
  const { files } = render(goldenPolicy('agents'));
  const server = treeOf(files, 'inner/dashboard.example.com.conf');

  test('has the hosts with a rule for an agent, and no others', () => {
    expect(Object.keys(files).filter((path) => path.startsWith('inner/'))).toEqual([
      'inner/dashboard.example.com.conf',
    ]);
    expect(args(readConf(files['servers.conf'] ?? ''), 'include')).toEqual([]);
    const servers = all(readConf(files['servers.conf'] ?? ''), 'server').map(({ block = [] }) => block);
    const inside = servers.filter((block) => args(block, 'listen')[0]?.includes('front-8444.sock'));
    expect(inside.map((block) => args(block, 'server_name')[0])).toEqual(['_', 'dashboard.example.com']);
  });

  test('requires a certificate on each connection, also for other names', () => {
    const unknown = all(readConf(files['servers.conf'] ?? ''), 'server').find(
      ({ block = [] }) => args(block, 'listen')[0] === 'unix:/run/meshgate/front-8444.sock ssl default_server',
    );
    for (const block of [server, unknown?.block ?? []]) {
      expect(args(block, 'ssl_client_certificate')).toEqual(['/run/mesh/services.pem']);
      expect(args(block, 'ssl_verify_client')).toEqual(['on']);
      expect(args(block, 'ssl_session_cache')).toEqual(['off']);
      expect(args(block, 'ssl_session_tickets')).toEqual(['off']);
      expect(args(block, 'error_page')).toContain('495 496 = /.meshgate/certificate');
    }
  });

  test('accepts a certificate only if the connection was made for the host', () => {
    const map = all(readConf(files['http.conf'] ?? ''), 'map').find(({ words }) => words[2] === '$meshgate_inner_cert');
    expect(map?.words[1]).toBe('$ssl_server_name');
    expect(map?.block?.map(({ words }) => words)).toEqual([
      ['hostnames'],
      ['default', ''],
      ['dashboard.example.com', '$ssl_client_escaped_cert'],
    ]);
  });

  test('passes certificate and assertion to its own check, and no other server does', () => {
    const sent = (file: string, path: string) =>
      headers(all(treeOf(files, file), 'location').find((one) => one.words[2] === path) as Parsed);
    expect(args(server, 'auth_request')).toEqual(['/.meshgate/hop/-']);
    expect(sent('inner/dashboard.example.com.conf', '/.meshgate/hop/')).toEqual(
      expect.arrayContaining([
        ['X-Meshgate-Assertion', '$http_x_meshgate_assertion'],
        ['SSL-Client-Cert', '$meshgate_inner_cert'],
      ]),
    );
    expect(sent('hosts/dashboard.example.com.conf', '/.meshgate/check/').map(([name]) => name)).toEqual([
      ...['Host', 'Connection', 'X-Meshgate-Method'],
    ]);
    const outer = JSON.stringify(treeOf(files, 'hosts/dashboard.example.com.conf'));
    expect(outer).not.toContain('/.meshgate/hop/');
    expect(outer).not.toContain('ssl_client');
  });
});

test('inherits nothing from the http level around it', () => {
  const http = treeOf(render(goldenPolicy('demo')).files, 'http.conf');
  const servers = all(http, 'server').filter((one) => one.block !== undefined);
  expect(servers).toHaveLength(3);
  for (const { block = [] } of servers) {
    expect(args(block, 'auth_request')).toEqual(['off']);
    expect(args(block, 'auth_basic')).toEqual(['off']);
    expect(args(block, 'allow')).toEqual(['all']);
    expect(args(block, 'error_page')).toHaveLength(1);
    expect(args(block, 'access_log')).toEqual(['off']);
  }
});
