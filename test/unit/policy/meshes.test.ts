import { expect, test } from 'vitest';
import { identityOf, meshOf } from '../../../src/policy/checked/ingresses.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const identities = (domain: string, ...names: string[]) =>
  `identities: { ${names.map((name) => `${name}: { spiffe: spiffe://${domain}/${name}, pem_file: /run/${domain}/${name}.pem }`).join(', ')} }`;
const mesh = (name: string, ...names: string[]) =>
  `${name}: { kind: envoy, trust_domain: ${name}.example, ingress: { address: "${name}.mesh:8443", ca_file: /run/mesh/ca.pem }, ${identities(`${name}.example`, ...names)} }`;

interface Parts {
  readonly meshes?: string;
  readonly services?: readonly string[];
  readonly wiki?: string;
  readonly search?: string;
  /** The key of the rules of the service search. */
  readonly allow?: string;
}

const EAST = mesh('east', 'default', 'editor');
const WEST = mesh('west', 'default', 'reader');
const WIKI = 'wiki: { mesh: east, authority: wiki.apps }';
const SEARCH = 'search: { mesh: west, authority: search.apps }';

const parse = ({
  meshes = `meshes:\n  ${EAST}\n  ${WEST}`,
  services = [WIKI, SEARCH],
  wiki,
  search,
  allow = 'allow',
}: Parts = {}) =>
  parsePolicy(
    `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
${meshes}
services:
  ${services.join('\n  ')}
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${wiki ?? '{ role: beta, as: editor }, staff'}] }
    /search/*: { service: search, ${allow}: [${search ?? '{ role: beta, as: reader }, staff'}] }
`,
    'p.yaml',
  );

const errorsOf = (parts: Parts) => parse(parts).errors.map(formatError);

test('a route without rules does not make the default identity of its mesh unused', () => {
  const west = `meshes:\n  ${EAST}\n  ${mesh('west', 'default')}`;
  expect(errorsOf({ meshes: west, allow: 'deny' })).toEqual([
    expect.stringContaining('allow: missing key "allow"'),
    expect.stringContaining('deny: rules only allow'),
  ]);
});

test('each service is in its own mesh, and each rule has an identity of that mesh', () => {
  const { policy, errors } = parse();
  expect(errors.map(formatError)).toEqual([]);
  const { services, hosts } = policy!;
  expect(policy!.mesh).toBeUndefined();
  expect(Object.values(services).map((service) => meshOf(policy!, service)?.name)).toEqual(['east', 'west']);
  const rules = hosts.flatMap(({ routes }) =>
    routes.flatMap(({ service, allow }) => allow.map((it) => ({ service, ...it }))),
  );
  expect(rules.map(({ service, as }) => identityOf(policy!, { service, as })?.spiffe)).toEqual([
    'spiffe://east.example/editor',
    'spiffe://east.example/default',
    'spiffe://west.example/reader',
    'spiffe://west.example/default',
  ]);
});

test('one mesh under meshes is the same as mesh', () => {
  const one = parse({
    meshes: `meshes:\n  ${mesh('default', 'default', 'editor')}`,
    services: ['wiki: { authority: wiki.apps }', 'search: { authority: search.apps }'],
    search: 'staff',
  });
  const short = parse({
    meshes: mesh('default', 'default', 'editor').replace('default:', 'mesh:'),
    services: ['wiki: { authority: wiki.apps }', 'search: { authority: search.apps }'],
    search: 'staff',
  });
  expect(one.errors.map(formatError)).toEqual([]);
  const bare = (value: unknown) => JSON.parse(JSON.stringify(value, (key, it) => (key === 'at' ? undefined : it)));
  expect(bare(one.policy)).toEqual(bare(short.policy));
});

test('a service that names no mesh is in the mesh "default"', () => {
  const meshes = `meshes:\n  ${mesh('default', 'default', 'editor')}\n  ${WEST}`;
  const { policy, errors } = parse({ meshes, services: ['wiki: { authority: wiki.apps }', SEARCH] });
  expect(errors.map(formatError)).toEqual([]);
  expect(meshOf(policy!, policy!.services.wiki)?.name).toBe('default');
});

test('a service outside of all meshes names none', () => {
  const direct = 'search: { url: "https://search.internal:8443" }';
  const { policy } = parse({ meshes: `meshes:\n  ${EAST}`, services: [WIKI, direct], search: 'staff' });
  expect(meshOf(policy!, policy!.services.search)).toBeUndefined();
});

test('two services of one authority in two meshes', () => {
  expect(errorsOf({ services: [WIKI, SEARCH.replace('search.apps', 'wiki.apps')] })).toEqual([]);
});

test('services of two meshes on one route, if one CA verifies both ingresses', () => {
  const wiki = '{ role: beta, as: reader, service: search }, staff';
  const plain = { meshes: `meshes:\n  ${mesh('east', 'default')}\n  ${WEST}`, wiki };
  expect(errorsOf(plain)).toEqual([]);
  const meshes = plain.meshes.replace('/run/mesh/ca.pem', '/run/mesh/east.pem');
  expect(errorsOf({ ...plain, meshes })).toEqual([
    'p.yaml:12:69 hosts."wiki.example.com"."/*".allow[0].service: "search" is verified by /run/mesh/ca.pem, and "wiki" by /run/mesh/east.pem, but nginx has one CA for a route; give both the same CA, or write another route for "search"',
  ]);
});

const MISTAKES: readonly (readonly [what: string, parts: Parts, ...messages: string[]])[] = [
  [
    'an identity of another mesh',
    { wiki: '{ role: beta, as: reader }, { role: staff, as: editor }, authenticated' },
    'allow[0].as: no identity "reader" in mesh "east", only in "west"; write one of default, editor, or define it under meshes.east.identities',
  ],
  [
    'an identity that no mesh has',
    { search: '{ role: beta, as: raeder }, { role: staff, as: reader }, authenticated' },
    'allow[0].as: no identity "raeder" in mesh "west"; did you mean "reader"?',
  ],
  [
    'a mesh that is not defined',
    { services: [WIKI, SEARCH.replace('west', 'wset')] },
    'services.search.mesh: no mesh "wset"; did you mean "west"?',
  ],
  [
    'a service that names no mesh',
    { services: [WIKI, SEARCH.replace('mesh: west, ', '')] },
    'services.search.mesh: missing key "mesh"; write mesh: one of east, west, or name one of them default',
  ],
  [
    'mesh and meshes',
    { meshes: `mesh: ${EAST.slice('east: '.length)}\nmeshes:\n  ${EAST}\n  ${WEST}` },
    'p.yaml:5:1 meshes: mesh is there as well; keep one of the two',
  ],
  [
    'no mesh',
    { meshes: 'meshes: {}' },
    'meshes: no mesh; write { east: { kind: istio, … } }',
    'services.wiki.mesh: no mesh "east"; define it under meshes',
    'services.search.mesh: no mesh "west"; define it under meshes',
  ],
  [
    'a mesh without a service',
    { meshes: `meshes:\n  ${EAST}\n  ${WEST}\n  ${mesh('south', 'default')}` },
    'meshes.south: no effect: nothing uses this mesh; name it in the "mesh" of a service, or remove it',
  ],
  [
    'an identity without a rule, of a name that another mesh uses',
    { meshes: `meshes:\n  ${EAST}\n  ${mesh('west', 'default', 'reader', 'editor')}` },
    'meshes.west.identities.editor: no effect: nothing uses this identity; name it in the "as" of a rule, or remove it',
  ],
  [
    'no default identity in one of the meshes',
    { meshes: `meshes:\n  ${EAST}\n  ${mesh('west', 'reader')}` },
    'meshes.west.identities.default: missing key "default"; write default: { spiffe: …, pem_file: … }, or "as" in every rule',
  ],
  [
    'an identity in the trust domain of another mesh',
    { meshes: `meshes:\n  ${EAST.replace('//east.example/editor', '//west.example/editor')}\n  ${WEST}` },
    'meshes.east.identities.editor.spiffe: not in the trust domain "east.example"; write "spiffe://east.example/editor"',
  ],
  [
    'a mesh for a service that is outside of all',
    {
      services: [WIKI, SEARCH, 'status: { mesh: east, url: "https://status.internal", ca_file: /run/mesh/ca.pem }'],
      search: '{ role: beta, as: reader }, staff, { who: authenticated, service: status }',
    },
    'services.status.mesh: no effect: nginx reaches the service by its url; remove it',
  ],
];

test.each(MISTAKES.map(([what, ...rest]) => [what, rest] as const))('%s', (_, [parts, ...messages]) => {
  expect(errorsOf(parts)).toEqual(messages.map((message) => expect.stringContaining(message)));
});

test.each(['istio-agentgateway', 'istio-agentgateway-waypoint'])('rejects an ingress of the class %s', (name) => {
  const labels = `namespace: edge, service_account: ingress, labels: { gateway.networking.k8s.io/gateway-class-name: ${name} }`;
  const meshes = `meshes:\n  ${EAST.replace('envoy', 'istio').replace('ca.pem }', `ca.pem, ${labels} }`)}\n  ${WEST}`;
  expect(errorsOf({ meshes })).toEqual([
    expect.stringContaining(`"${name}" is another proxy than Envoy, and reads none of the rendered objects`),
  ]);
  expect(errorsOf({ meshes: meshes.replace(name, 'istio') })).toEqual([]);
});

test('each mesh needs what its kind needs', () => {
  const meshes = `meshes:\n  ${EAST.replace('envoy', 'istio')}\n  ${WEST.replace('envoy', 'consul').replaceAll('west.example', 'abc.consul')}`;
  const services = [WIKI, SEARCH.replace('}', ', namespace: search }')];
  expect(errorsOf({ meshes, services })).toEqual([
    expect.stringContaining('meshes.east.ingress.namespace: missing key "namespace", which Istio needs'),
    expect.stringContaining('meshes.east.ingress.labels: missing key "labels", which Istio needs'),
    expect.stringContaining('meshes.east.ingress.service_account: missing key "service_account", which Istio needs'),
    expect.stringContaining('meshes.west.ingress: consul_service is missing'),
    expect.stringContaining('services.search.namespace: no effect: Consul identifies a workload by its service name'),
  ]);
});
