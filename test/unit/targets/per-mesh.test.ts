import { describe, expect, test } from 'vitest';
import type { MeshKind } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { proveIdentities } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { atMesh } from '../../../src/rules/decide/at-ingress.ts';
import { meshTarget, meshTargetNames } from '../../../src/targets/index.ts';
import { ownerOf } from '../../../src/targets/kit/owner.ts';
import { emitPolicy } from '../../../src/targets/kit/per-mesh.ts';

const ingressItem = (mesh: string, name: string) =>
  `{ address: "${name}.${mesh}:8443", ca_file: /run/mesh/ca.pem, namespace: ${name}, labels: { app: ${name} }, service_account: door, own: { cert_file: /c, key_file: /k, client_ca_file: /ca, listen: 8443 } }`;
const mesh = (kind: string, name: string, ingress: string) => `
  ${name}:
    kind: ${kind}
    trust_domain: ${name}.example
    ${ingress}
    identities: { default: { spiffe: spiffe://${name}.example/ns/edge/sa/gateway, pem_file: /run/${name}.pem } }`;
const service = (name: string, at: string) =>
  `${name}: { ${at}, authority: ${name}.svc.cluster.local, namespace: apps, labels: { app: ${name} }, port: 8080 }`;

/** Two meshes of one kind, and one of another kind that has two ingresses. */
function entire(kind: MeshKind, other: MeshKind) {
  const text = `version: 1
gateway:
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
meshes:${mesh(kind, 'north', `ingress: ${ingressItem('north', 'door')}`)}${mesh(kind, 'south', `ingress: ${ingressItem('south', 'gate')}`)}${mesh(other, 'third', `ingresses: { east: ${ingressItem('third', 'east')}, west: ${ingressItem('third', 'west')} }`)}
services:
  ${service('wiki', 'mesh: north')}
  ${service('search', 'mesh: south')}
  ${service('notes', 'mesh: third, ingress: east')}
  ${service('pages', 'mesh: third, ingress: west')}
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [{ role: beta, service: search }, staff] }
    /search/*: { service: search, allow: [beta] }
    /notes/*: { service: notes, allow: [staff] }
    /pages/*: { service: pages, allow: [staff] }
`;
  const { policy, errors } = parsePolicy(text, 'p.yaml');
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  return { policy, rules: compile(policy) };
}

const folders = (files: Readonly<Record<string, string>>) => [
  ...new Set(Object.keys(files).map((path) => path.slice(0, path.lastIndexOf('/')))),
];

// A policy with Consul has no namespaces, so Consul has its own test below.
const kinds = meshTargetNames.filter((kind) => kind !== 'consul');

describe.each(kinds)('%s', (kind) => {
  const target = meshTarget(kind);
  const other = kind === 'envoy' ? 'istio' : 'envoy';
  const all = entire(kind, other);
  const { files, gaps } = emitPolicy(target, all, {});
  const of = (name: string) =>
    Object.entries(files)
      .filter(([path]) => path.startsWith(`${name}/`))
      .map(([, text]) => text)
      .join('\n');

  test('renders each mesh of its kind into a folder, with nothing of the other meshes', () => {
    expect([...new Set(folders(files).map((path) => path.split('/')[0]))]).toEqual(['north', 'south']);
    expect(of('north')).toContain('wiki.svc.cluster.local');
    expect(of('north')).not.toMatch(/(search|notes|pages)\.svc|(south|third)\.example/);
    expect(of('south')).toContain('search.svc.cluster.local');
    expect(of('south')).not.toMatch(/(wiki|notes|pages)\.svc|(north|third)\.example/);
  });

  test('names the mesh in each gap about a mesh, and the services of its own meshes only', () => {
    expect(gaps.map(({ part }) => part).filter((part) => /^mesh\b/.test(part))).toEqual([]);
    expect(gaps.filter(({ part }) => /^services\.(notes|pages)/.test(part))).toEqual([]);
    expect(gaps.filter(({ text }) => text.includes('directly'))).toEqual([]);
  });

  test.each(['north', 'south'])('%s alone: the same files in no folder, which read as its rules', (name) => {
    const one = emitPolicy(target, all, {}, { mesh: name }).files;
    expect(Object.fromEntries(Object.entries(one).map(([path, text]) => [`${name}/${path}`, text]))).toEqual(
      Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith(`${name}/`))),
    );
    const proven = (mesh: string) => {
      const { policy, rules } = atMesh(all, mesh);
      return proveIdentities(target.project(policy, rules), target.read(one, ownerOf(policy)));
    };
    expect(proven(name)).toBeUndefined();
    expect(proven(name === 'north' ? 'south' : 'north')).toBeDefined();
  });

  test('renders the only mesh of its kind without its folder, but each of its ingresses into one', () => {
    const one = emitPolicy(meshTarget(other), all, {});
    const ingresses = [...new Set(Object.keys(one.files).map((path) => path.split('/')[0]))];
    expect(ingresses).toEqual(meshTarget(other).together ? ingresses : ['east', 'west']);
    const west = emitPolicy(meshTarget(other), all, {}, { mesh: 'third', ingress: 'west' }).files;
    expect(Object.values(west).join('\n')).toContain('pages.svc.cluster.local');
    expect(Object.values(west).join('\n')).not.toContain('notes.svc.cluster.local');
  });
});

test('Consul: intentions only for the services of its own mesh', () => {
  const { policy, errors } = parsePolicy(
    `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
gateway: { assertion: { issuer: https://wiki.example.com, keys_file: /run/keys.jwks } }
meshes:
  north: { kind: envoy, trust_domain: north.example, ingress: { address: "north.mesh:8443", ca_file: /ca.pem }, identities: { default: { spiffe: spiffe://north.example/gateway, pem_file: /run/north.pem } } }
  south: { kind: consul, trust_domain: abc.consul, ingress: { address: "south.mesh:8443", ca_file: /ca.pem, consul_service: door }, identities: { default: { spiffe: spiffe://abc.consul/gateway, pem_file: /run/south.pem } } }
services:
  wiki: { mesh: north, authority: wiki.apps }
  search: { mesh: south, authority: search.apps }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
    /search/*: { service: search, allow: [staff] }
`,
    'p.yaml',
  );
  expect(errors).toEqual([]);
  const { files } = emitPolicy(
    meshTarget('consul'),
    { policy: policy!, rules: compile(policy!) },
    { assertionJwks: '{"keys":[]}' },
  );
  expect(Object.keys(files)).toContain('service-intentions.search.json');
  expect(Object.keys(files).filter((name) => name.includes('wiki'))).toEqual([]);
});

test('an unknown mesh', () => {
  expect(() => atMesh(entire('envoy', 'istio'), 'east')).toThrow('no mesh east');
});
