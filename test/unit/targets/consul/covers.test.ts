import { describe, expect, test } from 'vitest';
import { consul } from '../../../../src/targets/consul/index.ts';
import { render, type Sample, WIKI } from './samples.ts';

const wiki = (routes: string) => `${WIKI}hosts: { w.test: { ${routes} } }`;
const both = wiki('/*: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor] }');

const HOST =
  'mesh: intentions do not see the host of a request, so only the path decides; give each service its own name in Consul';
const DEFAULT =
  'mesh: a token is required only in a mesh that denies by default: set default_intention_policy, or the ACLs’ default_policy, to deny';
const OPEN =
  'mesh: in a mesh that allows by default, a certificate of the mesh’s CA that names no service of the default namespace, such as that of a mesh gateway or an agent, passes everywhere: set default_intention_policy, or the ACLs’ default_policy, to deny';
const ROUTER =
  'mesh: a service-router of Consul may rewrite a path before the intentions see it, so they decide about another path than the gateway; write none for these services, or let prove see it';
const SKEW =
  'gateway.assertion: proxies accept an assertion for 60 s after it has expired, whatever gateway.clock_skew says: Consul does not give them the entry’s ClockSkewSeconds';

const gapsOf = (rest: string, sample?: Sample) => render(rest, sample).gaps.map(({ part, text }) => `${part}: ${text}`);

/** The coverage of each rule, in order. */
function coverage(rest: string, sample?: Sample) {
  const { policy, rules } = render(rest, sample);
  return rules.map((rule) => consul.covers(rule, policy));
}

const kinds = (rest: string, sample?: Sample) => coverage(rest, sample).map(({ kind }) => kind);

test('with the assertion roles are enforced, also behind an ingress, and mesh-wide settings are named', () => {
  expect(kinds(both)).toEqual(['exact', 'exact']);
  expect(gapsOf(both)).toEqual([HOST, OPEN, ROUTER, DEFAULT, SKEW]);
  expect(
    gapsOf(both, { gateway: `clock_skew: 1m, ${'assertion: { issuer: "https://gw.test", keys_file: /k }'}` }),
  ).toEqual([HOST, OPEN, ROUTER, DEFAULT]);
});

describe('without the assertion', () => {
  const UNSIGNED: Sample = { gateway: '' };

  test('roles from one source are treated as one', () => {
    expect(coverage(both, UNSIGNED)).toEqual([
      {
        kind: 'wider',
        text: 'without an assertion, Consul sees the source and not the role: on the same requests, role reader and role editor (w.test/*#2) come as the same source ingress; write gateway.assertion',
      },
      {
        kind: 'wider',
        text: expect.stringContaining('role editor and role reader (w.test/*#1) come as the same source ingress'),
      },
    ]);
    expect(gapsOf(both, UNSIGNED)).toHaveLength(5);
  });

  test('identities of their own do not distinguish roles, because the ingress is the source', () => {
    const apart = wiki('/*: { service: wiki, allow: [reader, { role: editor, as: wiki-editor }] }');
    expect(kinds(apart, UNSIGNED)).toEqual(['wider', 'wider']);
    expect(gapsOf(apart, UNSIGNED)[3]).toBe(
      'mesh.identities: workloads see the identity of the ingress (ingress), not the one with which nginx connects to the ingress (wiki-editor)',
    );
  });

  test('on other paths or methods roles are enforced', () => {
    const rest = wiki(
      '/*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, methods: [POST] }] }, /x/*: { service: wiki, allow: [editor] }',
    );
    expect(kinds(rest, UNSIGNED)).toEqual(['exact', 'exact', 'exact']);
  });

  test('three are named, and the others counted', () => {
    const allow = ['reader', 'editor', 'authenticated', 'anyone'].join(', ');
    const [first] = coverage(wiki(`/*: { service: wiki, allow: [${allow}] }`), UNSIGNED);
    expect(first).toMatchObject({
      text: expect.stringMatching(
        /role reader and role editor \(.*#2\), authenticated \(.*#3\), anyone \(.*#4\) come as/,
      ),
    });
  });
});

test('a method that permissions cannot name passes with all of its kind', () => {
  const rest = wiki('/*: { service: wiki, allow: [{ role: editor, methods: [GET, PROPFIND] }] }');
  const text =
    'intentions can name only the methods GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS: a rule that allows PROPFIND also allows all methods besides these; only the gateway distinguishes them';
  expect(coverage(rest)).toEqual([{ kind: 'wider', text }]);
  expect(gapsOf(rest)).toContain(`w.test/*#1: ${text}`);
});

test('for tools a header that is sent twice is a gap', () => {
  const rest = `agents: { bot: { match: { client_id: bot }, acts_for: [reader], bound: none } }
${wiki('/mcp: { service: wiki, allow: [{ agent: bot, tools: [search_*] }, reader] }')}`;
  expect(kinds(rest)).toEqual(['wider', 'exact']);
  expect(gapsOf(rest)).toContainEqual(
    expect.stringMatching(/^w\.test\/mcp#1: if a message repeats a header, it passes Consul’s proxies/),
  );
});

test('services that are reached directly are not protected', () => {
  const rest = `services: { wiki: { authority: wiki.apps }, direct: { url: "https://direct.test" } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] }, /d/*: { service: direct, allow: [editor] } } }`;
  expect(gapsOf(rest)[0]).toBe(
    'services.direct: nginx connects to the service directly and not through the mesh, so Consul does not enforce its rules',
  );
  expect(coverage(rest)[1]).toEqual({ kind: 'none', text: 'direct is not reached through Consul' });
});

test('characters of paths that clients encode are named', () => {
  expect(
    gapsOf(wiki('/*: { service: wiki, allow: [reader] }, "/a@b/~c": { service: wiki, allow: [anyone] }')),
  ).toContain(
    'w.test/*#1: Consul’s proxies match paths without decoding them, so they refuse a path if a client percent-encodes one of these characters, which paths of the policy contain: @ ~',
  );
});

describe('nothing is rendered, and a gap says why', () => {
  const { policy, rules } = render(both);
  const { mesh, ...meshless } = policy;

  test('without a mesh', () => {
    const text = 'the policy has no mesh, so there is nothing for Consul to enforce';
    expect(consul.emit(meshless, rules)).toEqual({ files: {}, gaps: [{ part: 'mesh', text }] });
  });

  test('if the gateway’s assertions are not made for Consul', () => {
    const other = { ...policy, mesh: { ...mesh!, kind: 'envoy' } } as const;
    expect(consul.emit(other, rules)).toEqual({
      files: {},
      gaps: [{ part: 'mesh', text: expect.stringContaining('write kind: consul') }],
    });
  });

  test('if the proxies would have no keys', () => {
    expect(consul.emit(policy, rules)).toEqual({
      files: {},
      gaps: [{ part: 'gateway.assertion', text: expect.stringContaining('give --assertion-jwks') }],
    });
  });

  test('if no service that Consul knows connects', () => {
    const { consulService: _, ...ingress } = mesh!.ingress;
    const identities = { default: { ...mesh!.identities.default!, spiffe: 'spiffe://x.consul/ns/a/sa/b' } };
    const other = { ...policy, mesh: { ...mesh!, ingress, identities } };
    const { files, gaps } = consul.emit(other, rules, { assertionJwks: '{}' });
    expect(files).toEqual({});
    expect(gaps.map(({ part }) => part)).toEqual(['mesh', 'mesh.identities.default']);
    expect(consul.covers(rules[0]!, other)).toEqual({ kind: 'none', text: gaps[1]?.text });
  });
});
