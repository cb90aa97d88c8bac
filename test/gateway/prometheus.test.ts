/** A real Prometheus scrapes a real gateway: every query of the dashboard has data, and every alert rule is evaluated. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { metrics } from '../../src/njs/metrics/handler.ts';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { askPrometheus, dashboardQueries, OF_THE_MESH, queryPrometheus } from '../harness/dashboard.ts';
import { etcdImage } from '../harness/images.ts';
import {
  counting,
  MANY_SIGNINS,
  metric,
  newAgent,
  readyToSignIn,
  replaceIn,
  Sealer,
  startContainer,
  startEtcd,
  startGateway,
  startSso,
  testStage,
  until,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const alerts = readFileSync('nginx/chart/monitoring/alerts.yaml', 'utf8');

const stage = await testStage('prometheus');
const host = 'wiki.example.com';
const home = `https://${host}:8443`;
const now = Math.floor(Date.now() / 1000);
const spiffe = 'spiffe://example.org/gateway';
const soon = await stage.meshCa.client(spiffe, {
  notBefore: new Date((now - 3000) * 1000),
  notAfter: new Date((now + 600) * 1000),
});
const proofs = { keys: JSON.parse(newRing(now)).keys.map((key: object) => ({ ...key, until: now + 3600 })) };
const ring = newRing(now - 7200);
/** More routes than the zone of counters has room for in the last test. */
const ROUTES = 200;
const [sso, etcd] = await Promise.all([startSso(stage, { origins: [home] }), startEtcd(stage, 1)]);

const gateway = await startGateway(stage, {
  policy: `version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  health: { listen: 8081 }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
  store: { etcd: ["${etcd.urls[0]}"], ca_file: /run/etcd/ca.pem, cert_file: /run/etcd/cert.pem, key_file: /run/etcd/key.pem }
  proof: { nonce: true, keys_file: /run/keys/proof.jwks }
  mesh_probe: { every: 5s }
  audit:
    log: /run/meshgate/access.log
    folder: /run/audit
    witnesses: [{ url: "http://nowhere.test", key: witness.example.com/w+0040556d+BG6v45DyocJMgw1GfYrb84SURBg4I1lFDX6vFovqgwA/ }]
providers:
  sso:
    issuer: ${sso.issuer}
    ca_file: /run/provider-ca.pem
    audiences: [wiki]
    client: { id: wiki, secret_file: /run/secrets/sso }
    signin: { scopes: [openid, email, groups, offline_access] }
roles: { staff: { group: staff } }
mesh:
  kind: envoy
  trust_domain: example.org
  ingress:
    address: "nowhere.test:8443"
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/ca.pem, listen: 8443 }
  identities: { default: { spiffe: "${spiffe}", svid_dir: /run/spiffe/default }, other: { spiffe: "${spiffe}-2", svid_dir: /run/spiffe/other } }
services: { wiki: { authority: wiki.mesh, endpoint: "wiki:8080" } }
hosts:
  ${host}:
    /*: { service: wiki, allow: [ staff ] }
    /other/*: { service: wiki, allow: [ { role: staff, as: other } ] }
    /public/*: { service: wiki, allow: [ anyone ], limit: { rate: 1/h, burst: 1 } }
${Array.from({ length: ROUTES }, (_, i) => `    /many/${i}: { service: wiki, allow: [ staff ] }`).join('\n')}
`,
  // The test plays the sealer.
  env: { MESHGATE_SEAL: 'off' },
  files: {
    '/run/secrets/sso': `${ssoSecret}\n`,
    '/run/secrets/session.jwks': ring,
    '/run/etcd/ca.pem': etcd.ca,
    '/run/etcd/cert.pem': etcd.client.cert,
    '/run/etcd/key.pem': etcd.client.key,
    '/run/spiffe/default/svid.pem': soon.cert,
    '/run/spiffe/default/svid_key.pem': soon.key,
    '/run/spiffe/other/svid.pem': null,
    '/run/keys/proof.jwks': JSON.stringify(proofs),
    '/run/audit/status.json': JSON.stringify({
      ...{ time: now - 600, size: 5, lag_s: 300, lag_bytes: 9, error: 'no room', foreign: 2, key_since: now - 9000 },
    }),
  },
  mutate: (files) => replaceIn(files, 'http.conf', /zone=meshgate_counts:\d+k/, 'zone=meshgate_counts:32k'),
});

const prometheus = await startContainer(stage, {
  image: etcdImage,
  alias: 'prometheus',
  files: {
    '/etc/prometheus/prometheus.yml': `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [alerts.yaml]
scrape_configs: [{ job_name: meshgate, metrics_path: /.meshgate/metrics, static_configs: [{ targets: ["gateway:8081"] }] }]
`,
    '/etc/prometheus/alerts.yaml': alerts,
    '/tmp/alerts.test.yaml': readFileSync('test/gateway/prometheus/alerts.test.yaml'),
  },
  command: ['prometheus', '--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/tmp/data'],
  memory: 512,
  ready: /Server is ready to receive web requests/,
});
const query = (expr: string) => queryPrometheus(prometheus.host, expr);

beforeAll(() => readyToSignIn(stage, gateway, `${home}/page`, sso.issuer));

test('Prometheus scrapes the gateway, and counts are those of the requests', async () => {
  for (const path of ['/other/', '/other/', '/public/', '/public/', '/a/%2e%2e/b']) await gateway.send(host, { path });
  const refused = 'sum by (route, reason) (meshgate_decisions_total{decision="refused"})';
  const found = async () =>
    (await query(refused)).map(({ metric: { route, reason }, value: [, count] }) => `${route} ${reason} ${count}`);
  const wanted = [`${host}/other/* credential_missing 2`, `${host}/public/* limit_exceeded 1`];
  let last: string[] = [];
  await until(
    async () => {
      last = await found();
      return wanted.every((line) => last.includes(line));
    },
    { what: 'the counts', help: () => last.join(', ') },
  );
});

test('a person signs in, the session is refreshed, a sign-in is refused, and the person signs out', async () => {
  const agent = newAgent(stage);
  const sessions = await counting(gateway, 'meshgate_session_events_total');
  // No service answers here. A request that passes the check gets 502.
  expect((await sso.signIn(agent, await agent.visit(`${home}/page`), 'ada')).status).toBe(502);
  const records = {
    get: (sid: string) => etcd.members[0]!.get(`/meshgate/session/${sid}`),
    put: (sid: string, sealed: string) => etcd.members[0]!.put(`/meshgate/session/${sid}`, sealed),
  };
  await (await Sealer.of(gateway.policy, ring)).age(records, agent, home, -1);
  const refreshed = async () => {
    await agent.fetch(`${home}/page`, { from: `${home}/page` });
    return (await metric(gateway, 'meshgate_session_refreshes_total'))['sso confirmed'] === 1;
  };
  await until(refreshed, { what: 'the refresh' });
  await agent.visit(`${home}/.meshgate/callback?code=x&state=y`);
  await agent.submit(await agent.visit(`${home}/.meshgate/signout`));
  expect(await sessions()).toEqual({ started: 1, ended: 1 });
});

test('what the sealer and the files of keys say is exported', async () => {
  expect({
    size: await metric(gateway, 'meshgate_audit_sealed_entries'),
    seconds: await metric(gateway, 'meshgate_audit_lag_seconds'),
    bytes: await metric(gateway, 'meshgate_audit_lag_bytes'),
    time: await metric(gateway, 'meshgate_audit_status_timestamp_seconds'),
    error: await metric(gateway, 'meshgate_audit_error'),
    foreign: await metric(gateway, 'meshgate_audit_foreign_lines_total'),
  }).toEqual({
    foreign: { '': 2 },
    size: { '': 5 },
    seconds: { '': 300 },
    bytes: { '': 9 },
    time: { '': now - 600 },
    error: { '': 1 },
  });
  const { '': age = 0 } = await metric(gateway, 'meshgate_audit_key_age_seconds');
  expect(age).toBeGreaterThanOrEqual(9000);
  expect(age).toBeLessThan(9600);
  expect(await metric(gateway, 'meshgate_file_expiry_timestamp_seconds')).toMatchObject({ 'proof ': now + 3600 });
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

test('the dashboard uses every metric, and no other', () => {
  const used = new Set(
    dashboardQueries()
      .flatMap(({ expr }) => expr.match(/meshgate_\w+/g) ?? [])
      .map((name) => name.replace(/_bucket$/, '')),
  );
  expect([...used].sort()).toEqual(metrics.map(({ name }) => name).sort());
});

test('every query of the dashboard has data, except that of the mesh, which this scene lacks', async () => {
  const queries = dashboardQueries().filter(({ expr }) => !expr.includes(OF_THE_MESH));
  expect(queries.length).toBeGreaterThan(30);
  let empty: string[] = [];
  await until(
    async () => {
      const results = await Promise.all(
        queries.map(async ({ title, expr }) => ((await query(expr)).length === 0 ? [`${title}: ${expr}`] : [])),
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
    'MeshgateMeshProbeFailed',
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
  // Whether checks are slow depends on the machine. promtool's tests raise this alert.
  const isOfTheMachine = (name: string): boolean => name === 'MeshgateCheckSlow';
  let rules: readonly Rule[] = [];
  await until(
    async () => {
      rules = (await askPrometheus<{ groups: { rules: Rule[] }[] }>(prometheus.host, 'rules')).groups.flatMap(
        (group) => group.rules,
      );
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
      .filter(({ name, state }) => state !== 'inactive' && !isOfTheMachine(name))
      .map(({ name }) => name)
      .sort(),
  ).toEqual(raised);
});

test('a decision for which the zone has no room is counted as lost', async () => {
  const decisions = await counting(gateway, 'meshgate_decisions_total');
  const lost = await counting(gateway, 'meshgate_counts_lost_total');
  const free = async () => (await metric(gateway, 'meshgate_zone_free_bytes')).counts;
  expect(await free()).toBeGreaterThan(0);
  await Promise.all(Array.from({ length: ROUTES }, (_, i) => gateway.send(host, { path: `/many/${i}` })));
  const counted = Object.values(await decisions()).reduce((sum, by) => sum + by, 0);
  const { '': missing = 0 } = await lost();
  expect([counted > 0, missing > 0, counted + missing, await free()]).toEqual([true, true, ROUTES, 0]);
});

test('a reload keeps the counters, a restart begins at zero, and the rate in Prometheus is never negative', async () => {
  const name = 'meshgate_decisions_total';
  const series = `${name}{route="${host}/other/*",reason="credential_missing"}`;
  const counted = async () =>
    (await metric(gateway, name))[`${host}/other/* ${host}/other/*#1 refused credential_missing`];
  const shown = async () => Number((await query(series))[0]?.value[1]);
  const before = await counted();
  expect(before).toBe(2);
  await gateway.reload();
  expect(await counted()).toBe(before);
  await until(async () => (await shown()) === before, { what: 'a scrape after the reload' });
  await gateway.box.restart();
  await readyToSignIn(stage, gateway, `${home}/page`, sso.issuer);
  expect(await counted()).toBeUndefined();
  await gateway.send(host, { path: '/other/' });
  expect(await counted()).toBe(1);
  await until(async () => (await shown()) === 1, { what: 'a scrape after the restart' });
  const [resets, increase] = [await query(`resets(${series}[5m])`), await query(`increase(${series}[5m])`)];
  expect(resets.map(({ value }) => value[1])).toEqual(['1']);
  expect(Number(increase[0]?.value[1])).toBeGreaterThan(0);
});
