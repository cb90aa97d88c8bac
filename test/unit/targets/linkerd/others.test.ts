import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { linkerdDrift } from '../../../../src/targets/linkerd/drift.ts';
import { linkerd } from '../../../../src/targets/linkerd/index.ts';
import { readLinkerd } from '../../../../src/targets/linkerd/read.ts';
import { policyFor, policyText } from '../members-policy.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
type Any = any;

const own = policyFor('linkerd');
const rules = compile(own);
const objects: readonly Any[] = parseAllDocuments(String(linkerd.emit(own, rules).files['linkerd.yaml'])).map(
  (it) => it.toJS() as Any,
);

/** The name of the rendered Server. */
const SERVER: string = objects.find(({ kind }) => kind === 'Server').metadata.name;

const filesOf = (all: readonly Any[]) => ({ 'live.json': JSON.stringify({ kind: 'List', items: all }) });
const drift = (all: readonly Any[]) => linkerdDrift(own, rules, {}, filesOf(all));

/** The objects, with each of a kind changed. */
const changed = (kind: string, change: (object: Any) => void) =>
  objects.map((it) => {
    const copy = structuredClone(it);
    if (copy.kind === kind) change(copy);
    return copy;
  });

test('rendered objects are not reported', () => {
  expect(drift(objects)).toEqual([]);
});

describe('a server that protects nothing is reported', () => {
  test.each<[string, (it: Any) => void, string]>([
    ['other pods', ({ spec }) => (spec.podSelector.matchLabels.app = 'x'), 'spec.podSelector.matchLabels.app is "x"'],
    [
      'other pods by expressions',
      ({ spec }) => (spec.podSelector.matchExpressions = [{}]),
      'spec.podSelector.matchExpr',
    ],
    ['another port', ({ spec }) => (spec.port = 9090), 'spec.port is 9090, and not 8090'],
    [
      'an open one',
      ({ spec }) => (spec.accessPolicy = 'all-authenticated'),
      'spec.accessPolicy is "all-authenticated"',
    ],
    ['a protocol other than HTTP', ({ spec }) => (spec.proxyProtocol = 'opaque'), 'spec.proxyProtocol is "opaque"'],
    ['an unknown member', ({ spec }) => (spec.unheardOf = 1), 'spec.unheardOf is 1, which meshgate does not'],
  ])('%s', (_, change, line) => {
    expect(drift(changed('Server', change))[0]).toContain(line);
  });

  test('none at all', () => {
    expect(drift(objects.filter(({ kind }) => kind !== 'Server'))[0]).toContain('it is missing');
  });

  test('the default protocol is none', () => {
    expect(drift(changed('Server', ({ spec }) => (spec.proxyProtocol = 'unknown')))).toEqual([]);
  });
});

describe('members that differ from the rendered ones are not read', () => {
  test.each<[string, string, (it: Any) => void, string]>([
    [
      'identities by reference',
      'MeshTLSAuthentication',
      ({ spec }) => (spec.identityRefs = [{ kind: 'Namespace' }]),
      'spec.identityRefs is ',
    ],
    ['a filter', 'HTTPRoute', ({ spec }) => (spec.rules[0].filters = [{ type: 'RequestRedirect' }]), '"filters"'],
    ['a port of the parent', 'HTTPRoute', ({ spec }) => (spec.parentRefs[0].port = 1), 'spec.parentRefs[0].port is 1'],
    [
      'a method that none can name',
      'HTTPRoute',
      ({ spec }) => (spec.rules[0].matches[0].method = 'LOCK'),
      'routes of Linkerd cannot name the method LOCK',
    ],
    ['a group', 'AuthorizationPolicy', ({ spec }) => (spec.targetRef.group = 'x'), 'spec.targetRef.group is "x"'],
    [
      'an annotation',
      'HTTPRoute',
      ({ metadata }) => (metadata.annotations = { a: 'b' }),
      'metadata.annotations.a is "b"',
    ],
  ])('%s', (_, kind, change, message) => {
    expect(() => readLinkerd(filesOf(changed(kind, change)))).toThrow(message);
  });

  test('a live route that Linkerd has not accepted does not count', () => {
    const parent = (it: Any, status: string) => [
      {
        controllerName: 'linkerd.io/policy-controller',
        parentRef: it.spec.parentRefs[0],
        conditions: [{ type: 'Accepted', status }],
      },
    ];
    const live = (status: string) =>
      changed('HTTPRoute', (it) => {
        it.metadata.uid = 'x';
        it.status = { parents: parent(it, status) };
      });
    expect(() => readLinkerd(filesOf(live('False')))).toThrow('Linkerd has not accepted it, so it has no effect');
    expect(readLinkerd(filesOf(live('True')))).toEqual(readLinkerd(filesOf(objects)));
    const fresh = changed('HTTPRoute', (it) => (it.metadata.uid = 'x'));
    expect(() => readLinkerd(filesOf(fresh))).toThrow('Linkerd has not accepted it');
  });
});

describe('foreign objects', () => {
  const object = (kind: string, spec: unknown, namespace = 'wiki') => ({
    apiVersion: 'policy.linkerd.io/v1beta1',
    kind,
    metadata: { name: 'more', namespace },
    spec,
  });
  const beside = (kind: string, spec: unknown, namespace?: string) =>
    drift([...objects, object(kind, spec, namespace)]);
  const server = { group: 'policy.linkerd.io', kind: 'Server', name: SERVER };
  const namespace = { group: 'core', kind: 'Namespace', name: 'wiki' };

  test.each<[string, string, unknown, string]>([
    [
      'a server for pods that may be the policy’s',
      'Server',
      { podSelector: { matchLabels: { tier: 'web' } }, port: 8090 },
      `it may apply instead of Server wiki/${SERVER}`,
    ],
    ['a server for a port by its name', 'Server', { podSelector: {}, port: 'http' }, 'it may apply instead of Server'],
    [
      'a route of our server',
      'HTTPRoute',
      { parentRefs: [server], rules: [] },
      `it takes requests from the routes of Server wiki/${SERVER}`,
    ],
    [
      'a policy for our server',
      'AuthorizationPolicy',
      { targetRef: server },
      `it allows more than routes of Server wiki/${SERVER}`,
    ],
    ['a policy for the namespace', 'AuthorizationPolicy', { targetRef: namespace }, 'it allows more than routes of'],
    [
      'an older authorization',
      'ServerAuthorization',
      { server: { name: SERVER } },
      'it allows more than routes of Server',
    ],
    ['a limit', 'HTTPLocalRateLimitPolicy', { targetRef: server }, `it may refuse what Server wiki/${SERVER} allows`],
    ['an unknown kind', 'NewKind', {}, 'prove does not know objects of this kind'],
  ])('%s is reported', (_, kind, spec, line) => {
    expect(beside(kind, spec)).toEqual([expect.stringContaining(`${kind} wiki/more: ${line}`)]);
  });

  test.each<[string, string, unknown, string]>([
    ['a server for other pods', 'Server', { podSelector: { matchLabels: { app: 'x' } }, port: 8090 }, 'wiki'],
    ['a server for another port', 'Server', { podSelector: {}, port: 9090 }, 'wiki'],
    ['a server of another namespace', 'Server', { podSelector: {}, port: 8090 }, 'elsewhere'],
    ['a route of another server', 'HTTPRoute', { parentRefs: [{ ...server, name: 'x' }] }, 'wiki'],
    ['a route of another namespace', 'HTTPRoute', { parentRefs: [{ ...server, namespace: 'wiki' }] }, 'elsewhere'],
    ['a policy of another namespace', 'AuthorizationPolicy', { targetRef: namespace }, 'elsewhere'],
    ['the allowed identities of another place', 'MeshTLSAuthentication', { identities: ['*'] }, 'wiki'],
  ])('%s is ignored', (_, kind, spec, space) => {
    expect(beside(kind, spec, space)).toEqual([]);
  });

  describe('objects of the ingress’s own proxy', () => {
    /** The object, in the API group of its kind. */
    const groups: Readonly<Record<string, string>> = {
      ServiceProfile: 'linkerd.io/v1alpha2',
      TrafficSplit: 'split.smi-spec.io/v1alpha2',
      GRPCRoute: 'gateway.networking.k8s.io/v1',
      HTTPRoute: 'gateway.networking.k8s.io/v1',
    };
    const made = (kind: string, spec: unknown, namespace: string, name = 'more') => ({
      ...object(kind, spec, namespace),
      apiVersion: groups[kind],
      metadata: { name, namespace },
    });
    const WIKI = 'wiki.wiki.svc.cluster.local';
    const parent = { group: 'core', kind: 'Service', name: 'wiki', namespace: 'wiki', port: 80 };
    const to = (name: string, more = {}) => ({ backendRefs: [{ name, port: 80, ...more }] });
    const over = (...all: string[]) => ({
      routes: [],
      dstOverrides: all.map((authority) => ({ authority, weight: 1 })),
    });
    const split = (...all: string[]) => ({ service: 'wiki', backends: all.map((service) => ({ service, weight: 1 })) });

    test.each<[string, string, unknown, string?, string?]>([
      ['a route to another service', 'HTTPRoute', { parentRefs: [parent], rules: [to('other')] }],
      ['a route to another service of gRPC', 'GRPCRoute', { parentRefs: [parent], rules: [to('other')] }],
      ['a route to another namespace', 'HTTPRoute', { parentRefs: [parent], rules: [to('wiki', { namespace: 'x' })] }],
      ['a route to another port', 'HTTPRoute', { parentRefs: [parent], rules: [to('wiki', { port: 8091 })] }],
      [
        'a route to another kind',
        'HTTPRoute',
        { parentRefs: [parent], rules: [to('wiki', { kind: 'EgressNetwork' })] },
      ],
      [
        'a route that redirects',
        'HTTPRoute',
        { parentRefs: [parent], rules: [{ filters: [{ type: 'RequestRedirect' }] }] },
      ],
      [
        'a route with two parents',
        'HTTPRoute',
        { parentRefs: [{ ...parent, name: 'x' }, parent], rules: [to('other')] },
      ],
      [
        'a route of the service’s namespace',
        'HTTPRoute',
        { parentRefs: [{ kind: 'service', name: 'Wiki' }], rules: [to('x')] },
      ],
      ['a route of the ingress’s namespace', 'HTTPRoute', { parentRefs: [parent], rules: [to('wiki')] }, 'edge'],
      [
        'a profile with another destination',
        'ServiceProfile',
        over(`${WIKI}:80`, 'other.wiki.svc.cluster.local:80'),
        'wiki',
        WIKI,
      ],
      ['a profile of the ingress’s namespace', 'ServiceProfile', over('other.wiki.svc.cluster.local'), 'edge', WIKI],
      ['a profile with opaque ports', 'ServiceProfile', { routes: [], opaquePorts: ['80'] }, 'wiki', WIKI],
      ['a split', 'TrafficSplit', split('wiki', 'other')],
      ['a split by conditions', 'TrafficSplit', { ...split('wiki'), backends: [{ service: 'other', weight: 0 }] }],
    ])('%s is reported', (_, kind, spec, namespace = 'wiki', name = 'more') => {
      expect(drift([...objects, made(kind, spec, namespace, name)])).toEqual([
        `${kind} ${namespace}/${name}: it may change the requests for wiki/wiki, or lead them to another service, for which no rendered object decides`,
      ]);
      // No file with such an object is rejected as one of another mesh.
      expect(readLinkerd(filesOf([...objects, made(kind, spec, namespace, name)]))).toEqual(
        readLinkerd(filesOf(objects)),
      );
    });

    test.each<[string, string, unknown, string?, string?]>([
      ['a route to the same service', 'HTTPRoute', { parentRefs: [parent], rules: [{ ...to('wiki'), timeouts: {} }] }],
      [
        'a route without a destination',
        'HTTPRoute',
        { parentRefs: [parent], rules: [{ matches: [{ method: 'GET' }] }] },
      ],
      ['a route of another service', 'HTTPRoute', { parentRefs: [{ ...parent, name: 'x' }], rules: [to('other')] }],
      ['a route of another namespace', 'HTTPRoute', { parentRefs: [parent], rules: [to('other')] }, 'elsewhere'],
      ['a profile of the same service', 'ServiceProfile', over(`${WIKI}:80`), 'wiki', WIKI],
      ['a profile with retries', 'ServiceProfile', { routes: [{ isRetryable: true }], retryBudget: {} }, 'wiki', WIKI],
      [
        'a profile of another service',
        'ServiceProfile',
        over('x.wiki.svc.cluster.local'),
        'wiki',
        'x.wiki.svc.cluster.local',
      ],
      ['a split of another service', 'TrafficSplit', { ...split('other'), service: 'x' }],
      ['a split to the same service', 'TrafficSplit', split('wiki')],
    ])('%s is ignored', (_, kind, spec, namespace = 'wiki', name = 'more') => {
      expect(drift([...objects, made(kind, spec, namespace, name)])).toEqual([]);
    });

    test('change nothing for a service to which nginx connects itself', () => {
      const hosts = `
  w.test: { /*: { service: wiki, allow: [staff] } }
  p.test: { /*: { service: pages, allow: [staff] } }`;
      const text = policyText('linkerd', 'staff: { group: staff }', hosts, ['pages']);
      const { policy, errors } = parsePolicy(text.replace('namespace: wiki', '$&, service_account: wiki'), 'p.yaml');
      if (policy === undefined) throw new Error(JSON.stringify(errors));
      const itself = compile(policy);
      const rendered = parseAllDocuments(String(linkerd.emit(policy, itself).files['linkerd.yaml'])).map((it) =>
        it.toJS(),
      );
      const live = [...rendered, made('HTTPRoute', { parentRefs: [parent], rules: [to('other')] }, 'wiki')];
      expect(linkerdDrift(policy, itself, {}, filesOf(live))).toEqual([]);
    });
  });

  test('a server of a policy that is gone is left over', () => {
    const [first] = objects.filter(({ kind }) => kind === 'Server');
    const old = { ...first, metadata: { ...first.metadata, name: 'meshgate-old' } };
    expect(drift([...objects, old])).toEqual([expect.stringContaining('meshgate-old: meshgate does not render it')]);
  });

  test.each(['Server', 'HTTPRoute', 'AuthorizationPolicy', 'MeshTLSAuthentication'])(
    'a %s that an update left is reported, and not read as a rule',
    (kind) => {
      const copies = parseAllDocuments(String(linkerd.emit(own, rules, { forUpdate: true }).files['linkerd.yaml']));
      const copy = copies.map((it) => it.toJS() as Any).find((it) => it.kind === kind);
      expect(drift([...objects, copy])).toEqual([
        expect.stringMatching(new RegExp(`^${kind} wiki/update\\.meshgate-.*: an update left it: repeat the steps`)),
      ]);
      expect(readLinkerd(filesOf([...objects, copy]))).toEqual(readLinkerd(filesOf(objects)));
    },
  );

  test('hosts that no service has are reported', () => {
    const all = changed('HTTPRoute', ({ spec }) => spec.hostnames?.push('x.wiki.svc.cluster.local'));
    expect(drift(all)).toContain('routes of wiki: x.wiki.svc.cluster.local: no service has this host');
  });
});
