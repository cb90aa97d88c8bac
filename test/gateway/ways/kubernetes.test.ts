/**
 * docs/kubernetes.md as its reader types it: Helm and kubectl talk to a real API server, and Docker runs the pods that it
 * then has. There is no node and no controller, so the test does what they do (test/mesh/chart/node.ts).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRing } from '../../../src/session/keys/rotate-ring.ts';
import { docker } from '../../harness/docker.ts';
import { execIn } from '../../harness/exec.ts';
import { type Followed, follow, inFolder } from '../../harness/follow.ts';
import { readGuide } from '../../harness/guide.ts';
import { etcdImage } from '../../harness/images.ts';
import { type Echo, type Issuer, send, startEcho, startIssuer, testStage, until } from '../../harness/index.ts';
import { describeWith } from '../../harness/needs.ts';
import { HELM, lacksHelm } from '../../mesh/chart/helm.ts';
import { Node, type Pod } from '../../mesh/chart/node.ts';
import { type Kube, lacksMesh, startKube } from '../../mesh/lab/index.ts';

const PAGE = 'docs/kubernetes.md';
const HOST = 'wiki.example.com';

describeWith(lacksHelm() ?? lacksMesh(), PAGE, async () => {
  const stage = await testStage('kubernetes');
  mkdirSync('test-results', { recursive: true });
  const folder = mkdtempSync(resolve('test-results', 'kubernetes-'));
  chmodSync(folder, 0o755);
  afterAll(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });
  let [kube, node, issuer, echo] = [] as unknown as [Kube, Node, Issuer, Echo];
  let token = '';
  let pods: readonly Pod[] = [];
  let followed = {} as Followed;
  const env = {
    HOME: folder,
    PATH: `${join(folder, 'bin')}:/usr/bin:/bin`,
    KUBECONFIG: join(folder, 'kubeconfig'),
    CURL_CA_BUNDLE: join(folder, 'public.pem'),
  };
  const place = inFolder(folder, env);
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };

  beforeAll(async () => {
    const [started, server, service] = await Promise.all([
      startKube(stage),
      startIssuer(stage),
      startEcho(stage, { alias: 'wiki.internal', tls: true }),
    ]);
    kube = started;
    echo = service;
    issuer = await server.create('okta');
    token = await issuer.sign({ aud: 'api://wiki', sub: 'ada', groups: ['staff'] });
    mkdirSync(join(folder, 'bin'));
    symlinkSync(HELM, join(folder, 'bin/helm'));
    await docker('cp', `${kube.box.started.getId()}:/usr/local/bin/kubectl`, join(folder, 'bin/kubectl'));
    symlinkSync(resolve('nginx'), join(folder, 'nginx'));
    const { cert, key } = await stage.ca.server([HOST]);
    const kubeconfig = JSON.parse(kube.kubeconfig);
    Object.assign(kubeconfig.clusters[0].cluster, {
      server: `https://${kube.box.host}:6443`,
      'tls-server-name': 'localhost',
    });
    write({
      kubeconfig: JSON.stringify(kubeconfig),
      'tls.crt': cert,
      'tls.key': key,
      'ca.pem': stage.meshCa.cert + stage.ca.cert,
      'public.pem': stage.ca.cert,
      token,
    });
    mkdirSync(join(folder, 'volumes'), { mode: 0o755 });
    node = new Node(kube, stage, 'edge', join(folder, 'volumes'));
  });

  /** What the controllers and the load balancer do while the reader waits. */
  async function cluster(): Promise<string> {
    const { log } = await node.runJob('gateway-meshgate-policy-check');
    const name = 'gateway-meshgate';
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'edge' } };
    await until(() => kube.read(deployment), { what: 'the Deployment', everyMs: 100 });
    pods = await node.start('Deployment', name);
    await Promise.all(pods.map((pod) => pod.ready()));
    // The reader reads the address right after the rollout, which the last status ends.
    await kube.applyStatus({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'edge' },
      status: { loadBalancer: { ingress: [{ ip: pods[0]!.address }] } },
    });
    await node.report(name);
    return log;
  }

  test('ends with a protected page and a rejected forgery', async () => {
    const steps = readGuide(PAGE, {
      sections: ['Install it', 'Try it'],
      replace: {
        'issuer: https://example.okta.com/oauth2/default': `issuer: ${issuer.url}, kind: okta, ca_file: /run/mesh/ca.pem`,
        // The pod's own port, because there is no load balancer.
        '$ADDRESS:443': '$ADDRESS:8443',
      },
    });
    const [checked] = await Promise.all([
      cluster(),
      follow(steps, place).then((done) => {
        followed = done;
      }),
    ]);
    expect(checked).toContain('2 tests pass');
    expect(pods).toHaveLength(2);
    expect(followed.output('Bearer $TOKEN')).toContain('"service":"wiki.internal"');
    expect(followed.output('wrong"')).toContain('signature_invalid');
  });

  /** An upgrade with another policy; the Job runs meanwhile. */
  async function upgrade(policy: string) {
    write({ 'meshgate.yaml': policy });
    const name = 'gateway-meshgate-policy-check';
    const command =
      'helm upgrade gateway nginx/chart --namespace edge --values values.yaml --set-file policy=meshgate.yaml';
    const ran = place(command);
    const job = await node.runJob(name);
    return { ...job, ...(await ran) };
  }
  const policyOf = () => readFileSync(join(folder, 'meshgate.yaml'), 'utf8');
  const ask = (pod: Pod, path: string, as = token) =>
    send({ host: pod.address, port: 8443, tls: true, name: HOST, ca: stage.ca.cert }, { path, token: as });

  test('a policy whose tests fail stops the upgrade, and nothing in the cluster changes', async () => {
    const live = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'gateway-meshgate-policy', namespace: 'edge' },
    };
    const [before, good] = [await kube.read(live), policyOf()];
    const { passed, log, exitCode, stderr } = await upgrade(good.replace('credential_missing', 'role_missing'));
    expect([passed, exitCode]).toEqual([false, 1]);
    expect(stderr).toContain('pre-upgrade hooks failed');
    expect(log).toMatch(/tests\[1\][\s\S]*credential_missing/);
    expect(await kube.read(live)).toEqual(before);
    write({ 'meshgate.yaml': good });
  });

  test('a changed policy is loaded by all pods without a restart, once the kubelet has changed the files', async () => {
    expect(await Promise.all(pods.map(async (pod) => (await ask(pod, '/new')).status))).toEqual([200, 200]);
    const narrower = policyOf().replace('    /*:', '    /only/*:').replaceAll(`${HOST}/,`, `${HOST}/only/x,`);
    const { exitCode, stderr } = await upgrade(narrower);
    expect([exitCode, stderr]).toEqual([0, '']);
    await node.refresh();
    for (const pod of pods) {
      await until(async () => (await ask(pod, '/new')).status === 404, { what: 'the new policy', help: () => pod.id });
      expect((await ask(pod, '/only/x')).status).toBe(200);
      expect(await docker('inspect', '--format', '{{.State.Running}} {{.RestartCount}}', pod.id)).toBe('true 0');
    }
  });

  let gateways: readonly Pod[] = [];
  test("with sessions, replicas share what is revoked through the chart's etcd", async () => {
    const keys = newRing(Date.now() / 1000);
    const [repository, tag] = etcdImage.split(/:(?=[^:]*$)/);
    write({
      'shared.yaml': `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  audit: {}
providers:
  okta:
    issuer: ${issuer.url}
    kind: okta
    ca_file: /run/mesh/ca.pem
    audiences: [api://wiki]
    client: { id: wiki, secret_file: /run/secrets/okta }
roles: { staff: { group: staff } }
services: { wiki: { url: https://wiki.internal:8443, ca_file: /run/mesh/ca.pem } }
hosts: { ${HOST}: { /*: { service: wiki, allow: [staff] } } }
`,
      'shared-values.yaml': JSON.stringify({
        files: [
          { path: '/run/tls', secret: 'wiki-tls' },
          { path: '/run/mesh', configMap: 'mesh-ca' },
          { path: '/run/secrets', secret: 'meshgate-keys' },
        ],
        etcd: { enabled: true, image: { repository, tag } },
        policyCheck: { enabled: false },
      }),
      'session.jwks': keys,
      okta: 'a secret of the tests that is long enough',
    });
    const commands = [
      'kubectl --namespace edge create secret generic meshgate-keys --from-file session.jwks --from-file okta',
      'helm install shared nginx/chart --namespace edge --values shared-values.yaml --set-file policy=shared.yaml',
    ];
    for (const command of commands) expect(await place(command)).toMatchObject({ exitCode: 0, stderr: '' });
    const members = await node.start('StatefulSet', 'shared-meshgate-etcd');
    gateways = await node.start('StatefulSet', 'shared-meshgate');
    expect([members.length, gateways.length]).toEqual([3, 2]);
    await Promise.all(gateways.map((pod) => pod.ready()));
    const statuses = () => Promise.all(gateways.map(async (pod) => (await ask(pod, '/')).status));
    await until(async () => (await statuses()).every((status) => status === 200), { what: 'both replicas to answer' });
    const revoked = await gateways[0]!.exec('meshgate', 'revoke', '--subject', 'okta/ada');
    expect(revoked.exitCode, revoked.stderr).toBe(0);
    await until(async () => (await statuses()).every((status) => status === 401), { what: 'both replicas to know it' });
    expect((await ask(gateways[1]!, '/')).text).toContain('revoked');
    // Other certificates would part the members, and the gateways from them.
    const certificates = () =>
      Promise.all(
        ['server', 'client'].map(async (side) => {
          const metadata = { name: `shared-meshgate-etcd-${side}`, namespace: 'edge' };
          const secret = await kube.read({ apiVersion: 'v1', kind: 'Secret', metadata });
          return (secret as { data?: Readonly<Record<string, string>> } | undefined)?.data;
        }),
      );
    const made = await certificates();
    expect(made.map((data) => Object.keys(data ?? {}))).toEqual(Array(2).fill(['ca.crt', 'tls.crt', 'tls.key']));
    const upgraded = commands[1]!.replace('install', 'upgrade');
    expect(await place(upgraded)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await certificates()).toEqual(made);
  });

  test('each replica seals a log of its own to its last line, whose key its gateway cannot read', async () => {
    const [log, sealed] = ['/var/log/meshgate/access.log', '/var/lib/meshgate/audit'];
    const other = await issuer.sign({ aud: 'api://wiki', sub: 'ben', groups: ['staff'] });
    const seen = gateways.map(async (pod) => {
      const hasKey = async (id: string) => (await execIn(id, ['cat', '/var/lib/meshgate-key/key'])).exitCode === 0;
      expect([await hasKey(pod.beside.get('seal')!), await hasKey(pod.id)]).toEqual([true, false]);
      expect((await pod.exec('rm', `${sealed}/checkpoint`)).stderr).toContain('Read-only file system');
      const first = (await pod.exec('cat', `${sealed}/keys/first`)).stdout.trim();
      expect(first).toContain(`${HOST}/meshgate/${pod.name}+`);
      const live = await pod.exec('meshgate', 'audit', 'verify', log, '--log-folder', sealed, '--key', first);
      expect([live.exitCode, live.stderr]).toEqual([0, '']);

      // A request that ends after nginx was told to end: its line is the last one.
      const path = `/last-of-${pod.name}`;
      const last = ask(pod, `${path}?echo-hold=${pod.name}`, other);
      await until(async () => (await echo.held(pod.name)) === 1, { what: 'the last request at the service' });
      const ended = pod.end();
      const isClosed = () =>
        ask(pod, '/').then(
          () => false,
          () => true,
        );
      await until(isClosed, { what: 'the gateway to close its listener' });
      await echo.release(pod.name);
      expect((await last).status).toBe(200);
      expect(await ended).toEqual(['0', '0']);
      const folder = pod.volumes.get('audit')!;
      const lines = readFileSync(join(folder, 'log/access.log'), 'utf8').trimEnd().split('\n');
      expect(JSON.parse(lines.at(-1)!)['url.path']).toBe(path);
      const args = ['verify', join(folder, 'log/access.log'), '--log-folder', join(folder, 'sealed'), '--key', first];
      const reported = execFileSync('node', ['dist/cli.js', 'audit', ...args, '--format', 'json'], {
        encoding: 'utf8',
      });
      expect(JSON.parse(reported)).toMatchObject({
        valid: true,
        lines: lines.length,
        sealed: lines.length,
        unsealed: null,
      });
      return JSON.parse(lines[0]!)['meshgate.policy'];
    });
    // The name of the replica does not count for the digest.
    expect(new Set(await Promise.all(seen)).size).toBe(1);
  });
});
