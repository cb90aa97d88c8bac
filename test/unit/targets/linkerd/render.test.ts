import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { compile } from '../../../../src/rules/compile.ts';
import { objectsOf } from '../../../../src/targets/linkerd/assemble.ts';
import { linkerd } from '../../../../src/targets/linkerd/index.ts';
import type { LinkerdObject } from '../../../../src/targets/linkerd/objects.ts';
import { holds } from '../../../harness/property.ts';
import { linkerdPolicy, render, WIKI, WORKLOAD } from './samples.ts';

const wiki = (routes: string) => `${WIKI}hosts: { w.test: { ${routes} } }`;
const APART = { ingress: '' };

/** Names of the routes, with their matches. */
function routes(rest: string, sample?: Parameters<typeof render>[1]) {
  return Object.fromEntries(
    render(rest, sample)
      .of('HTTPRoute')
      .map(({ metadata, spec }) => [
        metadata.name,
        spec.rules.flatMap((rule: { matches: { path: { type: string; value: string }; method?: string }[] }) =>
          rule.matches.map(({ path, method = 'any' }) => `${method} ${path.type} ${path.value}`),
        ),
      ]),
  );
}

describe('the allowed identity', () => {
  const identities = (rest: string, sample?: Parameters<typeof render>[1]) =>
    render(rest, sample)
      .of('MeshTLSAuthentication')
      .map(({ spec }) => spec.identities);
  const both = wiki(
    '/*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, as: wiki-editor }] }',
  );

  test('is the ingress, if the policy says what it runs as', () => {
    expect(identities(both)).toEqual([['ingress.edge.serviceaccount.identity.linkerd.example.org']]);
  });

  test('is that of nginx, if not: as a SPIFFE id, and as the name that Linkerd gives to the service account', () => {
    const editor = [
      'wiki-editor.edge.serviceaccount.identity.linkerd.example.org',
      'spiffe://example.org/ns/edge/sa/wiki-editor',
    ];
    expect(identities(both, APART)).toEqual([
      [
        'gateway.edge.serviceaccount.identity.linkerd.example.org',
        'spiffe://example.org/ns/edge/sa/gateway',
        ...editor,
      ],
      editor,
    ]);
  });

  test('of a service with a service account is never that of the ingress, even if both have the same name', () => {
    const services = `services:
  led: { authority: led.wiki.svc.cluster.local, ${WORKLOAD} }
  own: { authority: own.wiki.svc.cluster.local, ${WORKLOAD.replace('confluence', 'own')}, service_account: own }
`;
    const hosts =
      'hosts: { w.test: { /led/*: { service: led, allow: [reader] }, /own/*: { service: own, allow: [editor] } } }';
    const { policy, rules } = render(services + hosts);
    const { default: identity } = policy.mesh!.identities;
    const named = { ...policy, mesh: { ...policy.mesh!, identities: { ingress: { ...identity!, name: 'ingress' } } } };
    const objects = objectsOf(
      named,
      rules.map((rule) => ({ ...rule, as: 'ingress' })),
    );
    const byName = new Map(objects.map(({ kind, metadata, spec }) => [`${kind} ${metadata.name}`, spec]));
    const allowed = objects
      .filter(({ kind }) => kind === 'AuthorizationPolicy')
      .map(({ spec }) => {
        const {
          requiredAuthenticationRefs: [ref],
        } = spec as { requiredAuthenticationRefs: [{ name: string }] };
        return byName.get(`MeshTLSAuthentication ${ref.name}`);
      });
    expect(allowed).toEqual([
      { identities: ['ingress.edge.serviceaccount.identity.linkerd.example.org'] },
      {
        identities: [
          'gateway.edge.serviceaccount.identity.linkerd.example.org',
          'spiffe://example.org/ns/edge/sa/gateway',
        ],
      },
    ]);
  });

  test('is only a SPIFFE id if that is not a service account', () => {
    const { policy, rules } = render(both, APART);
    const identities = { ...policy.mesh!.identities };
    identities.default = { ...identities.default!, spiffe: 'spiffe://example.org/vm/gateway' };
    const objects = objectsOf({ ...policy, mesh: { ...policy.mesh!, identities } }, rules);
    expect(objects[0]?.spec).toEqual({
      identities: [
        'spiffe://example.org/vm/gateway',
        'wiki-editor.edge.serviceaccount.identity.linkerd.example.org',
        'spiffe://example.org/ns/edge/sa/wiki-editor',
      ],
    });
  });
});

describe('matches', () => {
  test('the longest path wins: a longer prefix takes back what a shorter one gives', () => {
    expect(
      routes(
        wiki(
          '/*: { service: wiki, allow: [reader] }, /rest/*: { service: wiki, allow: [{ role: editor, methods: [POST] }] }',
        ),
      ),
    ).toMatchObject({
      'meshgate-wiki.allow.ingress': ['any PathPrefix /', 'POST PathPrefix /rest'],
      'meshgate-wiki.refuse': ['any PathPrefix /rest'],
    });
  });

  test('are left out if they have no effect', () => {
    expect(
      routes(
        wiki(
          '/*: { service: wiki, allow: [reader] }, /a/*: { service: wiki, allow: [editor] }, /b: { service: wiki, allow: [anyone] }',
        ),
      ),
    ).toMatchObject({ 'meshgate-wiki.allow.ingress': ['any PathPrefix /'] });
  });

  test('refuse the paths of another service on the same host', () => {
    const rest = `services: { wiki: { authority: wiki.apps, ${WORKLOAD} }, app: { authority: app.apps, namespace: wiki, labels: { app: app }, port: 80 } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] }, /app/*: { service: app, allow: [reader] } } }`;
    expect(routes(rest)).toMatchObject({
      'meshgate-wiki.refuse': ['any PathPrefix /app'],
      'meshgate-app.allow.ingress': ['any PathPrefix /app'],
    });
  });

  test('an exact path that its prefix would match is distinguished by its host', () => {
    const { of } = render(
      wiki('/: { service: wiki, allow: [{ who: anyone, methods: [GET] }] }, /*: { service: wiki, allow: [reader] }'),
    );
    expect(of('HTTPRoute').map(({ metadata, spec }) => [metadata.name, spec.hostnames])).toEqual([
      ['meshgate-wiki.allow.ingress', ['*.wiki.svc.cluster.local']],
      ['meshgate-wiki.exact.allow.ingress', ['confluence.wiki.svc.cluster.local']],
      ['meshgate-wiki.exact.refuse', ['confluence.wiki.svc.cluster.local']],
      ['meshgate-wiki.refuse.odd-paths', ['*.wiki.svc.cluster.local']],
    ]);
  });

  test('without a prefix allow no path that is not canonical, and need no rule to deny it', () => {
    expect(Object.keys(routes(wiki('/x: { service: wiki, allow: [anyone] }')))).toEqual([
      'meshgate-wiki.allow.ingress',
    ]);
  });

  test('eight are a rule, sixteen rules a route', () => {
    const paths = Array.from({ length: 130 }, (_, i) => `/p${i}/*: { service: wiki, allow: [reader] }`);
    const { of } = render(wiki(paths.join(', ')));
    const [first, second] = of('HTTPRoute');
    expect(first.spec.rules).toHaveLength(16);
    expect(first.spec.rules.every(({ matches }: { matches: unknown[] }) => matches.length === 8)).toBe(true);
    expect(second).toMatchObject({
      metadata: { name: 'meshgate-wiki.allow.ingress.2' },
      spec: { rules: [{ matches: [{}, {}] }] },
    });
    expect(of('AuthorizationPolicy').map(({ spec }) => spec.targetRef.name)).toEqual([
      'meshgate-wiki.allow.ingress',
      'meshgate-wiki.allow.ingress.2',
    ]);
  });
});

describe('objects', () => {
  const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  const id = ({ kind, metadata }: LinkerdObject) => `${kind} ${metadata.namespace}/${metadata.name}`;

  test('have names that Kubernetes takes, each its own', () => {
    const property = fc.property(linkerdPolicy(true), (policy) => {
      const objects = objectsOf(policy, compile(policy));
      expect(objects.filter(({ metadata }) => !NAME.test(metadata.name))).toEqual([]);
      expect(new Set(objects.map(id)).size).toBe(objects.length);
    });
    holds(property, 200);
  });

  test('have a valid name even if that of the policy ends in a dash, or would be too long', () => {
    const { policy, rules } = render(
      `services: { wiki-: { authority: wiki.apps, ${WORKLOAD} } }\nhosts: { w.test: { /*: { service: wiki-, allow: [anyone] } } }`,
    );
    const names = Array.from({ length: 40 }, (_, i) => `identity-number-${i}`);
    const identities = Object.fromEntries(
      names.map((name) => [
        name,
        { ...policy.mesh!.identities.default!, name, spiffe: `spiffe://example.org/ns/edge/sa/${name}` },
      ]),
    );
    const {
      ingress: { serviceAccount: _, ...ingress },
      ...mesh
    } = policy.mesh!;
    const many = names.map((as) => ({ ...rules[0]!, as }));
    const found = objectsOf({ ...policy, mesh: { ...mesh, ingress, identities } }, many);
    expect(found.map(({ metadata }) => metadata.name).filter((name) => !NAME.test(name) || name.length > 100)).toEqual(
      [],
    );
    expect(found.map(id).slice(0, 2)).toEqual([
      expect.stringMatching(/^MeshTLSAuthentication wiki\/meshgate-allow\.[0-9a-f]{16}$/),
      expect.stringMatching(/^Server wiki\/meshgate-confluence\.8090\.[0-9a-f]{16}$/),
    ]);
  });

  test('do not change when a route is added', () => {
    const before = render(wiki('/*: { service: wiki, allow: [reader] }'));
    const after = render(
      wiki('/*: { service: wiki, allow: [reader] }, /x: { service: wiki, allow: [{ role: editor, methods: [GET] }] }'),
    );
    const names = after.objects.map(id);
    expect(before.objects.map(id).filter((name) => !names.includes(name))).toEqual([]);
  });

  test('text of the policy never becomes a regular expression, or YAML', () => {
    const { text, of } = render(wiki('"/.+/(a)/*": { service: wiki, allow: [reader] }'));
    expect(text.match(/RegularExpression/g)).toHaveLength(1);
    const odd = of('HTTPRoute').at(-1);
    expect(odd.spec.rules[0].matches[0].path.value).not.toContain('(a)');
    expect(text).toContain('value: "/.+/(a)"');
  });

  test('copies for an update have the same content under other names, and refer to no other object', () => {
    const { policy, rules, objects } = render(
      wiki('/: { service: wiki, allow: [anyone] }, /*: { service: wiki, allow: [reader] }'),
    );
    const text = String(linkerd.emit(policy, rules, { forUpdate: true }).files['linkerd.yaml']);
    const copies = parseAllDocuments(text).map((it) => it.toJS());
    const named = JSON.stringify(objects).replace(/"meshgate-/g, '"update.meshgate-');
    const plain = copies.map(({ metadata: { labels, ...metadata }, ...it }) => {
      const { 'meshgate/for': purpose, ...others } = labels;
      expect(purpose).toBe('update');
      return { ...it, metadata: { ...metadata, labels: others } };
    });
    expect(plain).toEqual(JSON.parse(named));
    expect(copies.map(id).filter((name) => objects.map(id).includes(name))).toEqual([]);
  });

  test('kustomize finds them', () => {
    expect(render(wiki('/*: { service: wiki, allow: [reader] }')).kustomization).toEqual({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['linkerd.yaml'],
    });
  });
});
