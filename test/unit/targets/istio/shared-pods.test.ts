import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { proveIdentities } from '../../../../src/rules/compare/prove.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { istio } from '../../../../src/targets/istio/index.ts';
import type { KubeObject } from '../../../../src/targets/kit/kubernetes-objects.ts';

const objectsIn = (text: string): readonly KubeObject[] => parseAllDocuments(text).map((it) => it.toJS());

/** Services whose rules are enforced in the same pods, on different ports. */
const policyOf = (synchrony = 'labels: { tier: app, app: confluence }, port: 8091') => {
  const { policy, errors } = parsePolicy(
    `version: 1
gateway:
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }
  assertion: { issuer: https://wiki.example.com, keys_file: /run/keys.jwks }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
mesh:
  kind: istio
  trust_domain: example.org
  ingress: { address: "ingress.mesh:8443", ca_file: /ca.pem, namespace: edge, labels: { app: ingress }, service_account: ingress }
  identities: { default: { spiffe: spiffe://example.org/gateway, pem_file: /run/gateway.pem } }
services:
  confluence: { authority: confluence.example.com, namespace: wiki, labels: { app: confluence, tier: app }, port: 8090 }
  synchrony: { authority: synchrony.example.com, namespace: wiki, ${synchrony} }
hosts:
  wiki.example.com:
    /*: { service: confluence, allow: [staff] }
    /synchrony/*: { service: synchrony, allow: [staff] }
`,
    'p.yaml',
  );
  if (policy === undefined) throw new Error(JSON.stringify(errors));
  return policy;
};

const policy = policyOf();
const rules = compile(policy);
const { files } = istio.emit(policy, rules);
const objects = Object.entries(files).flatMap(([name, text]) => (name.startsWith('workloads/') ? objectsIn(text) : []));
const drift = (live: Readonly<Record<string, string>>) => istio.drift(policy, rules, {}, live);

test('configures pods once for all services in them, and has rules for each', () => {
  expect(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/\.[0-9a-f]{16}$/, '.PODS')}`).sort(),
  ).toEqual([
    'AuthorizationPolicy meshgate-workload-confluence.PODS',
    'AuthorizationPolicy meshgate-workload-synchrony.PODS',
    'PeerAuthentication meshgate-pods.confluence-app.PODS',
    'RequestAuthentication meshgate-pods.confluence-app.PODS',
    'Telemetry meshgate-pods.confluence-app.PODS',
  ]);
  const verified = objects.find(({ kind }) => kind === 'RequestAuthentication');
  expect(verified?.spec).toMatchObject({ jwtRules: [{ audiences: ['confluence', 'synchrony'] }] });
  expect(drift(files)).toEqual([]);
  expect(proveIdentities(istio.project(policy, rules), istio.read(files))).toBeUndefined();
});

test('services with other pods have objects of their own', () => {
  const other = policyOf('labels: { tier: app, app: synchrony }, port: 8091');
  const { files } = istio.emit(other, compile(other));
  expect(objectsIn(files['workloads/synchrony.yaml'] ?? '').map(({ kind }) => kind)).toEqual([
    'PeerAuthentication',
    'RequestAuthentication',
    'AuthorizationPolicy',
    'Telemetry',
  ]);
});

test('the rules of a service apply only to its own port', () => {
  const own = objects.filter(({ kind }) => kind === 'AuthorizationPolicy');
  const portsOf = ({ spec }: (typeof own)[number]) =>
    (spec as { rules: { to: { operation: { ports: string[] } }[] }[] }).rules.flatMap(
      ({ to }) => to[0]?.operation.ports,
    );
  expect(own.map(portsOf)).toEqual([['8090'], ['8091']]);
});

test.each([
  ['another port', '- "8091"', '- "8090"'],
  ['every port', /^ +ports:\n +- "8091"\n/m, ''],
])('prove finds rules for %s', (_, from, to) => {
  const file = 'workloads/synchrony.yaml';
  const changed = { ...files, [file]: files[file]!.replace(from, to) };
  expect(changed[file]).not.toBe(files[file]);
  expect(proveIdentities(istio.project(policy, rules), istio.read(changed))).toBeDefined();
});

test('prints that rules apply to every port of the pods if the policy names no port', () => {
  const without = policyOf('labels: { tier: app, app: confluence }');
  expect(istio.emit(without, compile(without)).gaps).toContainEqual({
    part: 'services.synchrony',
    text: expect.stringContaining('apply to every port of its pods; write port'),
  });
  expect(istio.emit(policy, rules).gaps.filter(({ part }) => part.startsWith('services.'))).toEqual([]);
});

test.each([
  ['istio-agentgateway', 'its class istio-agentgateway is another proxy than Envoy'],
  ['istio-agentgateway-waypoint', 'its class istio-agentgateway-waypoint is another proxy than Envoy'],
  ['istio', 'prove does not know Gateways of the Gateway API'],
])('prove reports a Gateway of the class %s', (name, line) => {
  const gateway = `apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: edge, namespace: edge }\nspec: { gatewayClassName: ${name} }\n`;
  expect(drift({ ...files, 'more.yaml': gateway })).toEqual([expect.stringContaining(`Gateway edge/edge: ${line}`)]);
});

test('pods without the rules of one service still deny what the others do not allow', () => {
  const { 'workloads/synchrony.yaml': _, ...rest } = files;
  const live: Readonly<Record<string, string>> = {
    ...rest,
    'kustomization.yaml': files['kustomization.yaml']!.replace(/ {2}- "workloads.synchrony.*\n/, ''),
  };
  const own = objects.find(({ metadata }) => metadata.name.startsWith('meshgate-workload-synchrony.'));
  const name = `wiki/${own?.metadata.name}`;
  expect(drift(live)).toContainEqual(`AuthorizationPolicy ${name}: it is missing`);
  expect(istio.unguarded?.(policy, rules, live)(`${name}:8091`)).toBe(false);
  const { 'workloads/confluence.yaml': __, ...none } = live;
  expect(istio.unguarded?.(policy, rules, none)(`${name}:8091`)).toBe(true);
});
