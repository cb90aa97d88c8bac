import { describe, expect, test } from 'vitest';
import { linkerd } from '../../../../src/targets/linkerd/index.ts';
import { render, type Sample, WIKI, WORKLOAD } from './samples.ts';

const APART: Sample = { ingress: '' };

const gapsOf = (rest: string, sample?: Sample) => render(rest, sample).gaps.map(({ part, text }) => `${part}: ${text}`);

const wiki = (routes: string) => `${WIKI}hosts: { w.test: { ${routes} } }`;

/** The coverage of each rule, in order. */
function coverage(rest: string, sample?: Sample) {
  const { policy, rules } = render(rest, sample);
  return rules.map((rule) => linkerd.covers(rule, policy));
}

describe('roles', () => {
  const both = wiki(
    '/*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, as: wiki-editor }] }',
  );

  test('with identities of their own are enforced at workloads to which nginx connects itself', () => {
    expect(coverage(both, APART)).toEqual([{ kind: 'exact' }, { kind: 'exact' }]);
    expect(gapsOf(both, APART)).toEqual([]);
  });

  test('behind an ingress are one: each is wider, and the other is named', () => {
    const text =
      'Linkerd sees the client and not the role: on the same requests, role reader and role editor (w.test/*#2) come as the same client ingress (ingress.edge.serviceaccount.identity.linkerd.example.org); only the gateway distinguishes them; a service that must distinguish them can verify the assertion';
    expect(coverage(both)).toMatchObject([
      { kind: 'wider', text },
      { kind: 'wider', text: expect.stringContaining('role editor and role reader (w.test/*#1) come as') },
    ]);
    expect(gapsOf(both)[0]).toBe(
      'mesh.identities: workloads see the identity of the ingress (ingress.edge.serviceaccount.identity.linkerd.example.org), not the one with which nginx connects to the ingress (wiki-editor)',
    );
    expect(gapsOf(both)[1]).toBe(`w.test/*#1: ${text}`);
  });

  test('on other methods or paths are enforced', () => {
    const rest = wiki(
      '/*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, methods: [POST] }] }, /x/*: { service: wiki, allow: [anyone] }',
    );
    expect(gapsOf(rest)).toEqual([]);
    expect(coverage(rest)).toEqual([{ kind: 'exact' }, { kind: 'exact' }, { kind: 'exact' }]);
  });

  test('of two hosts with one service are one', () => {
    const rest = `${WIKI}hosts: { a.test: { /*: { service: wiki, allow: [reader] } }, b.test: { /x/*: { service: wiki, allow: [editor] } } }`;
    expect(coverage(rest).map(({ kind }) => kind)).toEqual(['wider', 'wider']);
    expect(gapsOf(rest)[1]).toContain(
      'b.test/x/*#1: Linkerd sees the client and not the role: on the same requests, role editor',
    );
  });
});

test('a method that routes cannot name passes with all of its kind', () => {
  const rest = wiki('/*: { service: wiki, allow: [{ role: editor, methods: [GET, PROPFIND] }] }');
  const text =
    'routes of Linkerd can name only the methods GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS: a rule that allows PROPFIND also allows all methods besides these; only the gateway distinguishes them';
  expect(coverage(rest)).toEqual([{ kind: 'wider', text }]);
  expect(gapsOf(rest)).toEqual([`w.test/*#1: ${text}`]);
});

describe('an exact path beside the prefix of the same path', () => {
  const routes =
    '/x: { service: wiki, allow: [{ role: reader, methods: [GET] }] }, /x/*: { service: wiki, allow: [editor] }';

  test('is distinguished by the host, which is named and as strict', () => {
    expect(coverage(wiki(routes))).toEqual([{ kind: 'exact' }, { kind: 'exact' }]);
    expect(gapsOf(wiki(routes))).toEqual([
      'w.test/x#1: Linkerd ranks an exact path no higher than the prefix of the same path, so the host confluence.wiki.svc.cluster.local distinguishes them: Linkerd treats a request for any other host in wiki.svc.cluster.local, and for confluence.wiki.svc.cluster.local with a capital letter, as a request for the prefix; nginx sends neither',
    ]);
  });

  test('is one with it if the workload has several authorities: both are wider', () => {
    const rest = `services: { wiki: { authority: wiki.apps, ${WORKLOAD} }, docs: { authority: docs.apps, ${WORKLOAD} } }
hosts: { w.test: { ${routes} }, d.test: { /*: { service: docs, allow: [reader] } } }`;
    expect(coverage(rest).map(({ kind }) => kind)).toEqual(['wider', 'wider', 'exact']);
    expect(gapsOf(rest)).toHaveLength(2);
    expect(gapsOf(rest)[0]).toContain('a client that may reach one of the two may reach the other');
  });
});

describe('services', () => {
  test('that are reached directly are not protected', () => {
    const rest = `services: { wiki: { authority: wiki.apps, ${WORKLOAD} }, direct: { url: "https://direct.test" } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] }, /d/*: { service: direct, allow: [editor] } } }`;
    expect(gapsOf(rest)).toEqual([
      'services.direct: nginx connects to the service directly and not through the mesh, so Linkerd does not enforce its rules',
    ]);
    expect(coverage(rest)[1]).toEqual({ kind: 'none', text: 'direct is reached directly and not through the mesh' });
  });

  test('that do not say where they run are not protected, and nothing is rendered', () => {
    const rest = `services: { wiki: { authority: wiki.apps, namespace: wiki } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] } } }`;
    const { files, gaps, policy, rules } = render(rest, { kind: 'envoy' });
    expect(files).toEqual({});
    expect(gaps).toEqual([
      { part: 'services.wiki', text: 'Linkerd does not enforce the rules of this service; write its labels, port' },
    ]);
    expect(linkerd.covers(rules[0]!, policy)).toEqual({ kind: 'none', text: gaps[0]?.text });
  });

  test('whose host a route cannot name are not protected', () => {
    const rest = `services: { wiki: { authority: "10.0.0.7:80", ${WORKLOAD} } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] } } }`;
    expect(gapsOf(rest, { kind: 'envoy' })).toEqual([
      'services.wiki: Linkerd does not enforce the rules of this service: "10.0.0.7:80" is not the DNS name of a host, which routes require',
    ]);
  });

  test('whose pods may be the same are named', () => {
    const rest = (
      labels: string,
    ) => `services: { wiki: { authority: wiki.apps, ${WORKLOAD} }, canary: { authority: canary.apps, namespace: wiki, labels: ${labels}, port: 8090 } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] }, /c/*: { service: canary, allow: [reader] } } }`;
    expect(gapsOf(rest('{ app: confluence, track: canary }'))).toEqual([
      'services.canary: a pod can have the labels of this service and those of wiki: Linkerd then enforces only the older of the two Servers; give the two services different values of one label',
    ]);
    expect(gapsOf(rest('{ app: canary }'))).toEqual([]);
  });
});

test('an assertion is forwarded and not verified', () => {
  const gateway = ', assertion: { issuer: "https://gw.test", keys_file: /run/keys }';
  expect(gapsOf(wiki('/*: { service: wiki, allow: [reader] }'), { gateway })).toEqual([
    'gateway.assertion: Linkerd has no policy for tokens: it forwards the assertion without verifying it; a service that relies on the assertion must verify it',
  ]);
});

test('characters of paths that clients encode are named', () => {
  expect(gapsOf(wiki('/*: { service: wiki, allow: [reader] }, "/a@b/~c": { service: wiki, allow: [anyone] }'))).toEqual(
    [
      'w.test/*#1: Linkerd matches paths without decoding them, so it refuses a path if a client percent-encodes one of these characters, which paths of the policy contain: @ ~',
    ],
  );
});

test('a policy without a mesh renders to nothing, and says why', () => {
  const { policy, rules } = render(wiki('/*: { service: wiki, allow: [reader] }'));
  const { mesh: _, ...without } = policy;
  expect(linkerd.emit(without, rules, {})).toEqual({
    files: {},
    gaps: [{ part: 'mesh', text: 'the policy has no mesh, so there is nothing for Linkerd to enforce' }],
  });
});
