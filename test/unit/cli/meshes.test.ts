import { describe, expect, test } from 'vitest';
import type { Ask } from '../../../src/cli/machine/http.ts';
import { meshgate } from './fake.ts';

const mesh = (name: string, kind = 'envoy') =>
  `${name}: { kind: ${kind}, trust_domain: ${name}.example, ingress: { address: "${name}.mesh:8443", ca_file: /run/mesh/ca.pem, own: { cert_file: /c, key_file: /k, client_ca_file: /ca, listen: 8443 } }, identities: { default: { spiffe: spiffe://${name}.example/gateway, pem_file: /run/${name}.pem } } }`;
const POLICY = `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
gateway: { insecure_http: true }
meshes:
  ${mesh('east')}
  ${mesh('west')}
services:
  wiki: { mesh: east, authority: wiki.mesh }
  search: { mesh: west, authority: search.mesh }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
    /search/*: { service: search, allow: [staff] }
tests:
  - { as: { roles: [staff] }, GET: https://wiki.example.com/search/x, expect: allowed }
`;

const run = (args: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  meshgate(args, { files: { 'p.yaml': POLICY, ...files } });

test('render writes a folder for each mesh, or a single one', async () => {
  const all = await run(['render', '--target', 'envoy', '--out', '/out', 'p.yaml']);
  expect([all.code, Object.keys(all.written)]).toEqual([0, ['/out/east/envoy.yaml', '/out/west/envoy.yaml']]);
  const west = await run(['render', '--target', 'envoy', '--mesh-name', 'west', '--out', '/out', 'p.yaml']);
  expect(west.written).toEqual({ '/out/envoy.yaml': all.written['/out/west/envoy.yaml'] });
});

test('render renders a named mesh for another target, too', async () => {
  const { code, err } = await run(['render', '--target', 'istio', '--mesh-name', 'west', '--out', '/out', 'p.yaml']);
  expect([code, err]).toEqual([1, expect.stringContaining('gap: p.yaml:7:3 meshes.west: ')]);
});

test('prove names the mesh, and compares with that one', async () => {
  const { written } = await run(['render', '--target', 'envoy', '--out', '/out', 'p.yaml']);
  const files = { 'west.yaml': written['/out/west/envoy.yaml'] ?? '' };
  const prove = (...more: string[]) => run(['prove', '--target', 'envoy', ...more, 'p.yaml', 'west.yaml'], files);
  expect((await prove('--mesh-name', 'west')).code).toBe(0);
  expect((await prove('--mesh-name', 'east')).code).toBe(1);
  const silent = await prove();
  expect([silent.code, silent.err]).toEqual([
    2,
    expect.stringContaining('the policy has several meshes: add --mesh-name with one of east, west'),
  ]);
});

test('prove: two policies differ if a service moves to another mesh, and not if a mesh is renamed', async () => {
  const moved = POLICY.replace('mesh: east, authority: wiki.mesh', 'mesh: west, authority: wiki.mesh').replace(
    / {2}east: .*\n/,
    '',
  );
  const other = await run(['prove', 'p.yaml', 'moved.yaml'], { 'moved.yaml': moved });
  expect([other.code, other.out]).toEqual([1, expect.stringContaining('p.yaml and moved.yaml differ')]);
  const same = POLICY.replace('  west:', '  north:').replace('mesh: west', 'mesh: north');
  expect((await run(['prove', 'p.yaml', 'same.yaml'], { 'same.yaml': same })).code).toBe(0);
});

test('diff names the mesh of what changed', async () => {
  const fresh = POLICY.replace('west.mesh:8443', 'west.mesh:9443')
    .replace('trust_domain: east.example', 'trust_domain: north.example')
    .replace('spiffe://east.example', 'spiffe://north.example')
    .replace('/run/west.pem', '/run/new.pem');
  const { out } = await run(['diff', 'p.yaml', 'new.yaml'], { 'new.yaml': fresh });
  expect(out.split('\n')).toEqual([
    '* mesh east: trust_domain "east.example" → "north.example"',
    '* ingress west/ingress: address "west.mesh:8443" → "west.mesh:9443"',
    '* identity east/default: spiffe "spiffe://east.example/gateway" → "spiffe://north.example/gateway"',
    '* identity west/default: cert_file "/run/west.pem" → "/run/new.pem"',
    '* identity west/default: key_file "/run/west.pem" → "/run/new.pem"',
    '',
  ]);
});

test('explain names the mesh', async () => {
  const explain = (path: string, ...more: string[]) =>
    run(['explain', '--as', 'staff', '--policy', 'p.yaml', ...more, 'GET', `https://wiki.example.com${path}`]);
  const { out } = await explain('/search/x');
  expect(out).toContain('service   search, through the ingress of mesh west at west.mesh:8443 (search.mesh)');
  expect(out).toContain('identity  default (spiffe://west.example/gateway)');
  const json = JSON.parse((await explain('/x', '--format', 'json')).out);
  expect(json.service).toEqual({ name: 'wiki', authority: 'wiki.mesh', direct: false, mesh: 'east' });
  expect(json.identity).toBe('spiffe://east.example/gateway');
});

test('test sends requests to one mesh, with its identities', async () => {
  const requested: (string | undefined)[][] = [];
  const files = {
    'p.yaml': POLICY,
    ...Object.fromEntries(['/run/mesh/ca.pem', '/run/east.pem', '/run/west.pem'].map((file) => [file, file])),
  };
  const ask: Ask = async ({ authority, client }) => {
    requested.push([authority, client?.cert]);
    return { status: 200, headers: {}, body: '' };
  };
  const at = ['test', '--mesh', 'localhost:1'];
  const west = await meshgate([...at, '--mesh-name', 'west', 'p.yaml'], { files, ask });
  expect([west.code, requested]).toEqual([0, [['search.mesh', '/run/west.pem']]]);
  const none = await meshgate([...at, 'p.yaml'], { files, ask });
  expect([none.code, none.err]).toEqual([2, expect.stringContaining('the policy has several meshes: add --mesh-name')]);
});

test.each([
  [
    ['render', '--target', 'envoy', '--mesh-name', 'north', 'p.yaml'],
    'the policy has no mesh north; it has east, west',
  ],
  [
    ['render', '--target', 'istio', 'p.yaml'],
    'no mesh of the policy is of the kind istio: add --mesh-name with one of east, west',
  ],
  [['render', '--target', 'nginx', '--mesh-name', 'west', 'p.yaml'], '--mesh-name has no effect for nginx'],
  [['render', '--target', 'envoy', '--ingress', 'door', 'p.yaml'], 'the policy has several meshes: add --mesh-name'],
  [['prove', '--mesh-name', 'west', 'p.yaml', 'p.yaml'], '--mesh-name has no effect without --target'],
  [['test', '--mesh-name', 'west', 'p.yaml'], '--mesh-name has no effect without --mesh'],
])('%s', async (args, message) => {
  const { code, err } = await run(args);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
});

test('a policy with a single mesh does not accept --mesh-name', async () => {
  const single = POLICY.replace(/ {2}west: .*\n/, '').replace('mesh: west', 'mesh: east');
  const { code, err } = await run(['render', '--target', 'envoy', '--mesh-name', 'east', 'one.yaml'], {
    'one.yaml': single,
  });
  expect([code, err]).toEqual([2, expect.stringContaining('without several meshes')]);
});

describe('workloads of Linkerd without an ingress', () => {
  const linkerd = () => `version: 1
providers: { okta: { issuer: https://okta.test, audiences: [wiki] } }
roles: { staff: { group: staff } }
mesh:
  kind: linkerd
  trust_domain: cluster.local
  ingress: { ca_file: /run/anchors.pem }
  identities: { default: { spiffe: spiffe://cluster.local/ns/edge/sa/gateway, pem_file: /run/gateway.pem } }
services:
  wiki:
    authority: wiki.apps.svc.cluster.local:8090
    namespace: apps
    service_account: wiki
    labels: { app: wiki }
    port: 8090
hosts: { wiki.example.com: { /*: { service: wiki, allow: [staff] } } }
`;

  test('explain names the workloads and their address, and no ingress', async () => {
    const args = ['explain', '--as', 'staff', '--policy', 'l.yaml', 'GET', 'https://wiki.example.com/'];
    const { out } = await meshgate(args, { files: { 'l.yaml': linkerd() } });
    expect(out).toContain('service   wiki, at its workloads, wiki.apps.svc.cluster.local:8090 (');
    expect(out).not.toContain('ingress');
  });

  test('render for Envoy says that there is no ingress', async () => {
    const { out, err } = await meshgate(['render', '--target', 'envoy', 'l.yaml'], { files: { 'l.yaml': linkerd() } });
    expect([out, err]).toEqual([
      '',
      'gap: l.yaml:4:1 mesh: nginx connects to the workloads themselves, so there is no ingress\n',
    ]);
  });

  test('diff names no address of an ingress that is not there', async () => {
    const files = { 'l.yaml': linkerd(), 'p.yaml': POLICY, 'ca.yaml': linkerd().replace('anchors', 'other') };
    const { out } = await meshgate(['diff', 'l.yaml', 'p.yaml'], { files });
    expect(out).toContain('* ingress is gone: it was ca_file /run/anchors.pem\n');
    const changed = await meshgate(['diff', 'l.yaml', 'ca.yaml'], { files });
    expect(changed.out).toBe('* ingress: ca_file "/run/anchors.pem" → "/run/other.pem"\n');
  });
});
