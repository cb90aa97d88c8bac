/** Health: what readyz reports of each part, and that it does so as soon as a part changes, without a reload. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import type { Readiness } from '../../src/health/types.ts';
import {
  type Credential,
  metric,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
  writeSvid,
} from '../harness/index.ts';

const stage = await testStage('health');
const [issuers] = await Promise.all([startIssuer(stage), startEcho(stage, { alias: 'wiki' })]);
const spiffe = (name: string) => `spiffe://example.org/ns/edge/sa/${name}`;
const KEYS = '/run/keys/assertion.jwks';
const CA = '/run/mesh/ca.pem';
const dir = (name: string) => `/run/spiffe/${name}`;

/** Identities by the fault of their files at the start, and the level of the log line about it. */
const faults = {
  expired: ['svid_expired', 'error'],
  early: ['svid_not_yet_valid', 'error'],
  expiring: ['svid_expiring', 'warn'],
  other: ['svid_other_identity', 'error'],
  mismatch: ['svid_key_mismatch', 'error'],
  malformed: ['svid_malformed', 'error'],
  missing: ['svid_unreadable', 'error'],
} as const;
const names = Object.keys(faults) as (keyof typeof faults)[];
const all = ['good', ...names];

const policy = `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  health: { listen: 8081 }
  keys: { refresh: 10s, cool_down: 1s }
  assertion: { issuer: https://gateway.test, keys_file: ${KEYS} }
providers:
  acme: { issuer: ${issuers.origin}/acme, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
${all.map((name) => `  ${name}: { group: ${name} }`).join('\n')}
mesh:
  kind: envoy
  trust_domain: example.org
  ingress: { address: "wiki:8080", ca_file: ${CA} }
  identities:
${all.map((name) => `    ${name}: { spiffe: "${spiffe(name)}", svid_dir: ${dir(name)} }`).join('\n')}
services:
  wiki: { authority: "wiki:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [ ${all.map((name) => `{ role: ${name}, as: ${name} }`).join(', ')} ] }
`;

const minutes = (count: number) => new Date(Date.now() + count * 60_000);
const made: Credential[] = [];
async function issue(name: string, notBefore = -5, notAfter = 55): Promise<Credential> {
  const svid = await stage.meshCa.client(spiffe(name), { notBefore: minutes(notBefore), notAfter: minutes(notAfter) });
  made.push(svid);
  return svid;
}

const first: Readonly<Record<string, Credential>> = {
  good: await issue('good'),
  expired: await issue('expired', -120, -60),
  early: await issue('early', 10, 70),
  expiring: await issue('expiring', -50, 10),
  other: await issue('stranger'),
  mismatch: { ...(await issue('mismatch')), key: (await issue('mismatch')).key },
  malformed: { ...(await issue('malformed')), cert: '' },
  missing: await issue('missing'),
};
const gateway = await startGateway(stage, {
  policy,
  healthcheck: true,
  files: {
    ...Object.fromEntries(
      Object.entries(first).flatMap(([name, { cert, key }]) => [
        [`${dir(name)}/svid.pem`, cert],
        [`${dir(name)}/svid_key.pem`, key],
      ]),
    ),
    [`${dir('missing')}/svid.pem`]: null,
  },
});
const started = performance.now();

/** Waits until readyz reports this, and checks that its status agrees. */
async function says(what: string, good: (it: Readiness) => boolean): Promise<Readiness> {
  let last: Readiness | undefined;
  const answer = await until(
    async () => {
      const got = await gateway.health('/.meshgate/readyz');
      last = got.json();
      return good(last!) ? got : undefined;
    },
    { what, help: () => JSON.stringify(last) },
  );
  expect(answer.status).toBe(answer.json().ready ? 200 : 503);
  expect(answer.header('Content-Type')).toBe('application/json');
  return answer.json();
}

const lines = (pattern: RegExp) => gateway.box.logs.lines.filter((line) => pattern.test(line));

/** Checks the lines about one identity: one at first, then at most one a minute. A log line arrives a moment after the
 * answer. */
async function spoken(name: string, reason: string, level: string): Promise<string> {
  const pattern = new RegExp(`\\[${level}\\].*meshgate: SVID of identity ${name} .*: ${reason}: `);
  const first = await gateway.box.logs.waitFor(pattern);
  const most = 1 + (performance.now() - started) / 60_000;
  expect(lines(pattern).length, `lines about ${name}: ${reason}`).toBeLessThanOrEqual(most);
  return first;
}

test('at the start it is alive and not ready, and says why', async () => {
  const alive = await gateway.health('/.meshgate/healthz');
  expect([alive.status, alive.text]).toEqual([200, 'ok']);
  const is = await says('the first look at the SVIDs', ({ identities: { good } }) => good?.state === 'ok');
  expect(is).toMatchObject({ ready: false, check: { state: 'ok' }, assertion: { state: 'ok' } });
  expect(is.providers.acme).toMatchObject({ state: 'failed', reason: 'keys_missing' });
  for (const name of names) {
    const [reason, level] = faults[name];
    expect(is.identities[name], name).toMatchObject({ state: level === 'warn' ? 'warning' : 'failed', reason });
    await spoken(name, reason, level);
  }
  const seconds = (name: string) => is.identities[name]?.expires_in ?? Number.NaN;
  expect(seconds('good')).toBeGreaterThan(3000);
  expect(seconds('good')).toBeLessThanOrEqual(3300);
  expect(seconds('expiring')).toBeLessThanOrEqual(600);
  expect(seconds('expired')).toBeLessThanOrEqual(-3600);
  expect(JSON.stringify(is)).not.toContain('/run/');
  expect(await spoken('missing', 'svid_unreadable', 'error')).toContain(`${dir('missing')}/svid.pem: ENOENT`);
});

test('keys and SVIDs arrive as spiffe-helper writes them, and an SVID is replaced in two steps', async () => {
  await issuers.create('acme');
  for (const name of names) await writeSvid(gateway.box, dir(name), await issue(name), stage.meshCa.cert);
  const half = { ...(await issue('good')), key: (await issue('good')).key };
  await writeSvid(gateway.box, dir('good'), half, stage.meshCa.cert);
  const is = await says(
    'keys of the provider, and the mismatch',
    ({ identities, providers }) =>
      names.every((name) => identities[name]?.state === 'ok') &&
      identities.good?.state === 'failed' &&
      providers.acme?.state === 'ok',
  );
  expect(is.providers.acme).toMatchObject({ keys: 1 });
  expect(is.identities.good).toMatchObject({ reason: 'svid_key_mismatch' });
  expect(is.ready).toBe(false);
  await spoken('good', 'svid_key_mismatch', 'error');

  await writeSvid(gateway.box, dir('good'), await issue('good'), stage.meshCa.cert);
  await says('ready', ({ ready }) => ready);
});

test('a certificate that expires soon is a warning, and the gateway stays ready', async () => {
  await writeSvid(gateway.box, dir('good'), await issue('good', -50, 10), stage.meshCa.cert);
  const is = await says('a warning', ({ identities: { good } }) => good?.state === 'warning');
  expect(is.ready).toBe(true);
  await spoken('good', 'svid_expiring', 'warn');
});

test('a broken file of signing keys makes the gateway unready', async () => {
  await gateway.box.write({ [KEYS]: '{"keys":[]}' });
  const is = await says('the broken keys', ({ assertion }) => assertion?.state === 'failed');
  expect(is.assertion).toMatchObject({ reason: 'signing_keys_unavailable' });
  await gateway.box.write({ [KEYS]: await newSigningKeys(Date.now() / 1000) });
  await says('ready', (it) => it.ready);
});

test('over the socket: the image’s command, which Docker runs', async () => {
  expect(await gateway.box.exec('meshgate-health', 'healthz')).toMatchObject({ exitCode: 0, stdout: 'ok\n' });
  const { exitCode, stdout } = await gateway.box.exec('meshgate-health');
  expect([exitCode, JSON.parse(stdout).ready]).toEqual([0, true]);
  expect((await gateway.box.exec('meshgate-health', 'metrics')).exitCode).toBe(2);
  const status = () => {
    const format = '{{.State.Health.Status}}';
    return execFileSync('docker', ['inspect', '--format', format, gateway.box.started.getId()], {
      encoding: 'utf8',
    }).trim();
  };
  await until(() => status() === 'healthy', { what: 'Docker to find it healthy', help: status });
});

test('Prometheus’ text says the same as readyz, when an SVID expires, and what the check decided', async () => {
  expect((await gateway.send('wiki.test', { path: '/page' })).status).toBe(401);
  const answer = await gateway.health('/.meshgate/metrics');
  expect([answer.status, answer.header('Content-Type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  expect(answer.text).not.toContain('/run/');
  const is: Readiness = (await gateway.health('/.meshgate/readyz')).json();
  expect(await metric(gateway, 'meshgate_ready')).toEqual({ '': 1 });
  expect(await metric(gateway, 'meshgate_policy_info')).toEqual({ [is.policy]: 1 });
  expect(await metric(gateway, 'meshgate_part_ok')).toEqual({
    ...{ 'check ': 1, 'providers acme': 1, 'ca ': 1, 'assertion ': 1, 'identities good': 0, 'files ': 0 },
    ...Object.fromEntries(names.map((name) => [`identities ${name}`, 1])),
  });
  expect(await metric(gateway, 'meshgate_part_problem')).toEqual({
    'identities good warning svid_expiring': 1,
    'files  warning file_exposed': 1,
  });
  expect(await metric(gateway, 'meshgate_provider_keys')).toEqual({ acme: 1 });
  // The policy fetches the keys every ten seconds, and keeps them for a day by default.
  expect((await metric(gateway, 'meshgate_provider_keys_age_seconds')).acme).toBeLessThan(40);
  expect(await metric(gateway, 'meshgate_provider_keys_stale_seconds')).toEqual({ '': 86_400 });
  expect(await metric(gateway, 'meshgate_decisions_total')).toEqual({
    'wiki.test/* wiki.test/*#1 refused credential_missing': 1,
  });
  expect(await metric(gateway, 'meshgate_check_duration_seconds_count')).toEqual({ '': 1 });
  const expiry = await metric(gateway, 'meshgate_svid_expiry_timestamp_seconds');
  const seconds = (name: string) => Math.round(((expiry[name] ?? 0) - Date.now() / 1000) / 60);
  // As the SVIDs were issued: for ten minutes, and for 55.
  expect([seconds('good'), ...names.map(seconds)].map((found) => found > 6 && (found <= 10 ? 10 : 55))).toEqual([
    10,
    ...names.map(() => 55),
  ]);
  expect((await metric(gateway, 'meshgate_zone_size_bytes')).tokens).toBe(32 << 20);
});

test.each(['/.meshgate/readyz', '/.meshgate/healthz', '/.meshgate/metrics'])('%s is not for clients', async (path) => {
  const answer = await gateway.send('wiki.test', { path });
  expect([answer.status, answer.json().reason]).toEqual([404, 'route_unknown']);
  expect((await gateway.health(`${path}/x`)).status).toBe(404);
});

test('a bundle that is written again with the same certificates changes nothing; one that is cut short is a warning', async () => {
  const bundle = stage.meshCa.cert;
  await gateway.box.write({ [CA]: `# the same\n${bundle}` });
  await writeSvid(gateway.box, dir('good'), await issue('stranger'), bundle);
  await says('a look after it', ({ identities: { good } }) => good?.reason === 'svid_other_identity');
  expect((await gateway.health('/.meshgate/readyz')).json().ca).toEqual({ state: 'ok' });
  await gateway.box.write({ [CA]: bundle.slice(0, 200) });
  const is = await says('the broken bundle', ({ ca }) => ca?.state === 'warning');
  expect(is.ca).toMatchObject({ reason: 'ca_malformed' });
  await gateway.box.write({ [CA]: bundle });
  await writeSvid(gateway.box, dir('good'), await issue('good'), bundle);
  await says('all well', ({ ready, ca }) => ready && ca?.state === 'ok');
});

test('none of these changes needs a reload, and no log has a key', async () => {
  await waitForWorkers(gateway);
  expect(lines(/start worker process \d+/)).toHaveLength(1);
  const secrets = made.flatMap(({ key }) => key.split('\n').filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line)));
  expect(secrets.length).toBeGreaterThan(10);
  const text = gateway.box.logs.lines.join('\n');
  expect(secrets.filter((line) => text.includes(line))).toEqual([]);
  expect(text).not.toContain('PRIVATE KEY');
  for (const name of names) await spoken(name, faults[name][0], faults[name][1]);
  const ours = gateway
    .troubles()
    .filter((line) => !/meshgate: (SVID of identity|CA of the ingress|keys of provider|nothing is signed)/.test(line));
  expect(ours.filter((line) => !/acme.*(404|answered)/.test(line))).toEqual([]);
});
