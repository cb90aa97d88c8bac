/** Requests that Istio's own Envoys refuse, at the ingress and at workloads, whatever nginx would have done. */
import { readFileSync } from 'node:fs';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Readiness } from '../../src/health/types.ts';
import { dashboardQueries, OF_THE_MESH, queryPrometheus } from '../harness/dashboard.ts';
import { etcdImage } from '../harness/images.ts';
import {
  type Gateway,
  type Issuer,
  send,
  startContainer,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
} from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { meshgate } from '../unit/cli/fake.ts';
import { came, PolicyMesh, Signer } from './istio/mesh.ts';
import { Query } from './istio/mesh-client.ts';
import { PATCHES } from './istio/patches.ts';
import { AGENTS, CANARY, DEMO, identity, KEYS_FILE, ONE_IDENTITY, WIKI_POD } from './istio/policy.ts';
import {
  byRules,
  CANARY_WIKI,
  DASHBOARD,
  INGRESS,
  isForAnother,
  passes,
  REFUSALS,
  type Requested,
  reader,
  WIKI,
} from './istio/refusals.ts';
import { HUNG_MS, type KubeObject, lacksMesh } from './lab/index.ts';

const DOCUMENTED_KINDS = /kubectl get ([\w.,]+)/.exec(readFileSync('docs/istio.md', 'utf8'))?.[1] ?? '';

describeWith(lacksMesh(), 'Istio', async () => {
  const stage = await testStage('istio');
  let mesh: PolicyMesh;
  let query: Query;
  beforeAll(async () => {
    mesh = await PolicyMesh.start(stage, DEMO, CANARY);
    query = new Query(mesh, stage.meshCa);
  });
  const ask = (requested: Requested) => query.ask(requested);

  interface List {
    readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace: string } }[];
  }
  const isOfLab = ({ metadata }: List['items'][number]) =>
    metadata.name.startsWith('lab-') || metadata.namespace.startsWith('lab-');

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await mesh.lab.lab.kube.box.exec('kubectl', ...args);
    expect([exitCode, stderr]).toEqual([0, '']);
    return stdout;
  }

  /** The documented command: the live objects, piped into the proof. */
  async function prove() {
    const { items } = JSON.parse(await kubectl('get', DOCUMENTED_KINDS, '-A', '-o', 'json')) as List;
    // The lab's own mark and fence apply to every proxy, and prove reports that.
    const live = JSON.stringify({ kind: 'List', items: items.filter((it) => !isOfLab(it)) });
    const files = { 'meshgate.yaml': DEMO, 'jwks.json': mesh.signer.published, '-': live };
    const args = ['prove', '--target', 'istio', '--assertion-jwks', 'jwks.json', 'meshgate.yaml', '-'];
    return meshgate(args, { files });
  }

  describe('refuses', () => {
    test.each(REFUSALS)('$name', async ({ requested, right, refused = byRules }) => {
      expect(await ask(requested)).toEqual(refused);
      expect(await ask({ ...requested, ...right })).toEqual(passes);
    });

    test.each([
      { path: '/rest/x;a=b', status: 400, seen: [] },
      { path: '/rest/x%3bx', status: 400, seen: [] },
      { path: '/rest//x', status: 200, seen: ['/rest/x'] },
      { path: '/rest%2fx', status: 200, seen: ['/rest/x'] },
      { path: '/rest/%78', status: 200, seen: ['/rest/x'] },
      { path: '/rest/../pages', status: 403, seen: [] },
    ])('$path or normalises it, for itself and the service alike', async ({ path, status, seen }) => {
      const { echo } = mesh.lab.workloads.get('wiki')!;
      await echo.clear();
      const headers = { 'X-Meshgate-Assertion': await mesh.signer.sign(reader) };
      const answer = await mesh.lab.ingress.send(await query.pem(identity('reader')), WIKI, { path, headers });
      expect(answer.status).toBe(status);
      expect((await echo.requests()).map(({ url }) => url)).toEqual(seen);
    });
  });

  describe('refuses in the handshake', () => {
    const headersOf = async () => ({ 'X-Meshgate-Assertion': await mesh.signer.sign(reader) });
    const handshake = async (at: Requested['at'], pem: string | undefined) =>
      came(query.envoy(at).send(pem, WIKI, { path: '/rest/x', headers: await headersOf() }));
    /** The sum over all listeners of an Envoy. */
    async function counted(at: Requested['at'], name: string): Promise<number> {
      const text = await query.envoy(at).admin(`/stats?filter=^listener.*ssl.${name}$`);
      return [...text.matchAll(/: (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    }

    /** Envoy's threads add their counters a moment later. */
    async function counts(at: Requested['at'], name: string, wanted: number): Promise<void> {
      // State: the counter has the number that this test caused.
      await until(async () => (await counted(at, name)) >= wanted, { what: `${name} at ${at}`, timeoutMs: HUNG_MS });
      expect(await counted(at, name)).toBe(wanted);
    }

    test.each(['ingress', 'wiki'] as const)('no certificate, at %s', async (at) => {
      const before = await counted(at, 'fail_verify_no_cert');
      expect(await handshake(at, undefined)).toBe('ALERT_CERTIFICATE_REQUIRED');
      await counts(at, 'fail_verify_no_cert', before + 1);
    });

    test("a certificate of the mesh's CA for an id that is not one of nginx's identities, at the ingress", async () => {
      const before = await counted('ingress', 'fail_verify_san');
      expect(await handshake('ingress', await query.pem(WIKI_POD))).toBe('ALERT_CERTIFICATE_UNKNOWN');
      await counts('ingress', 'fail_verify_san', before + 1);
      expect(await handshake('ingress', await query.pem(identity('reader')))).toBe(200);
    });

    test.each(['ingress', 'wiki'] as const)('the right id from another CA, at %s', async (at) => {
      const { pem } = await stage.ca.client(at === 'ingress' ? identity('reader') : INGRESS);
      expect(await handshake(at, pem)).toMatch(/^ALERT_/);
    });

    test.each(['ingress', 'wiki'] as const)('plain HTTP, at %s', async (at) => {
      const target = at === 'ingress' ? mesh.lab.ingress.target() : mesh.lab.workloads.get('wiki')!.target();
      const plain = send({ ...target, tls: false }, { path: '/rest/x', headers: await headersOf() });
      expect(await came(plain)).toMatch(/socket hang up|ECONNRESET/);
    });
  });

  describe('behind the gateway', () => {
    let gateway: Gateway;
    let acme: Issuer;
    beforeAll(async () => {
      const [issuers, started] = await Promise.all([
        startIssuer(stage),
        startGateway(stage, { policy: DEMO, files: { [KEYS_FILE]: mesh.signer.keyFile } }),
      ]);
      acme = await issuers.create('acme', { alg: 'ES256' });
      gateway = started;
      const token = await tokenOf('readers');
      // State: a request has passed the gateway and both Envoys: each has the keys and the addresses that it needs.
      await until(async () => (await gateway.send('wiki.test', { path: '/rest/x', token })).status === 200, {
        what: 'the road',
        timeoutMs: HUNG_MS,
        help: () => gateway.box.logs.tail(),
      });
    });
    const tokenOf = (...groups: string[]) => acme.sign({ aud: 'wiki', sub: 'ada', groups });

    test('a request keeps its headers, its assertion and one trace', async () => {
      const { ingress, workloads } = mesh.lab;
      const wiki = workloads.get('wiki')!;
      await wiki.echo.clear();
      const marks = [gateway.mark(), ingress.box.logs.mark(), wiki.box.logs.mark()] as const;
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
      const answer = await gateway.send('wiki.test', {
        path: '/rest/page?x=1',
        token: await tokenOf('readers'),
        headers: {
          traceparent: `00-${trace}-00f067aa0ba902b7-01`,
          'X-Meshgate-Assertion': 'forged',
          'X-Forwarded-User': 'root',
        },
      });
      expect(answer.status).toBe(200);
      const [received, ...more] = await wiki.echo.requests();
      expect(more).toEqual([]);
      const value = (name: string) => valuesOf(received!, name);
      expect([received!.url, value('host')]).toEqual(['/rest/page?x=1', [WIKI]]);
      expect([value('x-forwarded-user'), value('x-forwarded-roles'), value('authorization')]).toEqual([
        ['ada'],
        ['reader'],
        [],
      ]);
      expect(value('traceparent')).toEqual([expect.stringContaining(trace)]);
      expect(value('x-meshgate-assertion').map(decodeJwt)).toEqual([
        expect.objectContaining({ iss: 'https://gateway.test', ...reader }),
      ]);
      // Each hop reports its peer: at the ingress, and at the workload.
      const peers = value('x-forwarded-client-cert')
        .join()
        .matchAll(/URI=([^,;]+)/g);
      expect([...peers].map(([, uri]) => uri)).toEqual([identity('reader'), INGRESS]);
      // State: each log has the line of this request's trace.
      const [nginx, atIngress, atWorkload] = await Promise.all([
        gateway.box.logs.waitFor(new RegExp(trace), marks[0]),
        ingress.box.logs.waitFor(new RegExp(trace), marks[1]),
        wiki.box.logs.waitFor(new RegExp(trace), marks[2]),
      ]);
      expect(JSON.parse(nginx)).toMatchObject({ trace_id: trace, 'meshgate.identity': 'reader' });
      const rule = 'wiki.test/rest/*#2';
      expect(JSON.parse(atIngress)).toMatchObject({
        downstream_peer_uri_san: identity('reader'),
        rule,
        path: '/rest/page',
      });
      expect(JSON.parse(atWorkload)).toMatchObject({ downstream_peer_uri_san: INGRESS, rule, path: '/rest/page' });
    });

    test('the mesh allows each request that the gateway allows, each with its own identity', async () => {
      const mark = mesh.lab.ingress.box.logs.mark();
      const requested = async (group: string, method: string) =>
        (await gateway.send('wiki.test', { method, path: `/rest/${group}`, token: await tokenOf(group) })).status;
      expect(await requested('editors', 'DELETE')).toBe(200);
      expect(await requested('readers', 'GET')).toBe(200);
      expect(await requested('readers', 'DELETE')).toBe(403);
      // State: the line of the last passing request is there; the earlier ones have theirs.
      await mesh.lab.ingress.box.logs.waitFor(/"path":"\/rest\/readers"/, mark, HUNG_MS);
      const lines = mesh.lab.ingress.access(mark).filter(({ path }) => !String(path).endsWith('probe'));
      expect(lines.map((line) => line.downstream_peer_uri_san)).toEqual([identity('editor'), identity('reader')]);
    });

    describe('the probes of the gateway', () => {
      const policyOf = (name: string) =>
        mesh.objects.find(({ kind, metadata }) => kind === 'AuthorizationPolicy' && metadata.name === name)!;

      /** The samples of a metric by the labels that this test reads. */
      async function samples(name: string): Promise<Readonly<Record<string, number>>> {
        const { text } = await gateway.health('/.meshgate/metrics');
        const found = [...text.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\d)$`, 'gm'))];
        return Object.fromEntries(
          found.map(([, labels = '', value]) => {
            const label = (key: string) => new RegExp(`\\b${key}="([^"]*)"`).exec(labels)?.[1];
            return [`${label('layer')} ${label('service')} ${label('identity')} ${label('probe')}`, Number(value)];
          }),
        );
      }

      /** Waits until every probe has an answer that tells, and exactly these say that the mesh does not enforce. */
      async function open(...names: readonly string[]): Promise<void> {
        let last: unknown;
        await until(
          async () => {
            const [enforcing, failed] = [
              await samples('meshgate_mesh_enforcing'),
              await samples('meshgate_mesh_probe_failed'),
            ];
            const zeros = Object.keys(enforcing).filter((key) => enforcing[key] === 0);
            last = { zeros, failed };
            const isKnown = Object.keys(enforcing).length === 12 && Object.values(failed).every((it) => it === 0);
            return isKnown && zeros.sort().join() === [...names].sort().join();
          },
          { what: `open: ${names.join()}`, timeoutMs: HUNG_MS, help: () => JSON.stringify(last) },
        );
      }

      test('name the policy that was deleted, within a minute, and honest callers notice nothing', async () => {
        const lost = policyOf('meshgate-workload-wiki.e4e065b7e486746a');
        const prometheus = await startContainer(stage, {
          image: etcdImage,
          alias: 'prometheus',
          files: {
            '/etc/prometheus/prometheus.yml': `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [alerts.yaml]
scrape_configs: [{ job_name: meshgate, metrics_path: /.meshgate/metrics, static_configs: [{ targets: ["gateway:8081"] }] }]
`,
            '/etc/prometheus/alerts.yaml': readFileSync('nginx/chart/monitoring/alerts.yaml', 'utf8'),
          },
          command: ['prometheus', '--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/tmp/data'],
          memory: 512,
          ready: /Server is ready to receive web requests/,
        });
        /** The texts of the alerts about the mesh that are raised. */
        async function raised(): Promise<readonly string[]> {
          const answer = await fetch(`http://${prometheus.host}:9090/api/v1/alerts`);
          const { data } = (await answer.json()) as {
            data: { alerts: { state: string; labels: { alertname: string }; annotations: { summary: string } }[] };
          };
          const own = data.alerts.filter(
            ({ state, labels }) => state === 'firing' && labels.alertname.startsWith('MeshgateMesh'),
          );
          return own.map(({ labels, annotations }) => `${labels.alertname}: ${annotations.summary}`);
        }
        const reader = await tokenOf('readers');
        const honest = async (path: string, token?: string) =>
          (await gateway.send('wiki.test', { path, ...(token !== undefined && { token }) })).status;
        await open();
        for (const { expr } of dashboardQueries().filter(({ expr }) => expr.includes(OF_THE_MESH))) {
          const found = async () => (await queryPrometheus(prometheus.host, expr)).length > 0;
          await until(found, { what: `data for the dashboard: ${expr}` });
        }
        const [mark, began] = [gateway.box.logs.mark(), performance.now()];
        await mesh.lab.lab.delete(lost);
        await open('workload wiki editor no_assertion');
        // State: Prometheus has raised the alert.
        const alerts = await until(
          async () => {
            const all = await raised();
            return all.length > 0 ? all : undefined;
          },
          { what: 'the alert', timeoutMs: HUNG_MS, help: () => prometheus.logs.tail() },
        );
        expect(performance.now() - began).toBeLessThan(60_000);
        expect(alerts).toEqual([
          expect.stringMatching(
            /^MeshgateMeshNotEnforcing: .*AuthorizationPolicy wiki\/meshgate-workload-wiki\.e4e065b7e486746a .* wiki\.test\/rest\/\*#1$/,
          ),
        ]);
        const says =
          /\[error\].*AuthorizationPolicy wiki\/meshgate-workload-wiki\.e4e065b7e486746a does not enforce rule wiki\.test\/rest\/\*#1: mesh_not_enforcing/;
        await gateway.box.logs.waitFor(says, mark);
        const ready = (await gateway.health('/.meshgate/readyz')).json() as Readiness;
        expect(ready).toMatchObject({ ready: true, meshes: { default: { reason: 'mesh_not_enforcing' } } });
        expect([await honest('/rest/x', reader), await honest('/status'), await honest('/rest/x')]).toEqual([
          200, 200, 401,
        ]);
        // The policy is back, and those of the ingress are away: the workloads still deny.
        const ingresses = ['meshgate-ingress-wiki', 'meshgate-ingress-dashboard'].map(policyOf);
        await mesh.lab.lab.change({ apply: [lost], delete: ingresses });
        const [own, coupled] = ['no_assertion', 'wrong_identity'];
        await open(
          ...['wiki', 'dashboard'].flatMap((service) => [
            ...['editor', 'reader', 'default'].map((identity) => `ingress ${service} ${identity} ${own}`),
          ]),
          ...['wiki', 'dashboard'].flatMap((service) => [
            ...['editor', 'reader'].map((identity) => `ingress ${service} ${identity} ${coupled}`),
          ]),
        );
        expect([await honest('/rest/x', reader), await honest('/status')]).toEqual([200, 200]);
        await mesh.lab.lab.apply(ingresses);
      });
    });
  });

  describe('the live objects', () => {
    test.each(PATCHES)('match the policy until a patch: $name', async ({ object, patch, says, witness }) => {
      const before = await prove();
      expect(before).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^yes: /) });
      if (witness !== undefined) expect(await ask(witness)).toEqual(byRules);
      const [namespace, kind, name] = object;
      try {
        await kubectl('patch', kind, name, '-n', namespace, '--type=json', '-p', JSON.stringify(patch));
        const after = await prove();
        // No request of a proof uses plain HTTP, because a proof asks over TLS: it says that nothing is proven.
        expect([after.code, after.err]).toEqual([witness === undefined ? 3 : 1, '']);
        expect(after.out).toContain(says);
        // The other layer may still refuse it.
        const passes = async () => witness === undefined || (await ask(witness))[1] === 'via_upstream';
        // State: the Envoy allows exactly this request, which it refused before the patch.
        await until(passes, { what: 'the patch to be enforced', timeoutMs: HUNG_MS });
      } finally {
        await mesh.hold(DEMO);
      }
    });
  });

  describe('with a change to every member that prove calls neutral', () => {
    /** Members that the API server sets itself: they differ once an object is made again. */
    const KEPT = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields'];
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: '0b0e2a3c-5f0d-4b59-9a57-000000000000' };
    const changed: Readonly<Record<string, unknown>> = {
      annotations: { 'meshgate/rules': 'another, for people' },
      finalizers: ['meshgate.test/held'],
      ownerReferences: [owner],
    };
    const NO_MEMBER_ANY_MORE = ['selfLink'];
    const withChanged = (object: KubeObject): KubeObject => ({
      ...object,
      metadata: { ...object.metadata, ...changed },
    });

    beforeAll(async () => {
      await mesh.clear();
      await mesh.hold(DEMO, withChanged);
      for (const { kind, metadata } of mesh.objects) {
        await kubectl(
          ...['patch', kind, metadata.name, '-n', metadata.namespace ?? '', '--subresource=status', '--type=merge'],
          ...['-p', '{"status":{"conditions":[{"type":"Ready","status":"False"}]}}'],
        );
      }
      // After the patches the mesh still has all that depends on them.
      await mesh.hold(DEMO, withChanged);
    });
    afterAll(() => mesh.hold(DEMO));

    test('each neutral member is changed', () => {
      const sections = readFileSync('docs/prove.md', 'utf8').split(/^## /m);
      const table = sections.find((it) => it.startsWith('Istio\n')) ?? '';
      const rows = table.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.split(' | ')] : []));
      const named = rows.flatMap(([, , neutral = '']) => [...neutral.matchAll(/`(\w+)`: /g)].map(([, it]) => it));
      const here = [...KEPT, ...Object.keys(changed), ...NO_MEMBER_ANY_MORE, 'status'].sort();
      expect([...new Set(named)].sort()).toEqual(here);
    });

    test('prove reports no difference', async () => {
      expect(await prove()).toMatchObject({ code: 0, out: expect.stringMatching(/^yes: /) });
    });

    test.each(REFUSALS)('the mesh answers as before: $name', async ({ requested, right, refused = byRules }) => {
      expect(await ask(requested)).toEqual(refused);
      expect(await ask({ ...requested, ...right })).toEqual(passes);
    });
  });

  describe('beside another issuer whose tokens the ingress verifies too', () => {
    const claims = { ...reader, iss: 'https://other.test' };
    /** At the ingress, in `Authorization`; its claims look the same to a rule. */
    const other = async () => ({
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { name: 'other', namespace: 'edge' },
      spec: {
        selector: { matchLabels: { istio: 'meshgate-ingress' } },
        jwtRules: [{ issuer: 'https://other.test', jwks: stranger.published, forwardOriginalToken: true }],
      },
    });
    let stranger: Signer;
    beforeAll(async () => {
      stranger = await Signer.create();
      await mesh.lab.lab.apply(await other());
    });
    afterAll(async () => mesh.lab.lab.delete(await other()));

    const requested = (headers: Readonly<Record<string, string>>) =>
      query.send({ at: 'ingress', peer: identity('reader'), says: null }, headers);

    test('its token passes no rule, and only the condition on the issuer prevents it', async () => {
      const token = { Authorization: `Bearer ${await stranger.sign(claims)}` };
      expect(await requested(token)).toEqual(byRules);
      expect(await requested({ 'X-Meshgate-Assertion': await mesh.signer.sign(reader) })).toEqual(passes);
      await mesh.hold(DEMO, (object) =>
        JSON.parse(
          JSON.stringify(object).replaceAll(
            `{"key":"request.auth.claims[iss]","values":["https://gateway.test"]},`,
            '',
          ),
        ),
      );
      expect(await requested(token)).toEqual([403, 'via_upstream']);
      await mesh.hold(DEMO);
      expect(await requested(token)).toEqual(byRules);
    });
  });

  describe('with one identity for all', () => {
    beforeAll(() => mesh.hold(ONE_IDENTITY));
    const peer = identity('gateway');
    const says = (role: string, aud = 'wiki') => ({ aud, as: 'default', roles: [role] });

    test('only the assertion tells readers from editors, at both layers', async () => {
      for (const from of [
        { at: 'ingress', peer },
        { at: 'wiki', peer: INGRESS },
      ] as const) {
        expect(await ask({ ...from, says: says('editor'), method: 'POST' })).toEqual(passes);
        expect(await ask({ ...from, says: says('reader') })).toEqual(passes);
        expect(await ask({ ...from, says: says('reader'), method: 'POST' })).toEqual(byRules);
        expect(await ask({ ...from, says: null })).toEqual(byRules);
        expect(await ask({ ...from, says: null, path: '/status' })).toEqual(passes);
      }
    });

    test('a caller with an assertion is authenticated', async () => {
      const requested = { authority: DASHBOARD, path: '/' };
      for (const from of [
        { at: 'ingress', peer },
        { at: 'dashboard', peer: INGRESS },
      ] as const) {
        expect(await ask({ ...requested, ...from, says: { ...says('beta', 'dashboard'), roles: [] } })).toEqual(passes);
        expect(await ask({ ...requested, ...from, says: null })).toEqual(byRules);
      }
    });
  });

  describe('with a canary', () => {
    beforeAll(() => mesh.hold(CANARY));
    const beta = { aud: 'wiki-canary', as: 'beta', roles: ['beta', 'reader'] };
    const all = { aud: 'wiki', as: 'default', roles: ['reader'] };

    test('each service accepts only its own identity and audience, at the ingress', async () => {
      expect(await ask({ at: 'ingress', peer: identity('beta'), authority: CANARY_WIKI, says: beta })).toEqual(passes);
      expect(await ask({ at: 'ingress', peer: identity('gateway'), says: all })).toEqual(passes);
      expect(await ask({ at: 'ingress', peer: identity('beta'), says: beta })).toEqual(byRules);
      expect(await ask({ at: 'ingress', peer: identity('gateway'), authority: CANARY_WIKI, says: all })).toEqual(
        byRules,
      );
    });

    test('and at the workloads', async () => {
      expect(await ask({ at: 'wiki-canary', peer: INGRESS, authority: CANARY_WIKI, says: beta })).toEqual(passes);
      expect(await ask({ at: 'wiki-canary', peer: INGRESS, authority: CANARY_WIKI, says: all })).toEqual(isForAnother);
      expect(await ask({ at: 'wiki', peer: INGRESS, says: beta })).toEqual(isForAnother);
      expect(await ask({ at: 'wiki', peer: INGRESS, says: { ...beta, aud: 'wiki' } })).toEqual(byRules);
    });
  });

  describe('with agents', () => {
    beforeAll(() => mesh.hold(AGENTS));
    const person = { aud: 'dashboard', as: 'default', roles: ['reader'] };
    const agent = { ...person, as: 'hop', agent: 'wiki-pages', act: { sub: WIKI_POD } };
    const requested = { authority: DASHBOARD, path: '/charts' };

    test.each([
      { name: 'the agent for a reader', says: agent, expected: passes },
      { name: 'with a method that only its own rule allows', says: agent, method: 'POST', expected: byRules },
      { name: 'for an editor, whose role does not travel', says: { ...agent, roles: ['editor'] }, expected: byRules },
      { name: 'for a caller that no rule names', says: { ...agent, roles: [] }, expected: byRules },
      { name: 'another agent', says: { ...agent, agent: 'other' }, expected: byRules },
      { name: 'no agent as its identity', says: { ...person, as: 'hop' }, expected: byRules },
    ])('$name', async ({ says, expected, method = 'GET' }) => {
      expect(await ask({ at: 'ingress', peer: identity('hop'), ...requested, method, says })).toEqual(expected);
      expect(await ask({ at: 'dashboard', peer: INGRESS, ...requested, method, says })).toEqual(expected);
    });

    test("an agent's assertion matches no rule for people", async () => {
      const says = { ...agent, as: 'default' };
      expect(await ask({ at: 'ingress', peer: identity('gateway'), ...requested, says: person })).toEqual(passes);
      expect(await ask({ at: 'ingress', peer: identity('gateway'), ...requested, says })).toEqual(byRules);
      expect(await ask({ at: 'dashboard', peer: INGRESS, ...requested, says })).toEqual(byRules);
    });
  });
});
