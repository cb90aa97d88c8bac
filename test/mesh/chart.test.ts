/** The Helm chart: what it renders, which values it refuses, and that a real API server accepts all of it. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { testStage } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import {
  CERT_MANAGER,
  CHART,
  chartNotes,
  chartObjects,
  chartRefusal,
  type Given,
  helm,
  lacksHelm,
  renderChart,
} from './chart/helm.ts';
import { COMBINATIONS, STORE, sealed, sessions, TOKENS } from './chart/values.ts';
import { installDefinitions, type Kube, type KubeObject, lacksMesh, readObjects, startKube } from './lab/index.ts';

interface PodSpec {
  readonly containers: readonly Readonly<Record<string, unknown>>[];
  readonly volumes: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly strategy?: { readonly type: string };
    readonly volumeClaimTemplates?: readonly {
      readonly metadata: { readonly name: string };
      readonly spec: Readonly<Record<string, unknown>>;
    }[];
    readonly template: { readonly metadata: object; readonly spec: PodSpec };
  };
}

const kinds = (objects: readonly KubeObject[]) => objects.map(({ kind }) => kind).toSorted();
const find = (given: Given, kind: string, name = 'gw-meshgate') =>
  chartObjects(given).find((it) => it.kind === kind && it.metadata.name === name) as Workload;
const combinations = Object.entries(COMBINATIONS);

describeWith(lacksHelm(), 'the chart', () => {
  test('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const chart = readFileSync(`${CHART}/Chart.yaml`, 'utf8');
    expect(chart).toContain(`\nversion: ${version}\nappVersion: ${version}\n`);
  });

  test.each(combinations)('passes helm lint: %s', (_, given) => {
    const { status, stdout, stderr } = helm(['lint', CHART, '--strict'], given);
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('1 chart(s) linted, 0 chart(s) failed')]);
  });

  test('renders the same twice, except certificates that it makes', () => {
    for (const [name, given] of combinations.slice(4, 8)) {
      const plain = (objects: readonly KubeObject[]) => objects.filter(({ kind }) => kind !== 'Secret');
      expect(plain(readObjects(renderChart(given))), name).toEqual(plain(readObjects(renderChart(given))));
    }
  });

  describe('without sessions', () => {
    test('runs two replicas that share nothing, and replaces them one by one', () => {
      const { spec } = find({ policy: TOKENS }, 'Deployment');
      expect(spec.replicas).toBe(2);
      expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
      expect(kinds(chartObjects({ policy: TOKENS }))).toEqual([
        'ConfigMap',
        'ConfigMap',
        'Deployment',
        'Job',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'Service',
        'ServiceAccount',
      ]);
    });
  });

  describe('with sessions and without a store', () => {
    const given = { policy: sessions() };

    test('runs one replica, keeps what is revoked on a volume, and has no budget that stops a drain', () => {
      const { spec } = find(given, 'Deployment');
      expect([spec.replicas, spec.strategy]).toEqual([1, { type: 'Recreate' }]);
      expect(spec.template.spec.volumes).toContainEqual({
        name: 'state',
        persistentVolumeClaim: { claimName: 'gw-meshgate-state' },
      });
      expect(kinds(chartObjects(given))).toContain('PersistentVolumeClaim');
      expect(kinds(chartObjects(given))).not.toContain('PodDisruptionBudget');
    });

    test('says in its notes why there is one replica, and what to do', () => {
      expect(chartNotes(given)).toMatch(/with 1 replica\.[\s\S]*One replica, because[\s\S]*etcd\.enabled=true/);
      expect(chartNotes({ policy: sessions(STORE) })).not.toMatch(/One replica/);
      expect(chartNotes({ policy: TOKENS })).not.toMatch(/One replica/);
    });

    test('finds sessions and the store in an overlay too, and sees that an overlay removes them', () => {
      const over = (text: string) => ({ policyFiles: { 'o.yaml': text }, overlays: ['o.yaml'] });
      const replicas = (policy: string, text: string) =>
        find({ policy, values: over(text) }, 'Deployment').spec.replicas;
      expect(replicas(TOKENS, 'gateway: { session: { keys_file: /run/secrets/s } }')).toBe(1);
      expect(replicas(sessions(), 'gateway: { store: { etcd: ["https://e:2379"] } }')).toBe(2);
      expect(replicas(sessions(STORE), 'gateway: { store: null }')).toBe(1);
      expect(replicas(sessions(), 'gateway: { session: null }')).toBe(2);
    });
  });

  describe('with its own etcd', () => {
    test('gives the gateway its members, by names in full, as an overlay of the policy', () => {
      const given = COMBINATIONS["sessions and the chart's etcd"]!;
      const { data } = find(given, 'ConfigMap', 'gw-meshgate-policy') as unknown as { data: Record<string, string> };
      expect(data['chart-store.yaml']).toContain(
        '- "https://gw-meshgate-etcd-2.gw-meshgate-etcd.edge.svc.cluster.local:2379"\n',
      );
      const [container] = find(given, 'Deployment').spec.template.spec.containers;
      expect(container?.env).toContainEqual({ name: 'MESHGATE_OVERLAY', value: '/etc/meshgate/chart-store.yaml' });
      expect(find(given, 'Deployment').spec.replicas).toBe(2);
    });

    test.each([1, 3])('starts %i members', (members) => {
      const given = { policy: sessions(), values: { etcd: { enabled: true, members } } };
      const { spec } = find(given, 'StatefulSet', 'gw-meshgate-etcd');
      const [{ command = [] } = {}] = spec.template.spec.containers as readonly { command?: readonly string[] }[];
      const cluster = command.find((it) => it.startsWith('--initial-cluster='));
      expect([spec.replicas, cluster?.split(',').length]).toEqual([members, members]);
      expect(command).toEqual(expect.arrayContaining(['--client-cert-auth', '--peer-client-cert-auth']));
    });
  });

  describe('with a sealed log', () => {
    const given = COMBINATIONS['a sealed log with witnesses, in folders of your own, on chosen storage']!;
    const pod = (of: Given, kind = 'StatefulSet') => {
      const { containers, initContainers = [], volumes } = find(of, kind).spec.template.spec;
      const [sealer, ...others] = initContainers as PodSpec['containers'];
      expect(others).toEqual([]);
      const mounts = (container = {} as PodSpec['containers'][number] | undefined) =>
        (container?.volumeMounts ?? []) as readonly Mount[];
      return { gateway: containers[0], sealer, volumes, inGateway: mounts(containers[0]), inSealer: mounts(sealer) };
    };

    test('runs the sealer beside each gateway, before it and after it', () => {
      const { sealer, gateway } = pod(given);
      expect(sealer).toMatchObject({ restartPolicy: 'Always', args: ['meshgate-seal'], image: gateway?.image });
      expect(gateway?.env).toContainEqual({ name: 'MESHGATE_SEAL', value: 'off' });
      expect(gateway?.env).toContainEqual({
        name: 'MESHGATE_INSTANCE',
        valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
      });
    });

    test('gives each replica volumes that outlive it, and the key one of its own', () => {
      const claim = (name: string, storage: string, storageClassName?: string) => ({
        metadata: { name },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage } },
          ...(storageClassName !== undefined && { storageClassName }),
        },
      });
      const claims = (of: Given) => find(of, 'StatefulSet').spec.volumeClaimTemplates;
      expect(claims(given)).toEqual([claim('audit', '100Gi', 'fast'), claim('audit-key', '64Mi', 'encrypted')]);
      expect(claims({ policy: sealed() })).toEqual([claim('audit', '20Gi'), claim('audit-key', '64Mi')]);
      expect(find(given, 'HorizontalPodAutoscaler').spec).toMatchObject({
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'gw-meshgate' },
      });
      const one = COMBINATIONS['a sealed log and sessions on one replica']!;
      expect(find(one, 'StatefulSet').spec.replicas).toBe(1);
      expect(pod(one).inGateway).toContainEqual({ name: 'state', mountPath: '/var/lib/meshgate' });
    });

    test('mounts the key into the sealer alone, and the sealed log into the gateway only to read it', () => {
      for (const [of, folder, log, witnesses] of [
        [given, '/srv/audit/sealed', '/srv/audit/log', 'example.com/w+abcd1234+AZAZ'],
        [{ policy: sealed() }, '/var/lib/meshgate/audit', '/var/log/meshgate', ''],
      ] as const) {
        const { sealer, inSealer, inGateway } = pod(of);
        const key = inSealer.filter(({ name }) => name === 'audit-key');
        expect(sealer?.env).toEqual([
          { name: 'MESHGATE_SEAL_KEY', value: key[0]?.mountPath },
          { name: 'MESHGATE_SEAL_LOG', value: `${log}/access.log` },
          { name: 'MESHGATE_SEAL_FOLDER', value: folder },
          { name: 'MESHGATE_SEAL_WITNESSES', value: witnesses },
        ]);
        expect(inGateway.filter(({ name }) => name === 'audit-key')).toEqual([]);
        expect(inGateway).toContainEqual({ name: 'audit', mountPath: log, subPath: 'log' });
        expect(inGateway).toContainEqual({ name: 'audit', mountPath: folder, subPath: 'sealed', readOnly: true });
        expect(inSealer).toContainEqual({ name: 'audit', mountPath: log, subPath: 'log' });
        expect(inSealer).toContainEqual({ name: 'audit', mountPath: folder, subPath: 'sealed' });
        expect(inSealer).toContainEqual({ name: 'run', mountPath: '/run/meshgate', readOnly: true });
        // nginx writes the cosignatures of the witnesses.
        const written = inGateway.filter(({ name, readOnly }) => name === 'audit' && readOnly !== true);
        expect(written.slice(1)).toEqual([
          { name: 'audit', mountPath: `${folder}/witness`, subPath: 'sealed/witness' },
        ]);
      }
    });

    test('keeps everything in the pod, if the values say so, and says what is lost', () => {
      const ends = COMBINATIONS['a sealed log that ends with its pod']!;
      const { volumes, inGateway } = pod(ends, 'Deployment');
      expect(volumes).toContainEqual({ name: 'audit', emptyDir: { sizeLimit: '20Gi' } });
      expect(volumes).toContainEqual({ name: 'audit-key', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } });
      expect(inGateway).toEqual(pod({ policy: sealed() }).inGateway);
      expect(chartNotes(ends)).toMatch(/end with their pod/);
      expect(chartNotes({ policy: sealed() })).toMatch(
        /exec gw-meshgate-0 .* cat \/var\/lib\/meshgate\/audit\/keys\/first/,
      );
      expect(chartNotes({ policy: sealed() })).not.toMatch(/end with their pod|witnesses/);
      expect(chartNotes(given)).toMatch(/asks the witnesses.*networkPolicy\.egress/);
      expect(chartNotes({ policy: TOKENS })).not.toMatch(/seals|audit/);
    });

    test('finds it in an overlay too, and sees that an overlay removes it', () => {
      const over = (text: string) => ({ policyFiles: { 'o.yaml': text }, overlays: ['o.yaml'] });
      const workload = (policy: string, text: string) =>
        chartObjects({ policy, values: over(text) }).flatMap(({ kind }) => (/Deploy|Stateful/.test(kind) ? kind : []));
      expect(workload(TOKENS, 'gateway: { audit: {} }')).toEqual(['StatefulSet']);
      expect(workload(sealed(), 'gateway: { audit: null }')).toEqual(['Deployment']);
    });
  });

  describe('with objects for Prometheus', () => {
    const labels = { release: 'kube-prometheus' };
    const metrics = { serviceMonitor: { enabled: true, interval: '15s', labels }, rules: { enabled: true, labels } };
    const policy = TOKENS.replace('gateway: {', 'gateway: { health: { listen: 8081 },');
    const given: Given = { policy, values: { metrics: { ...metrics, dashboard: { enabled: true } } } };
    const spec = (kind: string, name?: string, of = given) => find(of, kind, name)?.spec as unknown as Parts;
    type Parts = Readonly<Record<string, unknown>>;

    test('passes helm lint, and none of them is there by default', () => {
      expect(helm(['lint', CHART, '--strict'], given).stdout).toContain('1 chart(s) linted, 0 chart(s) failed');
      const others = (objects: readonly KubeObject[]) => kinds(objects).filter((kind) => kind !== 'Service');
      const more = ['ConfigMap', 'PrometheusRule', 'ServiceMonitor'];
      expect(others(chartObjects(given))).toEqual([...others(chartObjects({ policy })), ...more].toSorted());
    });

    test('lets the ServiceMonitor find the health port of each pod', () => {
      const service = find(given, 'Service', 'gw-meshgate-metrics');
      const monitor = find(given, 'ServiceMonitor');
      const pod = find(given, 'Deployment').spec.template;
      const { selector, ports, clusterIP } = service.spec as never as {
        selector: Record<string, string>;
        ports: { name: string; targetPort: string; port: number }[];
        clusterIP: string;
      };
      expect([clusterIP, ports]).toEqual(['None', [{ name: 'metrics', port: 8081, targetPort: 'health' }]]);
      expect(pod.metadata).toMatchObject({ labels: selector });
      expect(pod.spec.containers[0]?.ports).toContainEqual({ name: 'health', containerPort: 8081 });
      expect(monitor.metadata.labels).toMatchObject(labels);
      expect(monitor.spec).toEqual({
        selector: { matchLabels: expect.any(Object) },
        endpoints: [{ port: 'metrics', path: '/.meshgate/metrics', interval: '15s' }],
      });
      const { matchLabels } = (monitor.spec as never as { selector: { matchLabels: Record<string, string> } }).selector;
      const found = chartObjects(given).filter(
        ({ kind, metadata }) =>
          kind === 'Service' && Object.entries(matchLabels).every(([name, value]) => metadata.labels?.[name] === value),
      );
      expect(found.map(({ metadata }) => metadata.name)).toEqual(['gw-meshgate-metrics']);
    });

    test('has the alert rules and the dashboard as they are in the folder monitoring', () => {
      const read = (name: string) => readFileSync(`${CHART}/monitoring/${name}`, 'utf8');
      expect(spec('PrometheusRule')).toEqual(parse(read('alerts.yaml')));
      const { data, metadata } = find(given, 'ConfigMap', 'gw-meshgate-dashboard') as never as {
        data: Record<string, string>;
        metadata: KubeObject['metadata'];
      };
      expect(JSON.parse(data['meshgate.json'] ?? '')).toEqual(JSON.parse(read('dashboard.json')));
      expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    });

    test('opens the health port for the pods of the cluster, or only for the listed peers', () => {
      const rules = (of: Given) =>
        (spec('NetworkPolicy', undefined, of).ingress as readonly { ports: readonly { port: number }[] }[]).filter(
          ({ ports }) => ports[0]?.port === 8081,
        );
      const ports = [{ port: 8081, protocol: 'TCP' }];
      const peers = [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }];
      expect(rules({ policy })).toEqual([]);
      expect(rules(given)).toEqual([{ ports, from: [{ namespaceSelector: {} }] }]);
      expect(rules({ policy, values: { networkPolicy: { metrics: peers } } })).toEqual([{ ports, from: peers }]);
      expect(rules({ policy, values: { metrics, networkPolicy: { metrics: peers } } })).toEqual([
        { ports, from: peers },
      ]);
    });

    test('is refused without a port, with a sentence that says what to write', () => {
      const local = TOKENS.replace('gateway: {', 'gateway: { health: { listen: "127.0.0.1:8081" },');
      for (const one of [TOKENS, local]) {
        expect(chartRefusal({ policy: one, values: { metrics } })).toContain('write gateway.health: { listen: 8081 }');
      }
    });
  });

  test('a changed policy changes no pod, unless the values ask for a restart', () => {
    const pod = (policy: string, values = {}) => find({ policy, values }, 'Deployment').spec.template;
    const other = TOKENS.replaceAll('staff', 'readers');
    expect(pod(other)).toEqual(pod(TOKENS));
    const restart = { restartOnPolicyChange: true };
    expect(pod(other, restart)).not.toEqual(pod(TOKENS, restart));
  });

  test('every pod has a read-only root, no capability, no token, and an end that is long enough', () => {
    for (const [name, given] of combinations) {
      for (const { kind, spec } of chartObjects(given) as readonly Workload[]) {
        if (!['Deployment', 'StatefulSet', 'Job'].includes(kind)) continue;
        const pod = spec.template.spec;
        expect(pod.automountServiceAccountToken, name).toBe(false);
        if (kind === 'Deployment') expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(25 + 5);
        for (const { securityContext } of [
          ...pod.containers,
          ...((pod.initContainers ?? []) as PodSpec['containers']),
        ]) {
          expect(securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
        }
      }
    }
  });

  test('asks meshes not to give their proxies to the pods, unless the values of the gateway say so', () => {
    const pods = (given: Given) =>
      (chartObjects(given) as readonly Workload[]).flatMap(({ kind, spec }) =>
        ['Deployment', 'StatefulSet', 'Job'].includes(kind) ? [[kind, spec.template.metadata] as const] : [],
      );
    const etcd = COMBINATIONS["sessions and the chart's etcd"]!;
    const none = {
      labels: expect.objectContaining({ 'sidecar.istio.io/inject': 'false' }),
      annotations: { 'linkerd.io/inject': 'disabled', 'consul.hashicorp.com/connect-inject': 'false' },
    };
    expect(
      pods(etcd)
        .map(([kind]) => kind)
        .toSorted(),
    ).toEqual(['Deployment', 'Job', 'StatefulSet']);
    for (const [, metadata] of pods(etcd)) expect(metadata).toEqual(none);
    const values = { ...etcd.values, podLabels: { 'sidecar.istio.io/inject': 'true' } };
    const given = Object.fromEntries(pods({ ...etcd, values }));
    expect(given.Deployment).toMatchObject({ labels: { 'sidecar.istio.io/inject': 'true' } });
    expect(given.Job).toEqual(none);
  });

  test('leaves users and groups to OpenShift', () => {
    for (const { kind, spec } of chartObjects(COMBINATIONS.OpenShift!) as readonly Workload[]) {
      if (!['Deployment', 'StatefulSet', 'Job'].includes(kind)) continue;
      expect(JSON.stringify(spec.template.spec)).not.toMatch(/runAsUser|runAsGroup|fsGroup"/);
    }
  });

  test('checks the new policy before an install and an upgrade, with the files and variables of the gateway', () => {
    const objects = chartObjects(COMBINATIONS['overlays and variables']!);
    const hooks = objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] !== undefined);
    expect(hooks.map(({ kind, metadata }) => [kind, metadata.annotations?.['helm.sh/hook-weight']])).toEqual([
      ['ConfigMap', '-10'],
      ['Job', '-5'],
    ]);
    for (const { metadata } of hooks) {
      expect(metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
      expect(metadata.annotations?.['helm.sh/hook-delete-policy']).toBe('before-hook-creation,hook-succeeded');
    }
    const [container] = (hooks[1] as Workload).spec.template.spec.containers;
    expect(container?.args).toEqual(
      'meshgate validate --overlay /etc/meshgate/prod.yaml --env PEOPLE --env STAGE /etc/meshgate/meshgate.yaml'.split(
        ' ',
      ),
    );
    expect(container?.env).toEqual([
      { name: 'PEOPLE', value: '10000000' },
      { name: 'STAGE', value: 'default' },
    ]);
    const live = objects.find(({ metadata }) => metadata.name === 'gw-meshgate-policy');
    expect((hooks[0] as { data?: object }).data).toEqual((live as { data?: object } | undefined)?.data);
  });

  test.each<[string, Given, RegExp]>([
    ['no policy', {}, /policy is missing/],
    ['a policy as a mapping, whose order Helm loses', { values: { policy: { version: 1 } } }, /policy is a mapping/],
    ['a policy that is no YAML', { policy: '{' }, /policy is not a YAML mapping/],
    [
      'an overlay that is no YAML',
      {
        policy: TOKENS,
        values: { policyFiles: { 'o.yaml': '[' }, overlays: ['o.yaml'] },
      },
      /policyFiles\."o\.yaml" is not a YAML mapping/,
    ],
    ['an overlay without its file', { policy: TOKENS, values: { overlays: ['o.yaml'] } }, /not in policyFiles/],
    ['a file outside the folder', { policy: TOKENS, values: { policyFiles: { '../x': 'x' } } }, /a path below/],
    ['a file as a mapping', { policy: TOKENS, values: { policyFiles: { x: { a: 1 } } } }, /is not a text/],
    ['two stores', { policy: sessions(STORE), values: { etcd: { enabled: true } } }, /remove one of them/],
    ['an etcd that nothing uses', { policy: TOKENS, values: { etcd: { enabled: true } } }, /has no gateway\.session/],
    ['two replicas with sessions and no store', { policy: sessions(), values: { replicas: 2 } }, /must share/],
    [
      'autoscaling with sessions and no store',
      {
        policy: sessions(),
        values: { autoscaling: { enabled: true } },
      },
      /must share/,
    ],
    [
      'replicas and autoscaling',
      {
        policy: TOKENS,
        values: { replicas: 2, autoscaling: { enabled: true } },
      },
      /both set/,
    ],
    ['probes over HTTP without a port', { policy: TOKENS, values: { probes: 'http' } }, /no port for them/],
    [
      'probes over HTTP at a port of the loopback',
      {
        policy: TOKENS.replace('gateway: {', 'gateway: { health: { listen: 127.0.0.1:8081 },'),
        values: { probes: 'http' },
      },
      /not on 127\.0\.0\.1/,
    ],
    [
      'a folder from nowhere',
      { policy: TOKENS, values: { files: [{ path: '/run/x' }] } },
      /one of secret and configMap/,
    ],
    [
      'a folder from two places',
      {
        policy: TOKENS,
        values: { files: [{ path: '/run/x', secret: 'a', configMap: 'b' }] },
      },
      /one of secret and configMap/,
    ],
    [
      "the gateway's own folder",
      {
        policy: TOKENS,
        values: { files: [{ path: '/run/meshgate', secret: 'a' }] },
      },
      /belongs to the gateway/,
    ],
    ...['/run/meshgate/x', '/etc/meshgate/teams', '/lib', '/run', '/etc/nginx'].map((path): [string, Given, RegExp] => [
      `the folder ${path}`,
      { policy: TOKENS, values: { files: [{ path, secret: 'a' }] } },
      /belongs to the gateway/,
    ]),
    ...['/run/x/', '/run/../etc/meshgate'].map((path): [string, Given, RegExp] => [
      `the folder ${path}`,
      { policy: TOKENS, values: { files: [{ path, secret: 'a' }] } },
      /the folder .*: write \/(run\/x|etc\/meshgate)$/m,
    ]),
    [
      'an SVID in the folder of the policy',
      { policy: TOKENS, values: { svid: { source: 'spire', identities: { '/etc/meshgate': 'a' } } } },
      /belongs to the gateway/,
    ],
    [
      'a folder of files and of an SVID',
      {
        policy: TOKENS,
        values: { files: [{ path: '/run/x', secret: 'a' }], svid: { source: 'cert-manager', path: '/run/x' } },
      },
      /have the same folder/,
    ],
    [
      'a log in a folder of the pod',
      { policy: sealed('log: /run/meshgate/access.log') },
      /audit\.log needs a volume at/,
    ],
    [
      'a sealed log that hides the state',
      { policy: sealed('folder: /var/lib/meshgate') },
      /audit\.folder needs a volume/,
    ],
    [
      'a sealed log in the folder of a Secret',
      { policy: sealed('folder: /run/x'), values: { files: [{ path: '/run/x', secret: 'a' }] } },
      /have the same folder/,
    ],
    [
      'a hint in two folders',
      { policy: TOKENS, values: { svid: { source: 'spire', identities: { '/run/a': 'x', '/run/b': 'x' } } } },
      /a hint twice/,
    ],
    [
      "a variable of the image's own",
      { policy: TOKENS, values: { variables: { MESHGATE_WATCH: 'off' } } },
      /another name/,
    ],
    [
      'a label by which the chart selects pods',
      { policy: TOKENS, values: { podLabels: { 'app.kubernetes.io/component': 'etcd' } } },
      /remove it/,
    ],
    [
      'more replicas at least than at most',
      { policy: TOKENS, values: { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 2 } } },
      /the smaller number/,
    ],
    ['SPIRE without identities', { policy: TOKENS, values: { svid: { source: 'spire' } } }, /identities is empty/],
    [
      'identities without SPIRE',
      { policy: TOKENS, values: { svid: { identities: { '/x': 'y' } } } },
      /svid\.source: spire/,
    ],
    [
      'one Secret of two',
      {
        policy: sessions(),
        values: { etcd: { enabled: true, tls: { source: 'secrets', serverSecret: 's' } } },
      },
      /name both/,
    ],
    [
      'a Secret that nothing uses',
      {
        policy: sessions(),
        values: { etcd: { enabled: true, tls: { serverSecret: 's' } } },
      },
      /need etcd\.tls\.source: secrets/,
    ],
    ['two members of etcd', { policy: sessions(), values: { etcd: { enabled: true, members: 2 } } }, /members/],
    ['a value that does not exist', { policy: TOKENS, values: { replica: 2 } }, /replica/],
    ['an end that is too short', { policy: TOKENS, values: { terminationGracePeriodSeconds: 30 } }, /Seconds/],
  ])('refuses %s', (_, given, words) => {
    expect(chartRefusal(given)).toMatch(words);
  });
});

describeWith(lacksHelm() ?? lacksMesh(), 'a real API server', async () => {
  const stage = await testStage('chart');
  let kube: Kube;
  beforeAll(async () => {
    kube = await startKube(stage);
    await installDefinitions(kube, readFileSync(CERT_MANAGER, 'utf8'));
    await kube.namespace('edge');
    const metadata = { name: 'edge', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
    const namespace = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata });
    await kube.api.ask('PATCH', '/api/v1/namespaces/edge?fieldManager=test', namespace, 'application/apply-patch+yaml');
  });

  /** The pod that a controller would make. */
  const podOf = ({ metadata, spec }: Workload): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...spec.template.metadata, name: metadata.name, namespace: 'edge' },
    spec: {
      restartPolicy: 'Always',
      ...spec.template.spec,
      volumes: [
        ...spec.template.spec.volumes,
        ...(spec.volumeClaimTemplates ?? []).map((claim) => ({
          name: claim.metadata.name,
          persistentVolumeClaim: { claimName: `${claim.metadata.name}-${metadata.name}-0` },
        })),
      ],
    },
  });
  const seen = new Set<string>();
  const workloads = (given: Given) =>
    chartObjects(given).filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind)) as Workload[];

  test.each(combinations)(
    'accepts every object, and the pods under Pod Security "restricted": %s',
    async (_, given) => {
      // Most objects are those of an earlier combination.
      const objects = [...chartObjects(given), ...workloads(given).map(podOf)].filter(
        (it) => !seen.has(JSON.stringify(it)),
      );
      expect(await kube.refusals(objects)).toEqual([]);
      for (const object of objects) seen.add(JSON.stringify(object));
    },
  );

  test('refuses the pods without their security context, so the check above can fail', async () => {
    for (const workload of workloads(COMBINATIONS["sessions and the chart's etcd"]!)) {
      const { securityContext, ...open } = workload.spec.template.spec;
      const pod = podOf({
        ...workload,
        spec: { ...workload.spec, template: { ...workload.spec.template, spec: open } },
      });
      expect(await kube.refusals(pod)).toEqual([expect.stringContaining('violates PodSecurity "restricted')]);
    }
  });
});
