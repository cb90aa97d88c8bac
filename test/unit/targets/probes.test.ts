/** The requests that `gateway.mesh_probe` sends: each must be denied by one object of the mesh, and by which. */
import { describe, expect, test } from 'vitest';
import type { MeshProbe } from '../../../src/health/types.ts';
import { compile } from '../../../src/rules/compile.ts';
import { istio } from '../../../src/targets/istio/index.ts';
import { nginxOptions } from '../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../src/targets/nginx/render.ts';
import { readPolicy } from '../../harness/policy.ts';

interface Parts {
  readonly mesh: string;
  readonly services?: string;
  readonly routes?: string;
  readonly gateway?: string;
  readonly roles?: string;
  readonly identities?: readonly string[];
  /** The SPIFFE id of an identity. */
  readonly spiffe?: (name: string) => string;
}

const ISTIO =
  'kind: istio, trust_domain: example.org, ingress: { address: "in.mesh:8443", ca_file: /ca.pem, namespace: edge, labels: { istio: in }, service_account: in }';
const OWN = 'own: { cert_file: /c.pem, key_file: /k.pem, client_ca_file: /ca.pem, listen: 8443';
const ASSERTION = 'assertion: { issuer: "https://wiki.test", keys_file: /run/a.jwks }';
const WIKI = 'wiki: { authority: wiki.svc, namespace: apps, labels: { app: wiki }, port: 8080 }';
const ROUTES = `
    /rest/*: { service: wiki, allow: [ { role: editor, as: editor }, { role: reader, methods: [GET], as: reader } ] }
    /status: { service: wiki, allow: [anyone] }`;

const policyOf = ({
  mesh,
  services = WIKI,
  routes = ROUTES,
  gateway = ASSERTION,
  roles = 'editor: { group: editors }, reader: { group: readers }',
  identities = ['default', 'editor', 'reader'],
  spiffe = (name) => `spiffe://example.org/ns/edge/sa/${name}`,
}: Parts) =>
  readPolicy(`version: 1
gateway: { insecure_http: true, mesh_probe: { every: 20s }, ${gateway} }
providers: { acme: { issuer: "https://acme.test", audiences: [wiki] } }
roles: { ${roles} }
mesh:
  ${mesh.replaceAll(/, (?=kind|trust_domain|ingress|identities)/g, '\n  ')}
  identities:
${identities.map((name) => `    ${name}: { spiffe: "${spiffe(name)}", pem_file: /run/${name}.pem }`).join('\n')}
services: { ${services} }
hosts:
  wiki.test:${routes}
`);

function render(parts: Parts) {
  const policy = policyOf(parts);
  const { files, gaps } = renderNginx(policy, compile(policy), nginxOptions({ dir: '/etc/m', runDir: '/run/m' }));
  const [, text = ''] = /export default (\{[\s\S]*?\n\})/.exec(files['watched.js'] ?? '') ?? [];
  const observed = JSON.parse(text);
  return { policy, files, gaps, watched: observed };
}

/** `LAYER IDENTITY PATH: OBJECT, RULE, how it denies`, one for each probe, and the assertion if there is one. */
const lines = ({ layer, identity, path, object, rule, by, assertion }: MeshProbe) =>
  `${layer} ${identity} ${path}: ${object}, ${rule}, ${by}${assertion ? ` (${assertion.as}: ${assertion.roles})` : ''}`;
const probes = (parts: Parts): readonly string[] => (render(parts).watched.probes?.requests ?? []).map(lines);

describe('Istio', () => {
  test('probes the ingress with each identity, and the workload through the ingress', () => {
    expect(probes({ mesh: ISTIO })).toEqual([
      'ingress editor /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#1, first',
      'ingress reader /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#2, first',
      'ingress default /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#1, first',
      'ingress reader /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#1, first (editor: editor)',
      'ingress editor /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#2, first (reader: reader)',
      'workload editor /.meshgate/probe: AuthorizationPolicy apps/meshgate-workload-wiki.621ceaf43ce3617c, wiki.test/rest/*#1, behind',
    ]);
  });

  test('the ingress lets only HEAD on the one path pass to the workload, which has no such rule', () => {
    const { policy } = render({ mesh: ISTIO });
    const { files } = istio.emit(policy, compile(policy));
    const [ingress = '', workload = ''] = [files['ingress.yaml'], files['workloads/wiki.yaml']];
    expect(ingress.match(/paths:\n\s+- "\/\.meshgate\/probe"/g)).toHaveLength(1);
    expect(ingress).toMatch(/methods:\n\s+- "HEAD"\n\s+paths:\n\s+- "\/\.meshgate\/probe"/);
    expect(workload).not.toContain('.meshgate/probe');
    const { mesh_probe: _, ...gateway } = { mesh_probe: 0, ...policy.gateway };
    const without = { ...policy, gateway: { ...gateway, meshProbe: undefined } };
    expect(istio.emit(without as never, compile(policy)).files['ingress.yaml']).not.toContain('.meshgate/probe');
  });

  test('a service whose place is unknown has probes for the ingress only', () => {
    const found = probes({ mesh: ISTIO, services: 'wiki: { authority: wiki.svc }' });
    expect(new Set(found.map((line) => line.split(' ')[0]))).toEqual(new Set(['ingress']));
  });

  test('a workload that allows every path to anyone has nothing to deny', () => {
    const routes = `
    /rest/*: { service: wiki, allow: [ { role: editor, as: editor } ] }
    /*: { service: wiki, allow: [anyone] }`;
    expect(
      probes({ mesh: ISTIO, routes, roles: 'editor: { group: editors }', identities: ['default', 'editor'] }),
    ).toEqual([
      'ingress editor /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#1, first',
      'ingress default /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#1, first',
      'ingress default /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#1, first (editor: editor)',
    ]);
  });

  test('without assertions, a probe uses an identity that no rule of the path has', () => {
    expect(probes({ mesh: ISTIO, gateway: 'clock_skew: 30s' })).toEqual([
      'ingress editor /status: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/status#1, first',
      'ingress reader /status: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/status#1, first',
      'ingress default /rest/meshgate-probe: AuthorizationPolicy edge/meshgate-ingress-wiki, wiki.test/rest/*#1, first',
      'workload editor /.meshgate/probe: AuthorizationPolicy apps/meshgate-workload-wiki.621ceaf43ce3617c, wiki.test/rest/*#1, behind',
    ]);
  });

  test('rules of another service in the same pods count', () => {
    const services = `${WIKI}, open: { authority: open.svc, namespace: apps, labels: { app: wiki }, port: 8080 }`;
    const routes = `${ROUTES}
    /*: { service: open, allow: [ { role: anyone, as: reader } ] }`.replace('{ role: anyone, as: reader }', 'anyone');
    expect(probes({ mesh: ISTIO, services, routes }).filter((line) => line.startsWith('workload'))).toEqual([]);
  });
});

describe('other meshes', () => {
  const envoy = (more: string) =>
    `kind: envoy, trust_domain: example.org, ingress: { address: "in.mesh:8443", ca_file: /ca.pem${more} }`;

  test('an Envoy that meshgate rendered has one filter for all', () => {
    const found = probes({ mesh: envoy(`, ${OWN}, assertion_jwks_file: /a.json }`) });
    expect(found).toEqual([
      'ingress editor /rest/meshgate-probe: filter meshgate.rules of envoy.yaml, wiki.test/rest/*#1, first',
      'ingress reader /rest/meshgate-probe: filter meshgate.rules of envoy.yaml, wiki.test/rest/*#2, first',
      'ingress default /rest/meshgate-probe: filter meshgate.rules of envoy.yaml, wiki.test/rest/*#1, first',
      'ingress reader /rest/meshgate-probe: filter meshgate.rules of envoy.yaml, wiki.test/rest/*#1, first (editor: editor)',
      'ingress editor /rest/meshgate-probe: filter meshgate.rules of envoy.yaml, wiki.test/rest/*#2, first (reader: reader)',
    ]);
  });

  test('of another Envoy nothing is known, and a gap says so', () => {
    expect(probes({ mesh: envoy('') })).toEqual([]);
    const gaps = (of: Parts) => render(of).gaps.flatMap(({ part, text }) => (/mesh_probe/.test(text) ? [part] : []));
    expect(gaps({ mesh: envoy('') })).toEqual(['services.wiki']);
    expect(gaps({ mesh: ISTIO })).toEqual([]);
  });

  const DOMAIN = '5f1c0b6e-1d9a-4f0e-9b0e-2f3f7a1c9d42.consul';
  const consul = (more: string): Parts => ({
    mesh: `kind: consul, trust_domain: ${DOMAIN}, ingress: { address: "in.mesh:8443", ca_file: /ca.pem${more} }`,
    routes: '\n    /*: { service: wiki, allow: [editor] }',
    services: 'wiki: { authority: wiki.apps }',
    roles: 'editor: { group: editors }',
    identities: ['default'],
    spiffe: (name) => `spiffe://${DOMAIN}/ns/default/dc/dc1/svc/${name}`,
  });

  test.each([
    [
      'an unknown ingress is before the sidecar',
      ', consul_service: in',
      ['workload default /meshgate-probe: service-intentions wiki, wiki.test/*#1, any'],
    ],
    [
      'the rendered ingress denies first what the sidecar denies, too',
      `, consul_service: in, ${OWN}, assertion_jwks_file: /a.json }`,
      ['ingress default /meshgate-probe: filter meshgate.rules of envoy.yaml, wiki.test/*#1, first'],
    ],
    [
      'the rendered ingress does not read the assertion, so the sidecar denies',
      `, consul_service: in, ${OWN} }`,
      ['workload default /meshgate-probe: service-intentions wiki, wiki.test/*#1, behind'],
    ],
  ])('Consul: %s', (_, more, expected) => {
    expect(probes(consul(more))).toEqual(expected);
  });

  const linkerd = 'kind: linkerd, trust_domain: example.org, ingress: { ca_file: /ca.pem }';
  const direct =
    'wiki: { authority: "wiki.apps:80", namespace: apps, service_account: wiki, labels: { app: wiki }, port: 80 }';

  test('a probe names the same authority as a request of a client', () => {
    const services = direct.replace('wiki.apps:80', 'Wiki.Apps:80');
    const routes = `
    /rest/*: { service: wiki, allow: [ { role: editor, as: editor } ] }
    /pages/*: { service: wiki, allow: [ { role: reader, as: reader } ] }`;
    const parts = { mesh: linkerd, services, routes, identities: ['editor', 'reader'] };
    const { files } = render(parts);
    const [, sent = ''] = /\$meshgate_authority "?([\w.:]+)/.exec(Object.values(files).join('\n')) ?? [];
    expect(sent).toBe('wiki.apps:80');
    const named = Object.values(files).flatMap((text) =>
      [...text.matchAll(/"authority": ?"([^"]+)"/g)].map(([, it]) => it),
    );
    expect(new Set(named)).toEqual(new Set([sent]));
  });

  test('Linkerd knows identities only: one that no rule of the path has is denied', () => {
    const routes = `
    /rest/*: { service: wiki, allow: [ { role: editor, as: editor } ] }
    /pages/*: { service: wiki, allow: [ { role: reader, as: reader } ] }`;
    const identities = ['editor', 'reader'];
    expect(probes({ mesh: linkerd, services: direct, routes, identities })).toEqual([
      'workload editor /pages/meshgate-probe: Server apps/meshgate-wiki.80.e7cf0da5c94857d8, wiki.test/pages/*#1, linkerd',
      'workload reader /rest/meshgate-probe: Server apps/meshgate-wiki.80.e7cf0da5c94857d8, wiki.test/rest/*#1, linkerd',
    ]);
    const { files } = render({ mesh: linkerd, services: direct, routes, identities });
    expect(files['http.conf']).toMatch(
      /location \/probe\/workload_wiki\/editor\/ \{[^}]*proxy_ssl_protocols TLSv1\.3;/,
    );
  });
});

describe('nginx', () => {
  const { files, watched: observed } = render({ mesh: ISTIO });
  const http = files['http.conf'] ?? '';

  test('has a connection for each ingress and identity, which no other request uses', () => {
    expect(observed.probes).toMatchObject({ egress: '/run/m/egress.sock', every: 20 });
    const locations = [...http.matchAll(/location (\/probe\/\S+) \{([^}]*)\}/g)].map(([, name, text = '']) => [
      name,
      /set \$meshgate_client_cert (\S+);/.exec(text)?.[1],
      /proxy_pass (\S+);/.exec(text)?.[1],
    ]);
    expect(locations).toEqual(
      ['editor', 'reader', 'default'].map((name) => [
        `/probe/ingress/${name}/`,
        `/run/${name}.pem`,
        'https://meshgate_probe_ingress/',
      ]),
    );
    expect(/upstream meshgate_probe_ingress \{([^}]*)\}/.exec(http)?.[1]).not.toContain('keepalive');
    expect(http).toContain('js_periodic health.probes interval=20s;');
  });

  test('passes an assertion on, and the job knows how to sign it', () => {
    expect(observed.probes.assertion).toMatchObject({ issuer: 'https://wiki.test', keysFile: '/run/a.jwks' });
    expect(http.match(/proxy_set_header X-Meshgate-Assertion \$http_x_meshgate_assertion;/g)).toHaveLength(3);
  });

  test('sends nothing without the key', () => {
    const policy = readPolicy(
      'version: 1\nproviders: { a: { issuer: "https://a.test", audiences: [a] } }\nroles: { r: { group: r } }\nservices: { s: { url: "https://s:443" } }\nhosts: { s.test: { "/*": { service: s, allow: [r] } } }\ngateway: { insecure_http: true }\n',
    );
    const { files: plain } = renderNginx(policy, compile(policy), nginxOptions({ dir: '/etc/m' }));
    expect(plain['http.conf']).not.toContain('probe');
    expect(plain['watched.js']).not.toContain('probes');
  });
});
