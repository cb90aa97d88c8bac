/** A real Prometheus scrapes a real gateway: every query of the dashboard has data, and every alert rule is evaluated. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { exposition } from '../../src/health/exposition.ts';
import { metrics } from '../../src/njs/metrics/table.ts';
import { newRing } from '../../src/session/rotate-ring.ts';
import { etcdImage } from '../harness/images.ts';
import { replaceIn, startContainer, startGateway, startIssuer, testStage, until } from '../harness/index.ts';

const monitoring = (name: string) => readFileSync(`nginx/chart/monitoring/${name}`, 'utf8');
const alerts = monitoring('alerts.yaml');

/** Metrics of what this scene does not have: a mesh that is probed, replicas, sign-ins. A second target has them. */
const ELSEWHERE = new Set([
  'meshgate_mesh_enforcing',
  'meshgate_mesh_probe_failed',
  'meshgate_revocations_lag_seconds',
  'meshgate_revocations_total',
  'meshgate_session_events_total',
  'meshgate_session_refreshes_total',
  'meshgate_signin_refusals_total',
]);
const sample = exposition(
  metrics
    .filter(({ name }) => ELSEWHERE.has(name))
    .map((metric) => ({ ...metric, read: () => [[metric.labels, 0] as const] })),
  undefined as never,
);

const stage = await testStage('prometheus');
const issuers = await startIssuer(stage);
const acme = await issuers.create('acme');
const now = Math.floor(Date.now() / 1000);
const spiffe = 'spiffe://example.org/gateway';
const soon = await stage.meshCa.client(spiffe, {
  notBefore: new Date((now - 3000) * 1000),
  notAfter: new Date((now + 600) * 1000),
});
const ring = { keys: JSON.parse(newRing(now)).keys.map((key: object) => ({ ...key, until: now + 3600 })) };

const gateway = await startGateway(stage, {
  policy: `version: 1
gateway:
  insecure_http: true
  listen: 8080
  health: { listen: 8081 }
  proof: { nonce: true, keys_file: /run/keys/proof.jwks }
  audit:
    log: /run/meshgate/access.log
    folder: /run/audit
    witnesses: [{ url: "http://nowhere.test", key: witness.example.com/w+0040556d+BG6v45DyocJMgw1GfYrb84SURBg4I1lFDX6vFovqgwA/ }]
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles: { staff: { group: staff } }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress: { address: "nowhere.test:8443", ca_file: /run/mesh/ca.pem }
  identities: { default: { spiffe: "${spiffe}", svid_dir: /run/spiffe/default }, other: { spiffe: "${spiffe}-2", svid_dir: /run/spiffe/other } }
services: { wiki: { authority: wiki.mesh } }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [ staff ] }
    /other/*: { service: wiki, allow: [ { role: staff, as: other } ] }
    /public/*: { service: wiki, allow: [ anyone ], limit: { rate: 1/h, burst: 1 } }
`,
  // The test plays the sealer.
  env: { MESHGATE_SEAL: 'off' },
  files: {
    '/run/spiffe/default/svid.pem': soon.cert,
    '/run/spiffe/default/svid_key.pem': soon.key,
    '/run/spiffe/other/svid.pem': null,
    '/run/keys/proof.jwks': JSON.stringify(ring),
    '/run/audit/status.json': JSON.stringify({ time: now - 600, size: 5, lag_s: 300, lag_bytes: 9, error: 'no room' }),
    '/run/sample/metrics.txt': sample,
  },
  mutate: (files) =>
    replaceIn(
      files,
      'http.conf',
      'location = /.meshgate/healthz',
      'location = /sample { alias /run/sample/metrics.txt; }\nlocation = /.meshgate/healthz',
    ),
});

const prometheus = await startContainer(stage, {
  image: etcdImage,
  alias: 'prometheus',
  files: {
    '/etc/prometheus/prometheus.yml': `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [alerts.yaml]
scrape_configs:
  - { job_name: meshgate, metrics_path: /.meshgate/metrics, static_configs: [{ targets: ["gateway:8081"] }] }
  - { job_name: sample, metrics_path: /sample, static_configs: [{ targets: ["gateway:8081"] }] }
`,
    '/etc/prometheus/alerts.yaml': alerts,
    '/tmp/alerts.test.yaml': readFileSync('test/gateway/prometheus/alerts.test.yaml'),
  },
  command: ['prometheus', '--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/tmp/data'],
  memory: 512,
  ready: /Server is ready to receive web requests/,
});

/** A request to Prometheus' API. */
async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`http://${prometheus.host}:9090/api/v1/${path}`);
  const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
  if (status !== 'success') throw new Error(`${path}: ${error}`);
  return data;
}
const query = async (expr: string) =>
  (
    await ask<{ result: readonly { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    )
  ).result;

const token = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['staff'] });

test('Prometheus scrapes the gateway, and counts are those of the requests', async () => {
  // No service answers here. A request that passes the check gets 502.
  await until(
    async () => (await gateway.send('wiki.test', { headers: { Authorization: `Bearer ${token}` } })).status === 502,
    { what: 'the keys of the provider', help: () => gateway.box.logs.tail() },
  );
  for (const path of ['/', '/other/', '/public/', '/public/']) await gateway.send('wiki.test', { path });
  const refused = 'sum by (route, reason) (meshgate_decisions_total{decision="refused"})';
  const found = async () =>
    (await query(refused))
      .map(({ metric: { route, reason }, value: [, count] }) => `${route} ${reason} ${count}`)
      .sort();
  const wanted = [
    'wiki.test/* credential_missing 1',
    'wiki.test/other/* credential_missing 1',
    'wiki.test/public/* limit_exceeded 1',
  ];
  let last: string[] = [];
  await until(
    async () => {
      last = (await found()).filter((line) => !line.includes('keys_unavailable'));
      return wanted.every((line) => last.includes(line));
    },
    { what: 'the counts', help: () => last.join(', ') },
  );
});

test('promtool finds nothing wrong with the metrics, and its tests of the alerts pass', async () => {
  await prometheus.write({ '/tmp/metrics.txt': (await gateway.health('/.meshgate/metrics')).text });
  const check = await prometheus.exec('sh', '-c', 'promtool check metrics < /tmp/metrics.txt');
  expect([check.exitCode, check.stdout + check.stderr]).toEqual([0, '']);
  const rules = await prometheus.exec('promtool', 'check', 'rules', '/etc/prometheus/alerts.yaml');
  expect(rules.exitCode, rules.stderr).toBe(0);
  const tests = await prometheus.exec('promtool', 'test', 'rules', '/tmp/alerts.test.yaml');
  expect(tests.exitCode, tests.stderr).toBe(0);
});

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(monitoring('dashboard.json')) as { readonly panels: readonly Panel[] };
const queries = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

test('the dashboard uses every metric, and no other', () => {
  const used = new Set(
    queries.flatMap(({ expr }) => expr.match(/meshgate_\w+/g) ?? []).map((name) => name.replace(/_bucket$/, '')),
  );
  expect([...used].sort()).toEqual(metrics.map(({ name }) => name).sort());
});

test('every query of the dashboard has data', async () => {
  expect(queries.length).toBeGreaterThan(30);
  let empty: string[] = [];
  await until(
    async () => {
      const results = await Promise.all(
        queries.map(async ({ title, expr }) => {
          const plain = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m');
          return (await query(plain)).length === 0 ? [`${title}: ${plain}`] : [];
        }),
      );
      empty = results.flat();
      return empty.length === 0;
    },
    { what: 'data for every query', help: () => empty.join('\n') },
  );
});

test('every alert rule is evaluated, and those of this scene are raised', async () => {
  // As the image's watcher leaves them, which is off here.
  await gateway.box.write({ '/run/meshgate/watch.turn': '', '/run/meshgate/watch.rejected': 'line 3: no such role\n' });
  interface Rule {
    readonly name: string;
    readonly health: string;
    readonly lastError?: string;
    readonly state: string;
  }
  const raised = [
    'MeshgateCertificateExpiring',
    'MeshgateChangeRejected',
    'MeshgateFileProblem',
    'MeshgateKeysExpiring',
    'MeshgateMeshNotEnforcing',
    'MeshgateNotReady',
    'MeshgatePartFailed',
    'MeshgateSealBehind',
    'MeshgateSealError',
    'MeshgateSealStopped',
    'MeshgateWitnessOld',
  ];
  const names = parse(alerts).groups.flatMap(({ rules }: { rules: { alert: string }[] }) =>
    rules.map((rule) => rule.alert),
  );
  let rules: readonly Rule[] = [];
  await until(
    async () => {
      rules = (await ask<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap((group) => group.rules);
      return (
        rules.every(({ health }) => health === 'ok') &&
        raised.every((name) => rules.find((it) => it.name === name)?.state !== 'inactive')
      );
    },
    { what: 'the alerts', help: () => JSON.stringify(rules) },
  );
  expect(rules.map(({ name }) => name)).toEqual(names);
  expect(
    rules
      .filter(({ state }) => state !== 'inactive')
      .map(({ name }) => name)
      .sort(),
  ).toEqual(raised);
});
