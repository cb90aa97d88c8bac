/**
 * The matrix with one policy for three meshes: the gateway in front of an Envoy for each mesh, istiod with its ingress
 * and workload, and Consul's rules. Each layer answers as `decide` does, and each request arrives through the mesh of
 * its service, with an identity of that mesh.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { atMesh } from '../../src/rules/decide/at-ingress.ts';
import {
  openStage,
  type Stage,
  saveLogs,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  until,
} from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { consulCells } from './consul/cells.ts';
import { ConsulSide } from './consul/side.ts';
import { HUNG_MS } from './lab/hung.ts';
import { lacksMesh } from './lab/index.ts';
import { agree } from './matrix/agree.ts';
import { Assertions } from './matrix/assertions.ts';
import { cellsOf, unasked } from './matrix/cells.ts';
import { EnvoySide, presenterOf } from './matrix/envoy.ts';
import { GatewaySide } from './matrix/gateway.ts';
import { IstioSide } from './matrix/istio.ts';
import { IstioMesh } from './matrix/istio-mesh.ts';
import { EDGE, INGRESS, POD, PORT } from './matrix/istio-policies.ts';
import { JWKS_FILE, KEYS_FILE, type Subject, subject } from './matrix/policies.ts';
import { lines } from './matrix/report.ts';
import { startServices } from './matrix/services.ts';

const CONSUL_DOMAIN = '11111111-2222-3333-4444-555555555555.consul';
/** The trust domain and the identities of each mesh. Their names are the same in all meshes. */
const IDS: Readonly<Record<string, (name: string) => string>> = {
  east: (name) => `spiffe://east.example/ns/edge/sa/${name}`,
  west: (name) => `spiffe://example.org/ns/edge/sa/${name}`,
  south: (name) => `spiffe://${CONSUL_DOMAIN}/ns/default/dc/dc1/svc/${name}`,
};

const meshOf = (name: string, kind: string, place: object) => ({
  kind,
  trust_domain: IDS[name]!('').split('/')[2],
  ingress: {
    address: `ingress-${name}:8443`,
    server_name: 'ingress.mesh',
    ca_file: '/run/mesh/ca.pem',
    own: {
      cert_file: '/run/ingress/tls.crt',
      key_file: '/run/ingress/tls.key',
      client_ca_file: '/run/ingress/ca.pem',
      listen: 8443,
      assertion_jwks_file: JWKS_FILE,
    },
    ...place,
  },
  identities: Object.fromEntries(
    ['default', 'editor'].map((id) => [id, { spiffe: IDS[name]!(id), pem_file: `/run/mesh/${name}-${id}.pem` }]),
  ),
});

const TEXT = stringify({
  version: 1,
  gateway: {
    insecure_http: true,
    listen: 8080,
    clock_skew: '30s',
    health: { listen: 8081 },
    mesh_probe: { every: '5s' },
    assertion: { issuer: 'https://gateway.test', keys_file: KEYS_FILE, lifetime: '10m' },
  },
  providers: { acme: { issuer: 'https://issuers:8443/acme', ca_file: '/run/provider/ca.pem', audiences: ['apps'] } },
  roles: { reader: { group: 'readers' }, editor: { group: 'editors' } },
  meshes: {
    east: meshOf('east', 'envoy', {}),
    west: meshOf('west', 'istio', { namespace: EDGE, labels: INGRESS, service_account: 'ingress' }),
    south: meshOf('south', 'consul', { consul_service: 'ingress' }),
  },
  services: {
    wiki: { mesh: 'east', authority: 'wiki.mesh', endpoint: 'services:9001' },
    reports: {
      mesh: 'west',
      authority: 'reports.mesh',
      endpoint: 'reports.reports.svc.cluster.local:80',
      namespace: 'reports',
      labels: POD,
      port: PORT,
    },
    search: { mesh: 'south', authority: 'search.mesh', endpoint: 'services:9003' },
  },
  hosts: {
    'wiki.example.com': {
      '/*': {
        service: 'wiki',
        allow: [
          { role: 'editor', as: 'editor' },
          { role: 'reader', methods: ['GET'] },
        ],
      },
      '/status': { service: 'wiki', allow: ['anyone'] },
      // One route to all three meshes.
      '/all/*': {
        service: 'reports',
        allow: [
          { role: 'editor', as: 'editor', methods: ['POST'], service: 'wiki' },
          { role: 'editor', as: 'editor', service: 'search' },
          { role: 'reader', methods: ['GET'] },
        ],
      },
    },
    'reports.example.com': {
      '/*': { service: 'reports', allow: ['reader', { role: 'editor', as: 'editor' }] },
      '/admin/*': { service: 'reports', allow: [{ role: 'editor', as: 'editor', methods: ['GET', 'POST'] }] },
    },
    'search.example.com': {
      '/*': { service: 'search', allow: [{ role: 'editor', as: 'editor' }, 'authenticated'] },
      '/admin/*': { service: 'search', allow: [{ role: 'editor', as: 'editor' }] },
    },
  },
});

const entire = subject('three meshes', TEXT);
const assertions = await Assertions.create();

/** The policy as one mesh sees it. */
function seen(name: string): Subject {
  const { policy, rules } = atMesh(entire, name);
  return {
    name,
    text: TEXT,
    policy,
    rules: rules.filter(({ service }) => policy.services[service]?.direct === undefined),
  };
}

const MESHES = ['east', 'west', 'south'] as const;
const views = new Map(MESHES.map((name) => [name, seen(name)] as const));
const cellsIn = (name: (typeof MESHES)[number]) => cellsOf(views.get(name)!.policy, views.get(name)!.rules);

test.each(MESHES)('the cells cover each rule of %s', (name) => {
  expect(views.get(name)!.rules.length).toBeGreaterThan(2);
  expect(unasked(views.get(name)!.rules, cellsIn(name))).toEqual([]);
});

test('Consul decides as the policy says', async () => {
  const view = views.get('south')!;
  const { requested, disagreements } = await agree(new ConsulSide(view.policy, view.rules), consulCells(view));
  expect(lines(disagreements)).toEqual([]);
  expect(requested).toBeGreaterThan(100);
});

describe('the gateway and an Envoy for each mesh', () => {
  let stage: Stage;
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  let issuer: Awaited<ReturnType<Awaited<ReturnType<typeof startIssuer>>['create']>>;
  const envoys = new Map<string, Awaited<ReturnType<typeof startEnvoy>>>();

  beforeAll(async () => {
    stage = await openStage('several meshes');
    const [issuers] = await Promise.all([startIssuer(stage), startServices(stage, entire.policy)]);
    issuer = await issuers.create('acme', { alg: 'ES256' });
    const files = { [JWKS_FILE]: assertions.published };
    await Promise.all(
      MESHES.map(async (mesh) => envoys.set(mesh, await startEnvoy(stage, { policy: TEXT, mesh, files }))),
    );
    // The gateway starts last: it keeps for a while that the name of an ingress does not resolve.
    gateway = await startGateway(stage, { policy: TEXT, files: { [KEYS_FILE]: assertions.keyFile } });
    const side = sideOf('east');
    const first = cellsIn('east').find(({ part, credential }) => part === undefined && credential !== undefined)!;
    // State: a request has passed the gateway and Envoy: each has the keys and the addresses that it needs.
    await until(async () => (await side.ask(first)) === 'allowed', {
      what: 'the road to the services',
      timeoutMs: HUNG_MS,
      help: () => saveLogs(stage, 'start'),
    });
  });
  afterAll(() => stage?.close());

  const sideOf = (name: (typeof MESHES)[number]) =>
    new GatewaySide(entire, gateway, issuer, presenterOf(views.get(name)!, stage, assertions));

  test.each(MESHES)('the gateway decides as the policy says: %s', { timeout: 300_000 }, async (name) => {
    const { requested, disagreements } = await agree(sideOf(name), cellsIn(name));
    expect(lines(disagreements)).toEqual([]);
    expect(requested).toBeGreaterThan(50);
  });

  test.each(MESHES)('the Envoy of %s decides as the policy says', { timeout: 300_000 }, async (name) => {
    const side = new EnvoySide(envoys.get(name)!, presenterOf(views.get(name)!, stage, assertions));
    const { requested, disagreements } = await agree(side, cellsIn(name));
    expect(lines(disagreements)).toEqual([]);
    expect(requested).toBeGreaterThan(50);
  });

  /** The results of the probes, by mesh and layer: `1` denied, `0` passed, `?` unknown. */
  async function probed(): Promise<Readonly<Record<string, string>>> {
    const { text } = await gateway.health('/.meshgate/metrics');
    const found: Record<string, string> = {};
    for (const [, metric, labels = '', value = ''] of text.matchAll(/^meshgate_mesh_(\w+)\{(.*)\} (\d)$/gm)) {
      const label = (key: string) => new RegExp(`\\b${key}="([^"]*)"`).exec(labels)?.[1];
      const key = `${label('mesh')} ${label('layer')}`;
      const result = metric === 'enforcing' ? value : value === '1' ? '?' : '';
      if (!(found[key] ?? '').includes(result)) found[key] = (found[key] ?? '') + result;
    }
    return found;
  }

  test('the probes are denied by each Envoy, and an ingress that is away is neither open nor closed', async () => {
    // These Envoys have no rule that lets the probe of Istio's workload pass.
    const all = { 'east ingress': '1', 'west ingress': '1', 'west workload': '?', 'south ingress': '1' };
    const text = (found: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(found).sort());
    let last = '';
    const says = (wanted: Readonly<Record<string, string>>) =>
      // State: every probe has had an answer.
      until(
        async () => {
          last = text(await probed());
          return last === text(wanted);
        },
        { what: text(wanted), timeoutMs: HUNG_MS, help: () => last },
      );
    await says(all);
    await envoys.get('south')!.box.stop();
    await says({ ...all, 'south ingress': '?' });
  });
});

describeWith(lacksMesh(), 'Istio', async () => {
  const stage = await testStage('several meshes, istio');
  const view = views.get('west')!;
  const cells = cellsIn('west');
  let mesh: IstioMesh;
  beforeAll(async () => {
    mesh = await IstioMesh.start(stage, [view], 1);
  });

  test.each(['ingress', 'workload'] as const)(
    'the %s decides as the policy says',
    { timeout: 300_000 },
    async (layer) => {
      const side = new IstioSide(mesh, view, layer, stage, assertions);
      let count = 0;
      for (const wave of side.waves) {
        await side.hold(wave);
        const own = cells.filter((cell) => wave.some(({ service = cell.service }) => service === cell.service));
        const first = own.find(({ part }) => part === undefined)!;
        // State: Envoy accepts connections. It closes those that began with its earlier configuration.
        await until(async () => (await side.ask(first)) === 'allowed', { what: `the ${layer}`, timeoutMs: HUNG_MS });
        const { requested, disagreements } = await agree(side, own);
        expect(lines(disagreements)).toEqual([]);
        count += requested;
      }
      expect(count).toBe(cells.length);
    },
  );
});
