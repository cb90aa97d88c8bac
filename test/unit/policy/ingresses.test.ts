import { describe, expect, test } from 'vitest';
import { ingressesFor } from '../../../src/policy/checked/ingresses.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const EAST = 'east: { address: "east.mesh:8443", ca_file: /run/east.pem, namespace: east, labels: { a: b } }';
const WEST = 'west: { address: "west.mesh:8443", ca_file: /run/west.pem, namespace: west, labels: { a: b } }';
const WIKI = 'wiki: { authority: wiki.mesh, ingress: east }';
const SEARCH = 'search: { authority: search.mesh, ingress: west }';

interface Parts {
  readonly kind?: string;
  readonly mesh?: string;
  readonly services?: string;
  readonly allow?: string;
}

const parse = ({ kind = 'envoy', mesh, services, allow = 'staff' }: Parts = {}) =>
  parsePolicy(
    `version: 1
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
mesh:
  kind: ${kind}
  trust_domain: example.org
  ${mesh ?? `ingresses: { ${EAST}, ${WEST} }`}
  identities: { default: { spiffe: spiffe://example.org/gateway, pem_file: /run/gateway.pem } }
services:
  ${services ?? `${WIKI}\n  ${SEARCH}`}
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${allow}] }
    /search/*: { service: search, allow: [beta] }
`,
    'p.yaml',
  );

const errorsOf = (parts: Parts) => parse(parts).errors.map(formatError);

test('each service has its own ingress', () => {
  const { policy, errors } = parse();
  expect(errors.map(formatError)).toEqual([]);
  const { mesh, services } = policy!;
  expect(Object.values(mesh!.ingresses).map(({ name, host, caFile }) => [name, host, caFile])).toEqual([
    ['east', 'east.mesh', '/run/east.pem'],
    ['west', 'west.mesh', '/run/west.pem'],
  ]);
  expect(Object.values(services).map((service) => ingressesFor(mesh!, service)[0].name)).toEqual(['east', 'west']);
});

test('a service that names none is reached through the default ingress', () => {
  const mesh = `ingresses: { ${EAST.replace('east', 'default')}, ${WEST} }`;
  const { policy, errors } = parse({ mesh, services: `wiki: { authority: wiki.mesh }\n  ${SEARCH}` });
  expect(errors.map(formatError)).toEqual([]);
  expect(ingressesFor(policy!.mesh!, policy!.services.wiki!)[0].name).toBe('default');
});

test('two services of one authority, through two ingresses', () => {
  expect(errorsOf({ services: `${WIKI}\n  ${SEARCH.replace('search.mesh', 'wiki.mesh')}` })).toEqual([]);
});

describe('mistakes', () => {
  const istio = (text: string) => text.replace(' }', ' }, service_account: gw').replace('b }', 'b }');
  test.each([
    [
      'an unknown name',
      { services: `${WIKI}\n  ${SEARCH.replace('ingress: west', 'ingress: wset')}` },
      'p.yaml:11:46 services.search.ingress: no ingress "wset"; did you mean "west"?',
    ],
    [
      'no name',
      { services: `wiki: { authority: wiki.mesh }\n  ${SEARCH}` },
      'p.yaml:10:3 services.wiki.ingress: missing key "ingress"; write ingress: one of east, west, or name one of them default',
    ],
    [
      'one that nothing uses',
      { services: `${WIKI}\n  ${SEARCH.replace('west', 'east')}` },
      'p.yaml:7:112 mesh.ingresses.west: no effect: nothing uses this ingress; name it in the "ingress" of a service, or remove it',
    ],
    [
      'both keys',
      { mesh: `ingress: { address: "a.mesh:1", ca_file: /a.pem }\n  ingresses: { ${EAST}, ${WEST} }` },
      'p.yaml:8:3 mesh.ingresses: ingress is there as well; keep one of the two',
    ],
    [
      'neither',
      { mesh: '# none', services: 'wiki: { authority: wiki.mesh }\n  search: { authority: search.mesh }' },
      'p.yaml:4:1 mesh.ingress: missing key "ingress"; write ingress: { address: ingress.mesh:8443, ca_file: /run/mesh/ca.pem }',
    ],
    [
      'no name in its certificate',
      { mesh: `ingresses: { ${EAST.replace('east.mesh', '192.0.2.1')}, ${WEST} }` },
      'p.yaml:7:16 mesh.ingresses.east.server_name: missing key "server_name"; write the DNS name in the ingress’s certificate',
    ],
    [
      'of a service past the mesh',
      { services: `${WIKI}\n  search: { url: "https://search", ingress: west }` },
      'p.yaml:11:36 services.search.ingress: no effect: nginx reaches the service by its url; remove it',
    ],
    [
      'two CAs on one route',
      { allow: '{ role: beta, service: search }, staff' },
      'p.yaml:14:57 hosts."wiki.example.com"."/*".allow[0].service: "search" is verified by /run/west.pem, and "wiki" by /run/east.pem, but nginx has one CA for a route; give both the same CA, or write another route for "search"',
    ],
    [
      'one namespace in Istio',
      {
        kind: 'istio',
        mesh: `ingresses: { ${istio(EAST)}, ${istio(WEST).replace('namespace: west', 'namespace: east')} }`,
      },
      /mesh\.ingresses\.west\.namespace: ingress "east" is in this namespace, so Istio's objects of both would have the same names; give each its own namespace$/,
    ],
    [
      'one workload in Linkerd',
      {
        kind: 'linkerd',
        mesh: `ingresses: { ${EAST}, ${WEST} }`.replaceAll('labels: { a: b }', 'service_account: ingress'),
        services: [WIKI, SEARCH]
          .map((it) => it.replace(' }', ', namespace: wiki, labels: { app: wiki }, port: 80 }'))
          .join('\n  '),
      },
      /services\.search\.ingress: its pods are also pods of "wiki", a service with another ingress; give both services the same ingress$/,
    ],
  ] as const)('%s', (_, parts, expected) => {
    const errors = errorsOf(parts);
    expect(errors).toHaveLength(1);
    if (typeof expected === 'string') expect(errors[0]).toBe(expected);
    else expect(errors[0]).toMatch(expected);
  });
});
