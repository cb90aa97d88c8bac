import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { proveIdentities } from '../../../../src/rules/compare/prove.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { consulDrift } from '../../../../src/targets/consul/drift.ts';
import { consul } from '../../../../src/targets/consul/index.ts';
import { consulProjection } from '../../../../src/targets/consul/project.ts';
import { readConsul } from '../../../../src/targets/consul/read.ts';
import { draw, holds } from '../../../harness/property.ts';
import { CHANGES, chance, plant } from '../../rules/mutate.ts';
import { withTools } from '../tools.ts';
import { consulPolicy, JWKS, render } from './samples.ts';

const OPTIONS = { assertionJwks: JWKS };

test('read back, what was rendered allows what the rules do, on any policy', () => {
  holds(
    fc.property(consulPolicy, (policy) => {
      const rules = compile(policy);
      const { files } = consul.emit(policy, rules, OPTIONS);
      expect(Object.keys(files).length).toBeGreaterThan(1);
      expect(proveIdentities(consulProjection(policy, rules), readConsul(files))).toBeUndefined();
    }),
    200,
  );
});

test('with tools of agents, too', () => {
  let looking = 0;
  holds(
    fc.property(withTools(consulPolicy), (policy) => {
      const rules = compile(policy);
      const { files } = consul.emit(policy, rules, OPTIONS);
      if (JSON.stringify(files).includes('mcp-method')) looking += 1;
      expect(proveIdentities(consulProjection(policy, rules), readConsul(files))).toBeUndefined();
    }),
    100,
  );
  expect(looking).toBeGreaterThan(30);
});

test('planted differences are found on either side, and none is invented', () => {
  const seen = (policy: Policy) => consulProjection(policy, compile(policy));
  let found = 0;
  for (const [index, one] of draw(consulPolicy, 20).entries()) {
    for (const kind of CHANGES) {
      const { policy: changed } = plant(one, kind, chance(index));
      const rules = compile(changed);
      if (rules.length === 0) continue;
      const read = readConsul(consul.emit(changed, rules, OPTIONS).files);
      const witness = proveIdentities(seen(one), read);
      if (witness !== undefined) found += 1;
      expect(proveIdentities(read, seen(one)) === undefined).toBe(witness === undefined);
      expect(proveIdentities(seen(one), seen(changed)) === undefined).toBe(witness === undefined);
    }
  }
  expect(found).toBeGreaterThan(80);
});

// biome-ignore lint/suspicious/noExplicitAny: entries of several kinds, as JSON has them
type Any = any;

const DEMO = `agents: { pages: { match: { service: app }, acts_for: [editor] } }
services: { wiki: { authority: wiki.apps }, app: { authority: app.apps, spiffe: "spiffe://x.consul/ns/default/dc/a/svc/app" } }
hosts:
  w.test:
    /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, as: wiki-editor }, { agent: pages }] }
    /open/*: { service: wiki, allow: [anyone] }
    /app: { service: app, allow: [authenticated] }
`;
const demo = render(DEMO.replace('x.consul', '11111111-2222-3333-4444-555555555555.consul'), {
  gateway:
    'inner: { client_ca_file: /run/ca, tls: { cert_file: /run/c, key_file: /run/k } }, assertion: { issuer: "https://gw.test", keys_file: /run/keys }',
});
const expected = consulProjection(demo.policy, demo.rules);

const FILLED = { CreateIndex: 7, ModifyIndex: 9, Partition: 'default', Namespace: 'default' };

/** The live entries, as `consul config read` prints them, one after the other. */
function live(change: (entry: Any) => unknown = () => {}): Record<string, string> {
  const entries = demo.entries.map((entry) => {
    const copy = { ...structuredClone(entry), ...FILLED };
    for (const [index, source] of (copy.Sources ?? []).entries()) {
      Object.assign(source, { Precedence: 9 - index, Type: 'consul', LegacyMeta: {} });
    }
    return change(copy) === null ? '' : `${JSON.stringify(copy, null, 4)}\n`;
  });
  return { '-': entries.join('') };
}

const exported = (Name: string) => ({ Services: [{ Name, Consumers: [{ Peer: 'east' }] }] });

/** The live entries with one of them changed; null: without it. */
const changed = (title: string, change: (entry: Any) => unknown) =>
  live((it) => (`${it.Kind} ${it.Name}` === title ? change(it) : undefined));

const WIKI = 'service-intentions wiki';
const ABSENT = `${WIKI}: it is missing: without it other intentions and the default of the mesh decide which services pass`;
const permission = (entry: Any, path: string) =>
  entry.Sources[0].Permissions.find(({ HTTP }: Any) =>
    [HTTP.PathPrefix, HTTP.PathExact, HTTP.PathRegex].includes(path),
  );
const OPEN = '/open(/.*)?';
const drift = (files: Record<string, string>, options = OPTIONS) =>
  consulDrift(demo.policy, demo.rules, options, files);

test('the output of Consul is read', () => {
  expect(expected.length).toBeGreaterThan(4);
  expect(proveIdentities(expected, readConsul(live()))).toBeUndefined();
  expect(drift(live())).toEqual([]);
  expect(readConsul({ all: `[${live()['-']?.replace(/^}\n(?=\{)/gm, '},\n')}]\n` })).toEqual(readConsul(live()));
});

describe('a change by hand', () => {
  const claim = (entry: Any, path: string, name: string) =>
    permission(entry, path).JWT.Providers[0].VerifyClaims.find(({ Path }: Any) => Path[0] === name);

  test.each<[string, (entry: Any) => unknown, string]>([
    ['a role', (it) => claim(it, '/', 'by_role').Path.splice(1, 1, 'admin'), 'of role editor, by agent pages'],
    ['whose it is', (it) => Object.assign(claim(it, '/', 'by_role'), { Value: 'agent x' }), 'by agent pages'],
    ['another identity', (it) => Object.assign(claim(it, '/', 'as'), { Value: 'x' }), 'as default, for wiki'],
    ['another audience', (it) => Object.assign(claim(it, '/', 'aud'), { Value: 'app' }), 'as default, for wiki'],
    ['no assertion', (it) => delete permission(it, '/').JWT, 'ingress'],
    ['an assertion', (it) => (permission(it, OPEN).JWT = structuredClone(permission(it, '/').JWT)), 'ingress'],
    ['methods', (it) => Object.assign(permission(it, OPEN).HTTP, { Methods: ['GET'] }), 'ingress'],
    ['a path', (it) => Object.assign(permission(it, OPEN).HTTP, { PathRegex: '/opened(/.*)?' }), 'ingress'],
    ['an action', (it) => Object.assign(permission(it, OPEN), { Action: 'deny' }), 'ingress'],
    ['a source', (it) => Object.assign(it.Sources[0], { Name: 'gateway' }), 'ingress'],
    ['all of a source', (it) => it.Sources.unshift({ Name: 'other', Action: 'allow' }), 'other'],
    ['every source', (it) => Object.assign(it.Sources.at(-1), { Action: 'allow' }), '*'],
  ])('%s: a request differs', (_, change, caller) => {
    const files = changed(WIKI, change);
    expect(proveIdentities(expected, readConsul(files))?.caller).toContain(caller);
    expect(drift(files)).toEqual([]);
  });

  test.each<[string, (entry: Any) => unknown, string]>([
    [
      'a header',
      (it) => Object.assign(permission(it, '/').HTTP, { Header: [{ Name: 'x', Present: true }] }),
      '"Present"',
    ],
    [
      'a header’s value',
      (it) => Object.assign(permission(it, '/').HTTP, { Header: [{ Name: 'x', Exact: 'y' }] }),
      '"y"',
    ],
    ['another claim', (it) => Object.assign(claim(it, '/', 'as'), { Path: ['sub'] }), '"sub"'],
    ['a claim less', (it) => permission(it, '/').JWT.Providers[0].VerifyClaims.shift(), '"as"'],
    ['another provider', (it) => Object.assign(permission(it, '/').JWT.Providers[0], { Name: 'x' }), '"x"'],
    ['a provider for all', (it) => (it.JWT = { Providers: [{ Name: 'meshgate' }] }), '"JWT"'],
    ['a loose prefix', (it) => (permission(it, OPEN).HTTP = { PathPrefix: '/open' }), '"/open"'],
    ['a loose expression', (it) => (permission(it, OPEN).HTTP = { PathRegex: '/open(/.*)?|.*' }), 'PathRegex'],
    ['a regular expression', (it) => (permission(it, OPEN).HTTP = { PathRegex: '/open.*' }), 'PathRegex'],
    ['a peer', (it) => Object.assign(it.Sources[0], { Peer: 'east' }), '"Peer"'],
    ['a namespace', (it) => Object.assign(it.Sources[0], { Namespace: 'apps' }), '"Namespace"'],
    ['a partition', (it) => Object.assign(it, { Partition: 'east' }), '"Partition"'],
    ['no odd paths', (it) => it.Sources[0].Permissions.shift(), 'paths that are not canonical are not refused'],
    ['no end', (it) => it.Sources[0].Permissions.pop(), 'the default of the mesh decides'],
    ['no other sources', (it) => it.Sources.pop(), 'other intentions decide'],
    ['both', (it) => Object.assign(it.Sources[0], { Action: 'allow' }), 'ingress'],
    ['a denied token', (it) => Object.assign(permission(it, '/'), { Action: 'deny' }), 'deny'],
    ['no path', (it) => (permission(it, '/').HTTP = { Methods: ['GET'] }), 'Methods'],
  ])('%s: the reason why it cannot be read', (_, change, message) => {
    expect(() => readConsul(changed(WIKI, change))).toThrow(message);
  });

  test.each([
    ['text that is not JSON', '{', 'not JSON'],
    ['a list of texts', '["a"]', 'no entries of Consul'],
    ['something else', '{ "a": 1 }', 'no entries of Consul'],
  ])('%s is not an entry', (_, text, message) => {
    expect(() => readConsul({ a: text })).toThrow(message);
  });

  test.each<[string, string, (entry: Any) => unknown, readonly string[]]>([
    ['an entry less', WIKI, () => null, [ABSENT]],
    ['a foreign entry', WIKI, (it) => delete it.Meta, [`${WIKI}: Meta is nothing, and not {"managed-by":"meshgate"}`]],
    [
      'an entry more',
      WIKI,
      (it) => Object.assign(it, { Name: 'old' }),
      [ABSENT, 'service-intentions old: meshgate does not render it; delete what is left over'],
    ],
    [
      'a protocol',
      'service-defaults wiki',
      (it) => Object.assign(it, { Protocol: 'tcp' }),
      ['service-defaults wiki: Protocol is "tcp", and not "http"'],
    ],
    ['a protocol that is as good', 'service-defaults wiki', (it) => Object.assign(it, { Protocol: 'http2' }), []],
    [
      'mutual TLS',
      'service-defaults wiki',
      (it) => delete it.MutualTLSMode,
      ['service-defaults wiki: MutualTLSMode is nothing, and not "strict"'],
    ],
    ['more of a service', 'service-defaults wiki', (it) => Object.assign(it, { UpstreamConfig: {}, Meta: {} }), []],
    [
      'an issuer',
      'jwt-provider meshgate',
      (it) => Object.assign(it, { Issuer: 'https://x' }),
      ['jwt-provider meshgate: Issuer is "https://x", and not "https://gw.test"'],
    ],
    [
      'an audience',
      'jwt-provider meshgate',
      (it) => it.Audiences.pop(),
      ['jwt-provider meshgate: Audiences[1] is nothing, and not "app"'],
    ],
    [
      'where it is',
      'jwt-provider meshgate',
      (it) => Object.assign(it.Locations[0].Header, { Name: 'Authorization' }),
      ['jwt-provider meshgate: Locations[0].Header.Name is "Authorization", and not "X-Meshgate-Assertion"'],
    ],
  ])('%s is reported', (_, title, change, lines) => {
    expect(drift(changed(title, change))).toEqual(lines);
  });

  test('a pattern that refuses no path is reported', () => {
    const [odd] = demo.entries.flatMap(({ Sources = [] }) => Sources[0]?.Permissions?.[0]?.HTTP?.PathRegex ?? []);
    const files = changed(WIKI, (it) => (it.Sources[0].Permissions[0].HTTP.PathRegex = `${odd}never`));
    expect(drift(files)).toEqual([
      expect.stringMatching(/^service-intentions wiki: for ingress it denies other paths as not canonical: /),
    ]);
  });

  test('a method that no rule of a policy can name is not read', () => {
    const files = changed(WIKI, (it) => permission(it, '/').HTTP.Methods.push('PROPFIND'));
    expect(() => readConsul(files)).toThrow('not as meshgate renders it: {"Methods":"PROPFIND"}');
  });

  const other = (entry: object) => drift({ ...live(), other: JSON.stringify(entry) });

  test.each<[string, object, string]>([
    [
      'a named source for every service',
      { Kind: 'service-intentions', Name: '*', Sources: [{ Name: 'writer', Action: 'allow' }] },
      'service-intentions *: it allows writer to call every service, whatever the intentions of that service say',
    ],
    [
      'an extension of all proxies',
      { Kind: 'proxy-defaults', Name: 'global', EnvoyExtensions: [{ Name: 'builtin/lua' }] },
      'proxy-defaults global: it applies to every service, and EnvoyExtensions is [{"Name":"builtin/lua"}], which meshgate does not render',
    ],
    [
      'paths of all proxies past their rules',
      { Kind: 'proxy-defaults', Name: 'global', Expose: { Checks: true } },
      'proxy-defaults global: it applies to every service, and Expose is {"Checks":true}, which meshgate does not render',
    ],
    [
      'a listener of one’s own',
      { Kind: 'proxy-defaults', Name: 'global', Config: { envoy_public_listener_json: '{}' } },
      'proxy-defaults global: it applies to every service, and Config.envoy_public_listener_json is "{}", which meshgate does not render',
    ],
    [
      'paths as they come',
      { Kind: 'mesh', HTTP: { Incoming: { RequestNormalization: { InsecureDisablePathNormalization: true } } } },
      'mesh mesh: it applies to every service, and HTTP.Incoming is {"RequestNormalization":{"InsecureDisablePathNormalization":true}}, which meshgate does not render',
    ],
    ['an unknown kind', { Kind: 'new-kind', Name: 'x' }, 'new-kind x: prove does not know entries of this kind'],
  ])('%s is reported', (_, entry, line) => {
    expect(other(entry)).toEqual([line]);
  });

  test.each<[string, object]>([
    [
      'a refusal for every service',
      { Kind: 'service-intentions', Name: '*', Sources: [{ Name: '*', Action: 'deny' }] },
    ],
    [
      'the log settings',
      { Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'http' }, AccessLogs: { Enabled: true } },
    ],
    ['versions of TLS', { Kind: 'mesh', TLS: { Incoming: { TLSMinVersion: 'TLSv1_3' } } }],
    ['the place of another service', { Kind: 'service-resolver', Name: 'db' }],
  ])('%s is ignored', (_, entry) => {
    expect(other(entry)).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['Expose', { Paths: [{ Path: '/healthz', ListenerPort: 21500 }] }, 'Expose is '],
    ['EnvoyExtensions', [{ Name: 'builtin/ext-authz' }], 'EnvoyExtensions is '],
    ['RateLimits', { InstanceLevel: { RequestsPerSecond: 1 } }, 'RateLimits is '],
  ])('%s of a service is reported', (key, value, line) => {
    const files = changed('service-defaults wiki', (it) => Object.assign(it, { [key]: value }));
    expect(drift(files)).toEqual([expect.stringContaining(`service-defaults wiki: ${line}`)]);
  });

  test.each([
    ['wiki', [{ Match: { HTTP: { PathPrefix: '/open' } }, Destination: { PrefixRewrite: '/admin' } }], 1],
    ['Wiki', [], 1],
    ['db', [{ Destination: { Service: 'wiki', PrefixRewrite: '/admin' } }], 1],
    ['db', [{ Destination: { Service: 'other', PrefixRewrite: '/admin' } }], 0],
  ])('a service-router that concerns a rendered service is a difference: %s %j', (Name, Routes, count) => {
    const files = { ...live(), other: JSON.stringify({ Kind: 'service-router', Name, Routes }) };
    const found = drift(files);
    expect(found).toHaveLength(count);
    for (const line of found) expect(line).toContain('it may rewrite paths of a rendered service');
  });

  test.each<[string, object, boolean]>([
    ['service-resolver wiki', { Redirect: { Service: 'lax' } }, true],
    ['service-resolver Wiki', { Redirect: { Peer: 'elsewhere' } }, true],
    ['service-resolver wiki', { Failover: { '*': { Service: 'lax' } } }, true],
    [
      'service-resolver wiki',
      { DefaultSubset: 'v1', Subsets: { v1: { Filter: 'Service.Meta.version == v1' } } },
      false,
    ],
    ['service-resolver db', { Redirect: { Service: 'lax' } }, false],
    ['service-splitter wiki', { Splits: [{ Weight: 90 }, { Weight: 10, Service: 'lax' }] }, true],
    ['service-splitter wiki', { Splits: [{ Weight: 100, Service: 'wiki', ServiceSubset: 'v1' }] }, false],
    ['service-splitter wiki', { Splits: [{ Weight: 100, Namespace: 'other' }] }, true],
  ])('%s %j is a difference if it may lead requests to another service: %s', (title, members, differs) => {
    const [Kind, Name] = title.split(' ');
    const found = drift({ ...live(), other: JSON.stringify({ Kind, Name, ...members }) });
    expect(found).toHaveLength(differs ? 1 : 0);
    for (const line of found) expect(line).toContain('whose intentions decide');
  });

  test.each(['ingress-gateway', 'api-gateway'])('a %s with the name of a source is a difference', (Kind) => {
    const [source] = Object.values(live()).flatMap(
      (text) => /"Name": *"([\w-]+)",\s*"Permissions"/.exec(text)?.[1] ?? [],
    );
    expect(source).toBeDefined();
    const found = drift({ ...live(), other: JSON.stringify({ Kind, Name: source, Listeners: [] }) });
    expect(found).toEqual([expect.stringContaining(`${Kind} ${source}: Consul’s own gateway asks nginx for no cert`)]);
    expect(drift({ ...live(), other: JSON.stringify({ Kind, Name: 'elsewhere', Listeners: [] }) })).toEqual([]);
  });

  const UPSTREAM = { Name: 'wiki', Protocol: 'http', ConnectTimeoutMs: 1000 };

  test.each<[string, string, object, string | undefined]>([
    [
      'exports to a peer',
      'exported-services default',
      exported('wiki'),
      'other partitions and peers can connect to it',
    ],
    ['exports of all', 'exported-services default', exported('*'), 'other partitions and peers can connect to it'],
    ['services that are not a list', 'exported-services default', { Services: { Name: 'Wiki' } }, 'can connect to it'],
    ['exports of another service', 'exported-services default', exported('db'), undefined],
    ['no exports', 'exported-services default', {}, undefined],
    [
      'a script in the proxy of the source',
      'service-defaults Ingress',
      { EnvoyExtensions: [{ Name: 'builtin/lua' }] },
      'before the intentions see them: EnvoyExtensions is',
    ],
    [
      'a cluster of one’s own in the proxy of the source',
      'service-defaults ingress',
      { UpstreamConfig: { Overrides: [{ ...UPSTREAM, EnvoyClusterJSON: '{}' }] } },
      'before the intentions see them: UpstreamConfig.Overrides[0].EnvoyClusterJSON is',
    ],
    [
      'a listener of one’s own for all upstreams of the source',
      'service-defaults ingress',
      { UpstreamConfig: { Defaults: { EnvoyListenerJSON: '{}' } } },
      'before the intentions see them: UpstreamConfig.Defaults.EnvoyListenerJSON is',
    ],
    [
      'an upstream of the source at a peer',
      'service-defaults ingress',
      { UpstreamConfig: { Overrides: [{ ...UPSTREAM, Peer: 'east' }] } },
      'UpstreamConfig.Overrides[0].Peer is "east"',
    ],
    ['an unknown member of the source', 'service-defaults ingress', { NewMember: 1 }, 'NewMember is 1'],
    [
      'limits of the source',
      'service-defaults ingress',
      { Protocol: 'tcp', MaxInboundConnections: 5, Meta: { a: 'b' }, UpstreamConfig: { Overrides: [UPSTREAM] } },
      undefined,
    ],
    [
      'a script in the proxy of another service',
      'service-defaults db',
      { EnvoyExtensions: [{ Name: 'builtin/lua' }] },
      undefined,
    ],
    [
      'a gateway to services outside',
      'terminating-gateway out',
      { Services: [{ Name: '*' }] },
      'does not know entries',
    ],
    ['a group for failover', 'sameness-group all', { DefaultForFailover: true }, 'does not know entries'],
    ['routes of a gateway', 'http-route web', { Parents: [{ Name: 'edge' }], Rules: [] }, undefined],
    ['another provider', 'jwt-provider okta', { Issuer: 'https://x' }, undefined],
  ])('%s: %s %j', (_, title, members, line) => {
    const [Kind, Name] = title.split(' ');
    const found = other({ Kind, Name, ...members });
    expect(found).toEqual(line === undefined ? [] : [expect.stringContaining(line)]);
  });

  test('an external name for a rendered service is reported', () => {
    const files = changed('service-defaults wiki', (it) => Object.assign(it, { ExternalSNI: 'lax.example.com' }));
    expect(drift(files)).toEqual([expect.stringContaining('service-defaults wiki: ExternalSNI is "lax.example.com"')]);
  });

  test('foreign intentions for other services are ignored', () => {
    const other = { Kind: 'service-intentions', Name: 'db', Sources: [{ Name: 'wiki', Permissions: [{ JWT: 1 }] }] };
    const files = { ...live(), other: JSON.stringify(other) };
    expect(proveIdentities(expected, readConsul(files))).toBeUndefined();
    expect(drift(files)).toEqual([]);
  });

  test('keys can only be compared with the expected ones', () => {
    expect(drift(live(), {} as typeof OPTIONS)).toEqual([
      'jwt-provider meshgate: its keys are not known; give --assertion-jwks',
    ]);
    expect(drift(live(), { assertionJwks: '{"keys":[]}' })).toEqual([
      expect.stringMatching(/^jwt-provider meshgate: JSONWebKeySet\.Local\.JWKS is /),
    ]);
  });
});

describe('a change by hand of tools', () => {
  const tools = render(`agents: { bot: { match: { client_id: bot }, acts_for: [reader], bound: none } }
services: { wiki: { authority: wiki.apps } }
hosts: { w.test: { /mcp: { service: wiki, allow: [{ agent: bot, tools: [search_*, read_page] }, reader] } } }
`);
  const own = consulProjection(tools.policy, tools.rules);
  const all = (entry: Any): Any[] => entry.Sources[0].Permissions;
  const about = (entry: Any, text: string) =>
    all(entry).find((it) => JSON.stringify(it.HTTP.Header ?? '').includes(text));
  const nameOf = (entry: Any, text: string) => about(entry, text).HTTP.Header.at(-1);
  const read = (change: (entry: Any) => unknown) => {
    const entries = structuredClone(tools.entries);
    change(entries.find(({ Kind }) => Kind === 'service-intentions'));
    return proveIdentities(own, readConsul({ all: JSON.stringify(entries) }))?.caller;
  };

  test('without a change nothing is reported', () => {
    expect(read(() => {})).toBeUndefined();
  });

  test.each<[string, (entry: Any) => unknown, string]>([
    [
      'another name',
      (it) => Object.assign(nameOf(it, 'read_page'), { Exact: 'delete_page' }),
      'with tools/call read_page',
    ],
    [
      'another beginning',
      (it) => Object.assign(nameOf(it, 'search_'), { Regex: 's[A-Za-z0-9_./-]*' }),
      'with tools/call s',
    ],
    ['a tool less', (it) => all(it).splice(all(it).indexOf(about(it, 'read_page')), 1), 'tools/call read_page'],
    [
      'any tool',
      (it) =>
        (it.Sources[0].Permissions = all(it)
          .filter(({ HTTP }) => HTTP.Header === undefined)
          .map((own) => (own.JWT ? { ...own, JWT: about(it, 'read_page').JWT } : own))),
      'by agent bot',
    ],
  ])('%s: a message differs', (_, change, message) => {
    expect(read(change)).toContain(message);
  });

  test.each<[string, (entry: Any) => unknown]>([
    ['another version', (it) => Object.assign(about(it, 'read_page').HTTP.Header[0], { Exact: '2025-11-25' })],
    ['no version', (it) => about(it, 'read_page').HTTP.Header.shift()],
    ['another method', (it) => Object.assign(about(it, 'read_page').HTTP.Header[1], { Exact: 'prompts/get' })],
    ['no name', (it) => about(it, 'read_page').HTTP.Header.pop()],
    ['any unnamed tool', (it) => Object.assign(nameOf(it, 'read_page'), { Invert: true })],
    ['an open expression', (it) => Object.assign(nameOf(it, 'search_'), { Regex: 'search_.*' })],
    ['no listing', (it) => all(it).splice(all(it).indexOf(about(it, 'tools/list')), 1)],
  ])('%s: the reason why it cannot be read', (_, change) => {
    expect(() => read(change)).toThrow('not as meshgate renders it');
  });
});
