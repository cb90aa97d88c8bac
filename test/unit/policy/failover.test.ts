import { describe, expect, test } from 'vitest';
import { ingressesFor } from '../../../src/policy/checked/ingresses.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const SAME = 'server_name: door.mesh, ca_file: /run/mesh.pem';

interface Parts {
  readonly kind?: string;
  readonly gateway?: string;
  readonly ingresses?: string;
  readonly wiki?: string;
  readonly canary?: string;
  readonly route?: string;
}

const parse = ({ kind = 'envoy', gateway = '', ingresses = '', wiki = '', canary, route = '' }: Parts = {}) =>
  parsePolicy(
    `version: 1
gateway: { insecure_http: true${gateway} }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff }, beta: { group: beta } }
mesh:
  kind: ${kind}
  trust_domain: example.org
  ingresses:
    ${ingresses || `east: { address: "east.mesh:8443", ${SAME} }`}
    west: { address: "west.mesh:8443", ${SAME} }
    spare: { address: "192.0.2.7:8443", ${SAME} }
  identities: { default: { spiffe: spiffe://example.org/gateway, pem_file: /run/gateway.pem } }
services:
  wiki: { authority: wiki.mesh, ${wiki || 'ingresses: [{ name: east, weight: 3 }, west, { name: spare, backup: true }]'} }
  canary: { ${canary ?? 'authority: canary.mesh, ingresses: [west, east, spare]'} }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [{ role: beta, service: canary }, staff]${route} }
`,
    'p.yaml',
  );

const errorsOf = (parts: Parts) => parse(parts).errors.map(formatError);

describe('a service with several ingresses', () => {
  const { policy, errors } = parse();

  test('has them in the order of the policy, with defaults', () => {
    expect(errors.map(formatError)).toEqual([]);
    const wiki = policy!.services.wiki!;
    expect(ingressesFor(policy!.mesh!, wiki).map(({ name }) => name)).toEqual(['east', 'west', 'spare']);
    expect(wiki.ingresses).toEqual([
      { name: 'east', weight: 3, maxFails: 1, failTimeout: 10 },
      { name: 'west', weight: 1, maxFails: 1, failTimeout: 10 },
      { name: 'spare', weight: 1, backup: true, maxFails: 1, failTimeout: 10 },
    ]);
  });

  test('gets another ingress after a shorter time, unless the route says another time', () => {
    const connect = (parts: Parts) => parse(parts).policy!.hosts[0]!.routes[0]!.proxy?.connectTimeout;
    expect(connect({})).toBe(3);
    expect(connect({ route: ', proxy: { connect_timeout: 5s }' })).toBe(5);
    expect(connect({ route: ', proxy: { read_timeout: 5m }' })).toBe(3);
    const assertion = (lifetime: string) =>
      `, assertion: { issuer: https://gateway.example.com, keys_file: /run/keys.jwks, lifetime: ${lifetime} }`;
    expect(connect({ gateway: assertion('10s') })).toBe(1);
    expect(connect({ gateway: assertion('20s') })).toBe(2);
    expect(connect({ gateway: assertion('60s') })).toBe(3);
  });

  test('with one ingress uses its other addresses', () => {
    expect(errorsOf({ wiki: 'ingresses: [east]', canary: 'authority: c.mesh, ingresses: [west, spare]' })).toEqual([]);
  });
});

const choice = (text: string): Parts => ({ wiki: `ingresses: [${text}]` });
const ASSERTION = ', assertion: { issuer: https://gateway.example.com, keys_file: /run/keys.jwks, lifetime: 20s }';

describe('mistakes', () => {
  test.each([
    [
      'an unknown name',
      choice('east, wset, spare'),
      'services.wiki.ingresses[1]: no ingress "wset"; did you mean "west"?',
    ],
    [
      'an unknown name in a mapping',
      choice('east, { name: wset }, spare'),
      'services.wiki.ingresses[1].name: no ingress "wset"; did you mean "west"?',
    ],
    [
      'the same twice',
      choice('east, { name: east, backup: true }'),
      'services.wiki.ingresses[1]: "east" is in this list twice; remove one',
    ],
    [
      'the same name twice',
      choice('east, east'),
      'services.wiki.ingresses[1]: "east" is in this list twice; remove one',
    ],
    ['none', choice(''), 'services.wiki.ingresses: the list is empty; write [east, { name: west, backup: true }]'],
    [
      'only backups',
      choice('{ name: east, backup: true }, { name: west, backup: true }'),
      'services.wiki.ingresses: every ingress is a backup; remove backup from the one that nginx uses first',
    ],
    [
      'a backup that nginx would leave out',
      choice('east, { name: west, backup: true, max_fails: 3 }'),
      'services.wiki.ingresses[1].max_fails: no effect: nginx never leaves out a backup, the last way; remove it',
    ],
    [
      'a weight that nothing is compared with',
      choice('{ name: east, weight: 2 }, { name: west, backup: true }'),
      'services.wiki.ingresses[0].weight: no effect: no other ingress shares the requests with it; remove it',
    ],
    [
      'a weight out of bounds',
      choice('{ name: east, weight: 0 }, west'),
      'services.wiki.ingresses[0].weight: 0 is not a number of requests; write a number from 1 to 100',
    ],
    [
      'both keys',
      { wiki: 'ingress: east, ingresses: [east, west]' },
      'services.wiki.ingresses: ingress is there as well; keep one of the two',
    ],
    [
      'outside the mesh',
      { wiki: 'ingresses: [east]', canary: 'url: "https://canary", ca_file: /run/mesh.pem, ingresses: [west]' },
      'services.canary.ingresses: no effect: nginx reaches the service by its url; remove it',
    ],
    [
      'two CAs',
      { ingresses: 'east: { address: "east.mesh:8443", server_name: door.mesh, ca_file: /run/east.pem }' },
      'services.wiki.ingresses[1]: "west" has the CA /run/mesh.pem, and "east" has /run/east.pem, but nginx verifies all ingresses of a service alike; write one ca_file for both, which may contain both CAs',
    ],
    [
      'two names in certificates',
      { ingresses: 'east: { address: "east.mesh:8443", ca_file: /run/mesh.pem }' },
      'services.wiki.ingresses[1]: "west" has the server_name door.mesh, and "east" has east.mesh, but nginx verifies all ingresses of a service alike; give both certificates a DNS name in common, and write it as server_name of both',
    ],
    [
      'a route whose other service has one ingress',
      { canary: 'authority: canary.mesh, ingress: west' },
      'hosts."wiki.example.com"."/*".allow[0].service: "wiki" has ingresses, and "canary" does not, but nginx sends the requests of a route to other addresses for all its services or for none; write ingresses: [NAME] for "canary", or another route for "canary"',
    ],
    [
      'a route whose other service is outside the mesh',
      { canary: 'url: "https://canary", ca_file: /run/mesh.pem' },
      'hosts."wiki.example.com"."/*".allow[0].service: "wiki" has ingresses, and "canary" does not, but nginx sends the requests of a route to other addresses for all its services or for none; write another route for "canary"',
    ],
    [
      'a route whose own service has one ingress',
      { wiki: 'ingress: east' },
      'hosts."wiki.example.com"."/*".allow[0].service: "canary" has ingresses, and "wiki" does not, but nginx sends the requests of a route to other addresses for all its services or for none; write ingresses: [NAME] for "wiki", or another route for "canary"',
    ],
    [
      'no time for another ingress',
      { route: ', proxy: { connect_timeout: 10s }' },
      'hosts."wiki.example.com"."/*".proxy.connect_timeout: too long for "/*", whose service has several ingresses: nginx could not try another one; write at most 7s',
    ],
    [
      'no time before the assertion expires',
      { gateway: ASSERTION, route: ', proxy: { connect_timeout: 5s }' },
      'hosts."wiki.example.com"."/*".proxy.connect_timeout: too long for "/*", whose service has several ingresses: nginx could not try another one while the assertion is valid, for half of gateway.assertion.lifetime (20s); write at most 2s',
    ],
  ] as const)('%s', (_, parts, expected) => {
    const errors = errorsOf(parts).map((it) => it.replace(/^p\.yaml:\d+:\d+ /, ''));
    expect(errors.filter((it) => !/nothing uses this ingress/.test(it))[0]).toBe(expected);
  });

  test('one workload of Linkerd behind other ingresses', () => {
    const place = 'namespace: apps, labels: { app: wiki }, port: 80';
    const parts = { kind: 'linkerd', wiki: `ingresses: [east, west], ${place}` };
    expect(
      errorsOf({ ...parts, canary: `authority: canary.mesh, ingresses: [west, east], ${place}` }).join(),
    ).not.toMatch(/same ingress/);
    expect(errorsOf({ ...parts, canary: `authority: canary.mesh, ingresses: [west, spare], ${place}` }).join()).toMatch(
      /services\.canary\.ingresses?: its pods are also pods of "wiki", a service with another ingress/,
    );
  });

  test('a route whose other service has workloads of Linkerd, which can have no ingresses', () => {
    const place = 'namespace: apps, labels: { app: canary }, port: 80';
    const errors = errorsOf({ kind: 'linkerd', canary: `authority: canary.mesh, service_account: canary, ${place}` });
    expect(errors.join('\n')).toMatch(
      /"wiki" has ingresses, and "canary" does not, .*; write another route for "canary"$/m,
    );
  });

  test('two services of one authority that share an ingress', () => {
    expect(errorsOf({ canary: 'authority: wiki.mesh, ingresses: [west]' }).join()).toMatch(
      /services\.canary\.authority: service "wiki" has this authority, so the ingress cannot distinguish the two/,
    );
  });
});
