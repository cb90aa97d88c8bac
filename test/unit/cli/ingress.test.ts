import { expect, test } from 'vitest';
import { meshgate } from './fake.ts';

const ingress = (name: string) =>
  `${name}: { address: "${name}.mesh:8443", ca_file: /run/mesh/${name}.pem, own: { cert_file: /c, key_file: /k, client_ca_file: /ca, listen: 8443 } }`;
const POLICY = `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
mesh:
  kind: envoy
  trust_domain: example.org
  ingresses:
    ${ingress('default')}
    ${ingress('west')}
  identities: { default: { spiffe: spiffe://example.org/ns/edge/sa/gateway, pem_file: /run/gateway.pem } }
services:
  wiki: { authority: wiki.mesh }
  search: { authority: search.mesh, ingress: west }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
    /search/*: { service: search, allow: [staff] }
tests:
  - { as: { roles: [staff] }, GET: https://wiki.example.com/search/x, expect: allowed }
`;

const run = (args: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  meshgate(args, { files: { 'p.yaml': POLICY, ...files } });

test('render writes a folder for each ingress, or a single one', async () => {
  const all = await run(['render', '--target', 'envoy', '--out', '/out', 'p.yaml']);
  expect([all.code, Object.keys(all.written)]).toEqual([0, ['/out/default/envoy.yaml', '/out/west/envoy.yaml']]);
  const west = await run(['render', '--target', 'envoy', '--ingress', 'west', '--out', '/out', 'p.yaml']);
  expect(west.written).toEqual({ '/out/envoy.yaml': all.written['/out/west/envoy.yaml'] });
});

test('prove names the ingress, and compares with that one', async () => {
  const { written } = await run(['render', '--target', 'envoy', '--out', '/out', 'p.yaml']);
  const files = { 'west.yaml': written['/out/west/envoy.yaml'] ?? '' };
  const prove = (...more: string[]) => run(['prove', '--target', 'envoy', ...more, 'p.yaml', 'west.yaml'], files);
  expect((await prove('--ingress', 'west')).code).toBe(0);
  expect((await prove('--ingress', 'default')).code).toBe(1);
  const silent = await prove();
  expect([silent.code, silent.err]).toEqual([
    2,
    expect.stringContaining('the policy has several ingresses: add --ingress with one of default, west'),
  ]);
});

test('prove: two policies differ if a service moves to another ingress', async () => {
  const moved = POLICY.replace('authority: wiki.mesh', 'authority: wiki.mesh, ingress: west').replace(
    / {4}default: .*\n/,
    '',
  );
  const { code, out } = await run(['prove', 'p.yaml', 'moved.yaml'], { 'moved.yaml': moved });
  expect(code).toBe(1);
  expect(out).toContain('p.yaml and moved.yaml differ');
  const same = POLICY.replaceAll('west', 'north')
    .replaceAll('north.mesh', 'west.mesh')
    .replace('/north.pem', '/west.pem');
  expect((await run(['prove', 'p.yaml', 'same.yaml'], { 'same.yaml': same })).code).toBe(0);
});

test('diff reports the changes of an ingress', async () => {
  const fresh = POLICY.replace('west.mesh:8443', 'west.mesh:9443');
  const { out } = await run(['diff', 'p.yaml', 'new.yaml'], { 'new.yaml': fresh });
  expect(out).toBe('* ingress west: address "west.mesh:8443" → "west.mesh:9443"\n');
});

test('explain names the ingress', async () => {
  const explain = (path: string, ...more: string[]) =>
    run(['explain', '--as', 'staff', '--policy', 'p.yaml', ...more, 'GET', `https://wiki.example.com${path}`]);
  expect((await explain('/search/x')).out).toContain(
    'service   search, through the mesh ingress west at west.mesh:8443 (search.mesh)',
  );
  const json = JSON.parse((await explain('/x', '--format', 'json')).out);
  expect(json.service).toEqual({ name: 'wiki', authority: 'wiki.mesh', direct: false, ingress: 'default' });
});

test.each([
  [['render', '--target', 'envoy', '--ingress', 'north', 'p.yaml'], 'the policy has no ingress north'],
  [['render', '--target', 'nginx', '--ingress', 'west', 'p.yaml'], '--ingress has no effect for nginx'],
  [['prove', '--ingress', 'west', 'p.yaml', 'p.yaml'], '--ingress has no effect without --target'],
  [['test', '--ingress', 'west', 'p.yaml'], '--ingress has no effect without --mesh'],
])('%s', async (args, message) => {
  const { code, err } = await run(args);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
});

test('a policy with a single ingress does not accept --ingress', async () => {
  const single = POLICY.replace(/ {2}ingresses:\n {4}default: (.*)\n.*\n/, '  ingress: $1\n').replace(
    ', ingress: west',
    '',
  );
  const { code, err } = await run(['render', '--target', 'envoy', '--ingress', 'west', 'one.yaml'], {
    'one.yaml': single,
  });
  expect([code, err]).toEqual([2, expect.stringContaining('without mesh.ingresses')]);
});
