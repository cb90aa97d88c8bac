import { describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { proveIdentities } from '../../../../src/rules/compare/prove.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { istioDrift } from '../../../../src/targets/istio/drift.ts';
import { istio } from '../../../../src/targets/istio/index.ts';
import { project } from '../../../../src/targets/istio/project.ts';
import { readIstio } from '../../../../src/targets/istio/read.ts';
import { ownerOf } from '../../../../src/targets/kit/owner.ts';
import { draw } from '../../../harness/property.ts';
import { policy } from '../../rules/arbitrary.ts';
import { cases, goldenPolicy, render } from './golden.ts';
import { meshed } from './meshed.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
type Any = any;

/** The live objects, as `kubectl get -o yaml` prints them: one list, with the members that the server adds. */
function live(
  files: Readonly<Record<string, string>>,
  change: (object: Any) => void = () => {},
): Record<string, string> {
  const objects = Object.values(files)
    .flatMap((text) => parseAllDocuments(text).map((it) => it.toJS() as Any))
    .filter(({ kind }) => kind !== 'Kustomization');
  for (const object of objects) {
    const annotation = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object) };
    object.metadata.annotations = { ...object.metadata.annotations, ...annotation };
    Object.assign(object.metadata, { resourceVersion: '7', uid: 'x', generation: 1, creationTimestamp: '2026-01-01' });
    object.status = { conditions: [] };
    change(object);
  }
  const list = { apiVersion: 'v1', kind: 'List', items: objects, metadata: { resourceVersion: '' } };
  // kubectl writes YAML 1.1.
  return { '-': stringify(list, { version: '1.1' }) };
}

/** Sets a value in a place, or removes it. */
function put(object: Any, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop() as string;
  const parent = steps.reduce((it, step) => it[step], object);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}

test('from YAML as well, over 20 policies', () => {
  for (const one of draw(policy, 20).map((it) => meshed(it))) {
    const rules = compile(one);
    expect(readIstio(istio.emit(one, rules).files)).toEqual(project(one, rules));
  }
});

describe.each(cases)('%s', (name) => {
  const own = goldenPolicy(name);
  const { files } = render(own);
  const expected = project(own, compile(own));

  test('rendered and read', () => {
    expect(expected.length).toBeGreaterThan(0);
    expect(readIstio(files, ownerOf(own))).toEqual(expected);
  });

  test('read from what kubectl prints', () => {
    expect(readIstio(live(files), ownerOf(own))).toEqual(expected);
  });
});

describe('a change by hand', () => {
  const own = goldenPolicy('demo');
  const { files } = render(own);
  const expected = project(own, compile(own));
  const changed = (title: string, change: (object: Any) => void) =>
    readIstio(
      live(files, (it) => {
        if (`${it.kind} ${it.metadata.name}` === title) change(it);
      }),
    );
  const ingress = 'AuthorizationPolicy meshgate-ingress-wiki';
  const workload = 'AuthorizationPolicy meshgate-workload-wiki.e4e065b7e486746a';

  test.each<[string, string, string, unknown, string]>([
    ['a role', ingress, '0.when.3.values', ['reader'], 'of role editor'],
    ['a condition less', ingress, '0.when.length', 3, 'with an assertion'],
    ['no condition', workload, '0.when', undefined, 'spiffe://example.org/ns/edge/sa/meshgate-ingress'],
    ['an identity', ingress, '0.from.0.source.principals', ['x/y'], 'spiffe://'],
    ['another `as`', ingress, '0.when.2.values', ['reader'], 'as editor, for wiki'],
    ['another audience', workload, '0.when.1.values', ['dashboard'], 'as editor, for wiki'],
    ['another issuer', workload, '0.when.0.values', ['https://x'], 'by https://wiki.example.com'],
    ['exceptions', workload, '1.to.0.operation.notPaths', undefined, 'of role reader'],
    ['methods', ingress, '0.to.0.operation.methods', ['GET'], 'of role editor'],
    ['hosts', ingress, '0.to.0.operation.hosts.length', 1, 'of role editor'],
    ['a rule less', workload, 'length', 3, 'spiffe://example.org/ns/edge/sa/meshgate-ingress'],
  ])('%s: a request differs', (_, title, at, value, caller) => {
    const read = changed(title, (it) => put(it.spec.rules, at, value));
    expect(proveIdentities(expected, read)?.caller).toContain(caller);
  });

  test('ids that are missing are made up', () => {
    const read = changed(ingress, (it) => void delete it.metadata.annotations);
    expect(read[0]).toMatchObject({ id: 'edge/meshgate-ingress-wiki#1', route: 'edge/meshgate-ingress-wiki' });
    expect(proveIdentities(expected, read)).toBeUndefined();
  });

  const operation = 'spec.rules.0.to.0.operation';
  test.each<[string, string, unknown, string]>([
    ['an action', 'spec.action', 'DENY', 'its action is not ALLOW'],
    ['a dry run', 'metadata.annotations', { 'istio.io/dry-run': 'true' }, 'it is a dry run'],
    ['two ports', `${operation}.ports`, ['80', '81'], 'exactly one port, or none'],
    ['no port', `${operation}.ports`, [], 'a list is empty'],
    ['a namespace', 'spec.rules.0.from.0.source.namespaces', ['x'], 'meshgate does not render "namespaces"'],
    ['any method', `${operation}.methods`, ['*'], 'a method is not a name'],
    ['two sources', 'spec.rules.0.from.1', { source: {} }, 'one source and one operation'],
    ['no source', 'spec.rules.0.from', undefined, 'one source and one operation'],
    ['any principal', 'spec.rules.0.from.0.source.principals', ['*'], 'a rule must have exactly one principal'],
    ['any path', `${operation}.paths`, ['*'], 'a policy cannot have the path *'],
    ['no path', `${operation}.paths`, undefined, 'a rule must have exactly one path'],
    ['a loose prefix', `${operation}.paths`, ['/a', '/a*'], 'a policy cannot have the path /a*'],
    ['another prefix', `${operation}.paths`, ['/a', '/b/*'], 'a policy cannot have the path'],
    ['any role', 'spec.rules.0.when.3.values', ['*'], 'request.auth.claims[roles] must not have a pattern'],
    ['two audiences', 'spec.rules.0.when.1.values', ['a', 'b'], 'request.auth.claims[aud] needs one value'],
    ['other claims', 'spec.rules.0.when.3.key', 'request.auth.claims[x]', 'conditions on issuer'],
    ['no issuer', 'spec.rules.0.when.0', { key: 'request.headers[x]', values: ['x'] }, 'conditions on issuer'],
  ])('%s: the reason why it cannot be read', (_, at, value, message) => {
    const read = () => changed(workload, (it) => put(it, at, value));
    expect(read).toThrow(`${workload.replace(' ', ' wiki/')}: `);
    expect(read).toThrow(message);
  });
});

describe('foreign objects', () => {
  const own = goldenPolicy('demo');
  const { files } = render(own);
  const drift = (...objects: Any[]) =>
    istioDrift(
      own,
      compile(own),
      {},
      { ...files, ...Object.fromEntries(objects.map((it, i) => [`${i}`, stringify(it)])) },
    );
  const GROUPS: Readonly<Record<string, string>> = {
    AuthorizationPolicy: 'security',
    RequestAuthentication: 'security',
    PeerAuthentication: 'security',
    Telemetry: 'telemetry',
    WasmPlugin: 'extensions',
  };
  const object = (kind: string, namespace: string, spec: unknown, metadata: object = {}) => ({
    apiVersion: `${GROUPS[kind] ?? 'networking'}.istio.io/v1`,
    kind,
    metadata: { name: 'more', namespace, ...metadata },
    spec,
  });
  const beside = (kind: string, namespace: string, spec: unknown) => drift(object(kind, namespace, spec));
  const pods = (matchLabels: Any) => ({ selector: { matchLabels } });

  test('rendered objects are not reported', () => {
    expect(drift()).toEqual([]);
  });

  test.each<[string, string, unknown]>([
    ['of the same pods', 'wiki', { ...pods({ app: 'wiki' }), rules: [{}] }],
    ['of pods with a label that the policy’s may have', 'wiki', { ...pods({ tier: 'web' }), rules: [{}] }],
    ['of the namespace', 'wiki', { action: 'ALLOW', rules: [{}] }],
    ['of the mesh', 'istio-system', { rules: [{}] }],
  ])('a policy that allows more, %s, is reported', (_, namespace, spec) => {
    expect(beside('AuthorizationPolicy', namespace, spec)).toEqual([
      expect.stringMatching(new RegExp(`^AuthorizationPolicy ${namespace}/more: it allows more than Authorization`)),
    ]);
  });

  test.each<[string, string, unknown, string]>([
    ['a policy that refuses', 'AuthorizationPolicy', { action: 'DENY', rules: [{}] }, 'it may refuse what'],
    ['a policy that asks others', 'AuthorizationPolicy', { action: 'CUSTOM', rules: [{}] }, 'it may refuse what'],
    [
      'other keys for our issuer',
      'RequestAuthentication',
      { jwtRules: [{ issuer: 'https://wiki.example.com' }] },
      'tokens that it accepts also count for',
    ],
    [
      'plain text',
      'PeerAuthentication',
      { ...pods({ tier: 'web' }), mtls: { mode: 'PERMISSIVE' } },
      'it may apply instead of',
    ],
    ['a filter', 'EnvoyFilter', { configPatches: [] }, 'it changes the proxies of'],
    ['a module', 'WasmPlugin', { url: 'oci://x' }, 'it changes the proxies of'],
    ['an unknown kind', 'NewKind', {}, 'prove does not know objects of this kind'],
  ])('%s is reported', (_, kind, spec, line) => {
    expect(beside(kind, 'wiki', spec)).toEqual([expect.stringContaining(`${kind} wiki/more: ${line}`)]);
  });

  test('another listener of the ingress, and other routes behind the rendered ones, are reported', () => {
    const { spec, metadata } = Object.values(files)
      .flatMap((text) => parseAllDocuments(text).map((it) => it.toJS() as Any))
      .find(({ kind }) => kind === 'Gateway');
    expect(beside('Gateway', 'elsewhere', { selector: spec.selector, servers: [] })).toEqual([
      expect.stringContaining('Gateway elsewhere/more: it changes the listeners of the proxies of Gateway'),
    ]);
    const gateways = [`${metadata.namespace}/${metadata.name}`];
    expect(beside('VirtualService', 'elsewhere', { hosts: ['*'], gateways })).toEqual([
      expect.stringContaining('VirtualService elsewhere/more: it leads requests of Gateway'),
    ]);
    expect(beside('VirtualService', 'elsewhere', { hosts: ['*'] })).toEqual([]);
  });

  const wiki = 'wiki.wiki.svc.cluster.local';
  const plain = { tls: { mode: 'DISABLE' } };
  test.each<[string, string, unknown, string]>([
    ['another place of a host', 'ServiceEntry', { hosts: [wiki] }, 'elsewhere'],
    ['another place of many hosts', 'ServiceEntry', { hosts: ['x.example.com', '*.svc.cluster.local'] }, 'elsewhere'],
    ['another place of a name', 'ServiceEntry', { hosts: ['WIKI.wiki'] }, 'elsewhere'],
    ['hosts that are no list', 'ServiceEntry', { hosts: wiki }, 'elsewhere'],
    ['plain text', 'DestinationRule', { host: wiki, trafficPolicy: plain }, 'spec.trafficPolicy.tls.mode is "DISABLE"'],
    ['plain text for a name', 'DestinationRule', { host: 'wiki', trafficPolicy: plain }, 'spec.trafficPolicy.tls.mode'],
    ['plain text for all', 'DestinationRule', { host: '*.local', trafficPolicy: plain }, 'spec.trafficPolicy.tls.mode'],
    ['a tunnel', 'DestinationRule', { host: wiki, trafficPolicy: { tunnel: {} } }, 'spec.trafficPolicy.tunnel is'],
    ['a listener of its own', 'Sidecar', { ingress: [{ port: { number: 8090 } }] }, 'it changes the proxies of'],
    ['an unknown member', 'Sidecar', { newMember: 1 }, 'it changes the proxies of'],
  ])('%s in a %s is reported: %j', (_, kind, spec, line) => {
    expect(beside(kind, 'wiki', spec)).toEqual([expect.stringMatching(`^${kind} wiki/more: `)]);
    expect(beside(kind, 'wiki', spec)[0]).toContain(line);
  });

  const balanced = { loadBalancer: { simple: 'RANDOM' }, outlierDetection: {}, tls: { mode: 'ISTIO_MUTUAL' } };
  test.each<[string, string, string, unknown]>([
    ['a place of another host', 'ServiceEntry', 'wiki', { hosts: ['x.example.com', '*.example.com'] }],
    ['plain text for another host', 'DestinationRule', 'wiki', { host: 'db', trafficPolicy: plain }],
    [
      'a balance',
      'DestinationRule',
      'wiki',
      { host: wiki, trafficPolicy: balanced, subsets: [{ name: 'a', labels: {} }] },
    ],
    ['a subset', 'DestinationRule', 'wiki', { host: wiki, subsets: [{ name: 'a', trafficPolicy: plain }] }],
    ['what a workload calls', 'Sidecar', 'wiki', { egress: [{ hosts: ['./*'] }] }],
    ['a listener of other pods', 'Sidecar', 'wiki', { workloadSelector: { labels: { app: 'other' } }, ingress: [{}] }],
    ['a policy of other pods', 'AuthorizationPolicy', 'wiki', { ...pods({ app: 'other' }), rules: [{}] }],
    ['a policy of another namespace', 'AuthorizationPolicy', 'elsewhere', { rules: [{}] }],
    ['a policy that allows nothing', 'AuthorizationPolicy', 'wiki', {}],
    ['a policy that only logs', 'AuthorizationPolicy', 'wiki', { action: 'AUDIT', rules: [{}] }],
    ['mutual TLS of a whole namespace', 'PeerAuthentication', 'wiki', { mtls: { mode: 'PERMISSIVE' } }],
    ['a log', 'Telemetry', 'wiki', {}],
  ])('%s is ignored', (_, kind, namespace, spec) => {
    expect(beside(kind, namespace, spec)).toEqual([]);
  });

  test.each(['True', '1', 'T', 'true', 'false'])('a dry run that is spelled %s is reported', (value) => {
    const changed = live(files, (it) => {
      if (it.kind === 'AuthorizationPolicy') it.metadata.annotations['istio.io/dry-run'] = value;
    });
    const lines = istioDrift(own, compile(own), {}, changed);
    expect(lines[0]).toContain(
      `metadata.annotations.istio.io/dry-run is ${JSON.stringify(value)}, which meshgate does not`,
    );
    expect(() => readIstio(changed)).toThrow('it is a dry run');
  });

  test.each<[string, (it: Any) => void, string]>([
    ['a revision', (it) => (it.metadata.labels['istio.io/rev'] = 'canary'), 'metadata.labels.istio.io/rev is "canary"'],
    [
      'another version',
      (it) => (it.apiVersion = 'security.istio.io/v1beta1'),
      'apiVersion is "security.istio.io/v1beta1"',
    ],
    ['a target', (it) => (it.spec.targetRefs = [{ kind: 'Gateway' }]), 'spec.targetRefs is '],
    ['a deletion', (it) => (it.metadata.deletionTimestamp = '2026-01-01'), 'metadata.deletionTimestamp is '],
  ])('%s of a rendered object is reported', (_, change, line) => {
    const changed = live(files, (it) => {
      if (it.kind === 'AuthorizationPolicy') change(it);
    });
    expect(istioDrift(own, compile(own), {}, changed)[0]).toContain(line);
  });

  test('an object that is there twice is reported', () => {
    const lines = drift(object('AuthorizationPolicy', 'wiki', {}), object('AuthorizationPolicy', 'wiki', {}));
    expect(lines).toEqual(['AuthorizationPolicy wiki/more: it exists twice']);
  });
});

test('text that is not YAML', () => {
  expect(() => readIstio({ x: '{' })).toThrow('not YAML, line 1: ');
  expect(() => readIstio({ x: 'text\n---\n5\n---\n' })).toThrow(
    'no objects of Kubernetes; get the objects of Istio with: kubectl',
  );
});
