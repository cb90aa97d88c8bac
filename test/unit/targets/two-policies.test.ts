/** Two policies on one cluster: the objects of both are in each listing, and each policy sees only its own. */
import { describe, expect, test } from 'vitest';
import { meshgate } from '../cli/fake.ts';

const MESHES = {
  istio: { trustDomain: 'example.org', spiffe: 'spiffe://example.org/ns/edge/sa/gateway' },
  linkerd: { trustDomain: 'cluster.local', spiffe: 'spiffe://cluster.local/ns/edge/sa/gateway' },
  consul: {
    trustDomain: '11111111-2222-3333-4444-555555555555.consul',
    spiffe: 'spiffe://11111111-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/gateway',
  },
} as const;

type Kind = keyof typeof MESHES;
const KINDS = Object.keys(MESHES) as Kind[];

interface Says {
  readonly name?: string;
  /** Values of the label `app` of the ingress and of the pods. */
  readonly ingress: string;
  readonly app: string;
  readonly service?: string;
}

/** A policy whose ingress and workload are in the same namespaces as those of the others. */
function policyOf(kind: Kind, { name, ingress, app, service = 'wiki' }: Says): string {
  const { trustDomain, spiffe } = MESHES[kind];
  const inKubernetes = kind !== 'consul';
  const place = inKubernetes
    ? `namespace: edge, labels: { app: ${ingress} }, service_account: door`
    : 'consul_service: gateway';
  const pods = inKubernetes ? `, namespace: apps, labels: { app: ${app} }, port: 8080` : '';
  return `version: 1
gateway:
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }
  assertion: { issuer: "https://${app}.example.com", keys_file: /run/assertion.jwks }
${name === undefined ? '' : `  name: ${name}\n`}providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
mesh:
  kind: ${kind}
  trust_domain: ${trustDomain}
  ingress: { address: "${ingress}.mesh:8443", ca_file: /run/mesh/ca.pem, ${place} }
  identities: { default: { spiffe: ${spiffe}, pem_file: /run/mesh/gateway.pem } }
services:
  ${service}: { authority: ${app}.apps.svc.cluster.local${pods} }
hosts:
  ${app}.example.com:
    /*: { service: ${service}, allow: [staff] }
`;
}

const KEYS =
  '{"keys":[{"kty":"EC","crv":"P-256","kid":"a","alg":"ES256","use":"sig","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}';

const jwks = (kind: Kind): readonly string[] => (kind === 'linkerd' ? [] : ['--assertion-jwks', 'keys.json']);

async function rendered(kind: Kind, policy: string): Promise<readonly string[]> {
  const files = { policy, 'keys.json': KEYS };
  const args = ['render', '--target', kind, '--out', '/o', ...jwks(kind), 'policy'];
  const { written, err } = await meshgate(args, { files });
  const own = Object.entries(written).filter(
    ([path]) => /[^/]\.(yaml|json)$/.test(path) && !/kustomization/.test(path),
  );
  expect(own.length, err).toBeGreaterThan(0);
  return own.map(([, text]) => text);
}

async function proven(kind: Kind, policy: string, live: readonly string[]) {
  const files = { policy, 'keys.json': KEYS, '-': live.join(kind === 'consul' ? '\n' : '---\n') };
  const { code, out } = await meshgate(['prove', '--target', kind, ...jwks(kind), 'policy', '-'], { files });
  return { code, out };
}

const YES = { code: 0, out: expect.stringMatching(/^yes: /) };

describe.each(KINDS)('%s', (kind) => {
  // In Consul, the name of a service is that of its entries.
  const service = kind === 'consul' ? 'news' : 'wiki';
  const first = policyOf(kind, { ingress: 'door', app: 'wiki' });
  const second = policyOf(kind, { name: 'team-a', ingress: 'gate', app: 'news', service });

  test('each policy sees its own objects among those of both', async () => {
    const both = [...(await rendered(kind, first)), ...(await rendered(kind, second))];
    expect(await proven(kind, first, both)).toEqual(YES);
    expect(await proven(kind, second, both)).toEqual(YES);
  });

  test('the objects of another policy do not stand for missing ones', async () => {
    const { code, out } = await proven(kind, second, await rendered(kind, first));
    expect(code).not.toBe(0);
    expect(out).toMatch(/: it is missing/);
    expect(out).not.toContain('delete what is left over');
  });

  test('without names of their own, each policy would delete objects of the other', async () => {
    const unnamed = second.replace('  name: team-a\n', '');
    const both = [...(await rendered(kind, first)), ...(await rendered(kind, second.replace('team-a', 'meshgate')))];
    expect((await proven(kind, unnamed, both)).code).not.toBe(0);
  });
});

describe.each(['istio', 'linkerd'] as const)('%s', (kind) => {
  test('reports objects of another policy for the same pods', async () => {
    const first = policyOf(kind, { ingress: 'door', app: 'wiki' });
    const second = policyOf(kind, { name: 'team-a', ingress: 'gate', app: 'wiki' });
    const { code, out } = await proven(kind, first, [
      ...(await rendered(kind, first)),
      ...(await rendered(kind, second)),
    ]);
    expect(code).toBe(3);
    expect(out).toMatch(
      kind === 'istio'
        ? /apps\/team-a--workload-wiki\.[0-9a-f]{16}: it /
        : /apps\/team-a--wiki\.8080\.[0-9a-f]{16}: it may apply/,
    );
    expect(out).not.toContain('left over');
  });
});

test('in Consul, prove says that another gateway has written the intentions of a service', async () => {
  const first = policyOf('consul', { ingress: 'door', app: 'wiki' });
  const second = policyOf('consul', { name: 'team-a', ingress: 'gate', app: 'wiki' });
  const live = await rendered('consul', second);
  const { code, out } = await proven('consul', first, live);
  expect(code).toBe(3);
  expect(out).toContain('service-intentions wiki: it belongs to the gateway team-a, and Consul has one such entry');
  expect(out).toContain('jwt-provider meshgate: it is missing');
});
