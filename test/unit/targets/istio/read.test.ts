import { describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { compile } from '../../../../src/rules/compile.ts';
import { proveIdentities } from '../../../../src/rules/prove.ts';
import { project } from '../../../../src/targets/istio/project.ts';
import { readIstio } from '../../../../src/targets/istio/read.ts';
import { renderIstio } from '../../../../src/targets/istio/render.ts';
import { draw } from '../../../harness/property.ts';
import { policy } from '../../rules/arbitrary.ts';
import { cases, goldenPolicy, render } from './golden.ts';
import { meshed } from './meshed.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
type Any = any;

/** What is live, as `kubectl get -o yaml` prints it: one list, with what the server adds. */
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
  return { '-': stringify({ apiVersion: 'v1', kind: 'List', items: objects, metadata: { resourceVersion: '' } }) };
}

/** Puts a value somewhere, or takes away what is there. */
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
    expect(readIstio(renderIstio(one, rules).files)).toEqual(project(one, rules));
  }
});

describe.each(cases)('%s', (name) => {
  const own = goldenPolicy(name);
  const { files } = render(own);
  const expected = project(own, compile(own));

  test('rendered and read', () => {
    expect(expected.length).toBeGreaterThan(0);
    expect(readIstio(files)).toEqual(expected);
  });

  test('read from what kubectl prints', () => {
    expect(readIstio(live(files))).toEqual(expected);
  });
});

describe('what somebody changed', () => {
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
  const workload = 'AuthorizationPolicy meshgate-workload-wiki';

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
  ])('%s: a request tells it apart', (_, title, at, value, caller) => {
    const read = changed(title, (it) => put(it.spec.rules, at, value));
    expect(proveIdentities(expected, read)?.caller).toContain(caller);
  });

  test('ids that are gone are made up', () => {
    const read = changed(ingress, (it) => void delete it.metadata.annotations);
    expect(read[0]).toMatchObject({ id: 'edge/meshgate-ingress-wiki#1', route: 'edge/meshgate-ingress-wiki' });
    expect(proveIdentities(expected, read)).toBeUndefined();
  });

  const operation = 'spec.rules.0.to.0.operation';
  test.each<[string, string, unknown, string]>([
    ['an action', 'spec.action', 'DENY', 'its action is not ALLOW'],
    ['a dry run', 'metadata.annotations', { 'istio.io/dry-run': 'true' }, 'it is a dry run'],
    ['ports', `${operation}.ports`, ['80'], '"ports" is nothing that meshgate renders'],
    ['a namespace', 'spec.rules.0.from.0.source.namespaces', ['x'], '"namespaces" is nothing'],
    ['any method', `${operation}.methods`, ['*'], 'methods by their names'],
    ['two sources', 'spec.rules.0.from.1', { source: {} }, 'one source and one operation'],
    ['no source', 'spec.rules.0.from', undefined, 'one source and one operation'],
    ['any principal', 'spec.rules.0.from.0.source.principals', ['*'], 'one principal for each rule'],
    ['any path', `${operation}.paths`, ['*'], 'no path of a policy: *'],
    ['no path', `${operation}.paths`, undefined, 'one path for each rule'],
    ['a loose prefix', `${operation}.paths`, ['/a', '/a*'], 'no path of a policy: /a*'],
    ['another prefix', `${operation}.paths`, ['/a', '/b/*'], 'no path of a policy'],
    ['any role', 'spec.rules.0.when.3.values', ['*'], 'no pattern for request.auth.claims[roles]'],
    ['two audiences', 'spec.rules.0.when.1.values', ['a', 'b'], 'one value for request.auth.claims[aud]'],
    ['other claims', 'spec.rules.0.when.3.key', 'request.auth.claims[x]', 'conditions on the issuer'],
    ['no issuer', 'spec.rules.0.when.0', { key: 'request.headers[x]', values: ['x'] }, 'conditions on the issuer'],
  ])('%s: it says why it cannot read that', (_, at, value, message) => {
    const read = () => changed(workload, (it) => put(it, at, value));
    expect(read).toThrow(`${workload.replace(' ', ' wiki/')}: `);
    expect(read).toThrow(message);
  });
});

describe('policies of others', () => {
  const { files } = render(goldenPolicy('demo'));
  const beside = (namespace: string, spec: unknown) =>
    readIstio({
      ...files,
      other: stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'more', namespace },
        spec,
      }),
    });

  test.each([
    ['of the same pods', 'wiki', { selector: { matchLabels: { app: 'wiki' } }, rules: [{}] }],
    ['of the namespace', 'wiki', { action: 'ALLOW', rules: [{}] }],
    ['of the mesh', 'istio-system', { rules: [{}] }],
  ])('that let more in, %s, are no secret', (_, namespace, spec) => {
    expect(() => beside(namespace, spec)).toThrow(
      `AuthorizationPolicy ${namespace}/more: it lets in more than AuthorizationPolicy`,
    );
  });

  test.each([
    ['of other pods', 'wiki', { selector: { matchLabels: { app: 'other' } }, rules: [{}] }],
    ['of another namespace', 'elsewhere', { rules: [{}] }],
    ['that refuse', 'wiki', { action: 'DENY', rules: [{}] }],
    ['that allow nothing', 'wiki', {}],
  ])('%s, are passed over', (_, namespace, spec) => {
    expect(beside(namespace, spec)).toHaveLength(readIstio(files).length);
  });
});

test('what is no YAML', () => {
  expect(() => readIstio({ x: '{' })).toThrow('not YAML, line 1: ');
  expect(() => readIstio({ x: 'text\n---\n5\n---\n' })).toThrow(
    'no object of Istio; ask for all of its policies: kubectl',
  );
});
