import { describe, expect, test } from 'vitest';
import type { MeshKind, Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { proveIdentities } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import { atIngress } from '../../../src/rules/decide/at-ingress.ts';
import { meshTarget, meshTargetNames } from '../../../src/targets/index.ts';
import { emitMesh } from '../../../src/targets/kit/per-mesh.ts';

const ingress = (name: string) =>
  `${name}: { address: "${name}.mesh:8443", server_name: door.mesh, ca_file: /run/mesh/ca.pem, namespace: ${name}, labels: { app: ${name} }, service_account: door, own: { cert_file: /c, key_file: /k, client_ca_file: /ca, listen: 8443 } }`;
const service = (name: string, ingressItem: string, more = '') =>
  `${name}: { authority: ${name}.svc.cluster.local, ${ingressItem.startsWith('[') ? 'ingresses' : 'ingress'}: ${ingressItem}, namespace: apps, labels: { app: ${name} }, port: 8080${more} }`;

function policyOf(kind: MeshKind, ingresses = { wiki: 'east', search: 'west', canary: 'west' }): Policy {
  const { policy, errors } = parsePolicy(
    `version: 1
gateway:
  assertion: { issuer: https://gateway.example.com, keys_file: /run/keys.jwks }
  inner: { client_ca_file: /run/clients.pem }
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
agents: { pages: { match: { service: wiki }, acts_for: [staff] } }
mesh:
  kind: ${kind}
  trust_domain: example.org
  ingresses:
    ${ingress('east')}
    ${ingress('west')}
  identities: { default: { spiffe: spiffe://example.org/ns/edge/sa/gateway, pem_file: /run/gateway.pem } }
services:
  ${service('wiki', ingresses.wiki, ', spiffe: spiffe://example.org/ns/apps/sa/wiki')}
  ${service('search', ingresses.search)}
  ${service('canary', ingresses.canary)}
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [{ role: beta, service: canary }, staff, { agent: pages, service: canary }] }
    /search/*: { service: search, allow: [beta] }
`,
    'p.yaml',
  );
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  return policy;
}

const ruled = (policy: Policy) => ({ policy, rules: compile(policy) });
const entire = (kind: MeshKind) => ruled(policyOf(kind));

describe('a policy for one of its ingresses', () => {
  const seen = (name: string) => atIngress(entire('envoy'), name);

  test('has only that ingress, and the services of others are outside the mesh', () => {
    const { mesh, services } = seen('west').policy;
    expect([mesh?.ingress.host, Object.keys(mesh?.ingresses ?? {})]).toEqual(['west.mesh', ['west']]);
    const direct = Object.values(services).map(({ name, direct }) => [name, direct !== undefined]);
    expect(Object.fromEntries(direct)).toEqual({ wiki: true, search: false, canary: false });
    expect(Object.keys(seen('east').policy.services)).toEqual(['wiki', 'canary']);
  });

  test('has all the rules of routes that lead to it, because an agent’s depends on those of people', () => {
    const rules = (name: string) => Object.fromEntries(seen(name).rules.map(({ id, as }) => [id, as]));
    expect(rules('east')).toEqual({
      'wiki.example.com/*#1': '',
      'wiki.example.com/*#2': 'default',
      'wiki.example.com/*#3': '',
    });
    expect(rules('west')).toEqual({
      'wiki.example.com/*#1': 'default',
      'wiki.example.com/*#2': '',
      'wiki.example.com/*#3': 'default',
      'wiki.example.com/search/*#1': 'default',
    });
  });

  test('an unknown name', () => {
    expect(() => seen('north')).toThrow('no ingress north');
  });
});

describe.each(meshTargetNames.filter((name) => !meshTarget(name).together))('%s', (kind) => {
  const target = meshTarget(kind);
  const all = emitMesh(target, entire(kind), {});

  test('each ingress has a folder with what it leads to', () => {
    const text = (name: string) =>
      Object.entries(all.files)
        .filter(([path]) => path.startsWith(`${name}/`))
        .map(([, content]) => content)
        .join('\n');
    expect(Object.keys(all.files).every((path) => /^(east|west)\//.test(path))).toBe(true);
    expect(text('east')).toContain('wiki.svc.cluster.local');
    expect(text('east')).not.toMatch(/search\.svc|canary\.svc/);
    expect(text('west')).toContain('search.svc.cluster.local');
    expect(text('west')).toContain('canary.svc.cluster.local');
    expect(text('west')).not.toContain('wiki.svc');
  });

  test('no gap says that a service is outside the mesh', () => {
    expect(all.gaps.filter(({ part }) => part.startsWith('services.'))).toEqual([]);
  });

  test.each(['east', 'west'])('%s alone: the same files in no folder, which read as its rules', (name) => {
    const { files } = emitMesh(target, entire(kind), {}, name);
    const folder = Object.entries(files).map(([path, text]) => [`${name}/${path}`, text] as const);
    expect(all.files).toMatchObject(Object.fromEntries(folder));
    const { policy, rules } = atIngress(entire(kind), name);
    expect(proveIdentities(target.project!(policy, rules), target.read!(files))).toBeUndefined();
    const [other] = ['east', 'west'].filter((it) => it !== name);
    const seen = atIngress(entire(kind), other as string);
    expect(proveIdentities(target.project!(seen.policy, seen.rules), target.read!(files))).toBeDefined();
  });
});

describe('services behind both ingresses', () => {
  const shared = (kind: MeshKind) =>
    ruled(policyOf(kind, { wiki: '[east, { name: west, backup: true }]', search: 'west', canary: '[west, east]' }));
  const filesOf = (kind: MeshKind) => emitMesh(meshTarget(kind), shared(kind), {}).files;

  describe.each(meshTargetNames.filter((name) => !meshTarget(name).together))('%s', (kind) => {
    const target = meshTarget(kind);

    test.each(['east', 'west'])('%s leads to both, and what is rendered for it reads as its rules', (name) => {
      const { files } = emitMesh(target, shared(kind), {}, name);
      for (const host of ['wiki.svc', 'canary.svc']) expect(Object.values(files).join('\n')).toContain(host);
      const { policy, rules } = atIngress(shared(kind), name);
      expect(proveIdentities(target.project!(policy, rules), target.read!(files))).toBeUndefined();
      const alone = atIngress(entire(kind), name);
      expect(proveIdentities(target.project!(alone.policy, alone.rules), target.read!(files))).toBeDefined();
    });
  });

  test('Istio: their workloads accept both, in equal files for both', () => {
    const files = filesOf('istio');
    const principals = (path: string) =>
      [...(files[path] ?? '').matchAll(/principals:\n +- "(.+)"/g)].map(([, principal]) => principal);
    for (const name of ['wiki', 'canary']) {
      expect(files[`east/workloads/${name}.yaml`]).toBe(files[`west/workloads/${name}.yaml`]);
      const own = new Set(principals(`east/workloads/${name}.yaml`));
      expect([...own].sort()).toEqual(['example.org/ns/east/sa/door', 'example.org/ns/west/sa/door']);
    }
    expect(new Set(principals('west/workloads/search.yaml'))).toEqual(new Set(['example.org/ns/west/sa/door']));
  });

  test('Istio: files for pods of a service that only one of them leads to are equal, too', () => {
    const { policy, rules } = shared('istio');
    const labels = { app: 'both' };
    const services = Object.entries(policy.services).map(([name, own]) => [name, { ...own, labels }]);
    const together = { policy: { ...policy, services: Object.fromEntries(services) }, rules };
    const { files } = emitMesh(meshTarget('istio'), together, {});
    const audiences = (path: string) => /audiences:\n((?: +- .+\n)+)/.exec(files[path] ?? '')?.[1]?.match(/\w+/g);
    for (const name of ['wiki', 'canary']) {
      expect(files[`east/workloads/${name}.yaml`]).toBe(files[`west/workloads/${name}.yaml`]);
    }
    expect(audiences('east/workloads/wiki.yaml')).toEqual(['canary', 'wiki']);
    expect(audiences('east/workloads/canary.yaml')).toBeUndefined();
    expect(audiences('west/workloads/search.yaml')).toEqual(['search']);
  });

  test('Linkerd: their workloads accept both, in equal objects for both', () => {
    const files = filesOf('linkerd');
    const objects = (folder: string) => (files[`${folder}/linkerd.yaml`] ?? '').replace(/^#.*\n/, '').split('---\n');
    const [east, west] = [objects('east'), objects('west')];
    expect(east.length).toBeGreaterThan(5);
    expect(east.filter((it) => !west.includes(it))).toEqual([]);
    const identities = (it: string) =>
      [...it.matchAll(/"door\.(\w+)\.serviceaccount/g)].map(([, namespace]) => namespace).sort();
    const sets = west
      .filter((it) => /^kind: "MeshTLSAuthentication"$/m.test(it))
      .map((it) => [...new Set(identities(it))].join());
    expect(sets.sort()).toEqual(['east,west', 'west']);
  });
});

test('in Linkerd no object of one has the name of an object of the other', () => {
  const { files } = emitMesh(meshTarget('linkerd'), entire('linkerd'), {});
  const names = (name: string) =>
    [...(files[`${name}/linkerd.yaml`] ?? '').matchAll(/^ {2}name: "(.+)"$/gm)].map(([, it]) => it);
  expect(names('east').length).toBeGreaterThan(2);
  expect(names('east').filter((it) => names('west').includes(it))).toEqual([]);
});

test('Consul has all in one place: each service allows the ingress that leads to it', () => {
  const { policy } = entire('envoy');
  const mesh = policy.mesh!;
  const named = Object.values(mesh.ingresses).map((it) => [it.name, { ...it, consulService: `door-${it.name}` }]);
  const at = { ...policy, mesh: { ...mesh, kind: 'consul' as const, ingresses: Object.fromEntries(named) } };
  const { files } = emitMesh(
    meshTarget('consul'),
    { policy: at, rules: compile(at) },
    { assertionJwks: '{"keys":[]}' },
  );
  const sources = (service: string) =>
    JSON.parse(files[`service-intentions.${service}.json`] ?? '{}').Sources.map(({ Name }: { Name: string }) => Name);
  expect(sources('wiki')).toEqual(['door-east', '*']);
  expect(sources('search')).toEqual(['door-west', '*']);
  expect(sources('canary')).toEqual(['door-west', '*']);
});

test('Consul: a service behind both ingresses allows both', () => {
  const { policy } = ruled(
    policyOf('envoy', { wiki: '[east, { name: west, backup: true }]', search: 'west', canary: '[west]' }),
  );
  const mesh = policy.mesh!;
  const sources = (ingresses: readonly (string | undefined)[]) => {
    const named = Object.values(mesh.ingresses).map((it, i) => [it.name, { ...it, consulService: ingresses[i] }]);
    const at = { ...policy, mesh: { ...mesh, kind: 'consul' as const, ingresses: Object.fromEntries(named) } };
    const { files } = emitMesh(meshTarget('consul'), ruled(at), { assertionJwks: '{"keys":[]}' });
    const text = files['service-intentions.wiki.json'];
    return text && JSON.parse(text).Sources.map(({ Name }: { Name: string }) => Name);
  };
  expect(sources(['door-east', 'door-west'])).toEqual(['door-east', 'door-west', '*']);
  // Consul does not know the second ingress, and the identity of nginx is not one of Consul.
  expect(sources(['door-east', undefined])).toBeUndefined();
});

describe('the protocol of a service', () => {
  const { policy } = entire('envoy');
  const services = { ...policy.services, search: { ...policy.services.search!, protocol: 'grpc' as const } };
  const speaking = { policy: { ...policy, services }, rules: compile(policy) };

  test('is used by Envoy', () => {
    const { files } = emitMesh(meshTarget('envoy'), speaking, {}, 'west');
    const of = (name: string) =>
      /explicit_http_config:\n +(\w+):/.exec((files['envoy.yaml'] ?? '').split(`- name: "${name}"\n`)[1] ?? '')?.[1];
    expect([of('search'), of('canary')]).toEqual(['http2_protocol_options', 'http_protocol_options']);
  });

  test('is read by Consul’s proxies', () => {
    const mesh = { ...policy.mesh!, kind: 'consul' as const };
    const named = Object.entries(mesh.ingresses).map(([name, it]) => [name, { ...it, consulService: name }]);
    const consul = { ...speaking.policy, mesh: { ...mesh, ingresses: Object.fromEntries(named) } };
    const { files } = emitMesh(meshTarget('consul'), { ...speaking, policy: consul }, { assertionJwks: '{"keys":[]}' });
    const protocol = (name: string) => JSON.parse(files[`service-defaults.${name}.json`] ?? '{}').Protocol;
    expect([protocol('search'), protocol('wiki')]).toEqual(['grpc', 'http']);
  });
});
