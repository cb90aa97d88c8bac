import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { HealthConfig } from '../../../src/health/types.ts';
import { LOOKED } from '../../../src/njs/health/svids.ts';
import { metricsHandler } from '../../../src/njs/metrics/handler.ts';
import { keysName } from '../../../src/njs/shared/dicts.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const NOW = 1_790_000_000;
stopClock(fake, NOW);
const folder = mkdtempSync(join(tmpdir(), 'meshgate-metrics-'));
afterAll(() => rmSync(folder, { recursive: true }));

const acme = { name: 'acme', issuer: 'https://acme.test' };
const config: HealthConfig = {
  policy: '00112233',
  check: `${folder}/check.sock`,
  providers: [acme, { name: 'other', issuer: 'https://other.test' }],
  stale: 3600,
  assertion: false,
  sessions: 'own',
  identities: [{ name: 'default', spiffe: 'spiffe://a/b', certFile: '/a', keyFile: '/a' }],
  files: [],
  audit: folder,
};

beforeEach(() => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  fake.fetch = async () => ({ status: 401, headers: new Headers({ 'X-Meshgate-Reason': 'route_unknown' }) });
  fake.zones.svids.set(LOOKED, String(NOW));
  fake.zones.svids.set('default', JSON.stringify({ seen: 'x', svid: { notBefore: NOW - 100, notAfter: NOW + 900 } }));
  const keys = [{ thumbprint: 'x' }];
  fake.zones.keys.set(
    keysName(acme),
    JSON.stringify({ keys, fetchedAt: NOW - 41, attemptedAt: NOW - 41, failures: 0 }),
  );
  rmSync(join(folder, 'status.json'), { force: true });
});

/** The lines of an answer without comments, by what stands before the value. */
async function scrape(of = config): Promise<ReadonlyMap<string, number>> {
  let text = '';
  const r = { headersOut: {}, return: (status: number, body: string) => (text = status === 200 ? body : '') };
  await metricsHandler(of)(r as unknown as NginxHTTPRequest);
  expect(r.headersOut).toMatchObject({ 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('says what readyz says: each part, each problem, keys and SVIDs', async () => {
  const found = await scrape();
  expect(Object.fromEntries(found)).toMatchObject({
    meshgate_ready: 0,
    'meshgate_policy_info{digest="00112233"}': 1,
    'meshgate_part_ok{part="check",name=""}': 1,
    'meshgate_part_ok{part="providers",name="acme"}': 1,
    'meshgate_part_ok{part="providers",name="other"}': 0,
    'meshgate_part_problem{part="providers",name="other",state="failed",reason="keys_missing"}': 1,
    'meshgate_provider_keys{provider="acme"}': 1,
    'meshgate_provider_keys_age_seconds{provider="acme"}': 41,
    meshgate_provider_keys_stale_seconds: 3600,
    'meshgate_part_ok{part="identities",name="default"}': 1,
    'meshgate_svid_expiry_timestamp_seconds{identity="default"}': NOW + 900,
    'meshgate_part_ok{part="revocations",name=""}': 1,
    'meshgate_zone_size_bytes{zone="revoked"}': 4_000_000,
    'meshgate_zone_free_bytes{zone="revoked"}': 4_000_000,
  });
});

test('a nearly full zone of revocations is a problem, and its free memory falls', async () => {
  fake.zones.revoked.taken = 0.9;
  const found = await scrape();
  expect(found.get('meshgate_zone_free_bytes{zone="revoked"}')).toBe(400_000);
  const problem = 'meshgate_part_problem{part="revocations",name="",state="warning",reason="revocations_nearly_full"}';
  expect(found.get(problem)).toBe(1);
  fake.zones.revoked.taken = 0;
});

test('a rejected change of the files, and a watcher that has stopped, are problems', async () => {
  const turn = join(folder, 'watch.turn');
  const changes = async () => [...(await scrape()).keys()].filter((key) => key.includes('problem{part="changes"'));
  writeFileSync(turn, '');
  utimesSync(turn, NOW, NOW);
  expect(await changes()).toEqual([]);
  writeFileSync(join(folder, 'watch.rejected'), 'meshgate.yaml:3: no such role\n');
  const problem = (reason: string) => [
    `meshgate_part_problem{part="changes",name="",state="warning",reason="${reason}"}`,
  ];
  expect(await changes()).toEqual(problem('change_rejected'));
  utimesSync(turn, NOW - 3600, NOW - 3600);
  expect(await changes()).toEqual(problem('watcher_stopped'));
});

test('the status of the sealer is exported, and its time is 0 if it cannot be read, for the alert', async () => {
  const audit = async (of = config) => [...(await scrape(of))].filter(([name]) => name.startsWith('meshgate_audit_'));
  expect(await audit()).toEqual([['meshgate_audit_status_timestamp_seconds', 0]]);
  const status = { time: NOW - 2, origin: 'a/meshgate/gw-0', size: 123, read: 123, lag_s: 0.4, lag_bytes: 800 };
  writeFileSync(join(folder, 'status.json'), JSON.stringify(status));
  expect(await audit()).toEqual([
    ['meshgate_audit_sealed_entries', 123],
    ['meshgate_audit_lag_seconds', 0.4],
    ['meshgate_audit_lag_bytes', 800],
    ['meshgate_audit_status_timestamp_seconds', NOW - 2],
    ['meshgate_audit_error', 0],
  ]);
  writeFileSync(join(folder, 'status.json'), JSON.stringify({ ...status, error: 'disk full' }));
  expect(new Map(await audit()).get('meshgate_audit_error')).toBe(1);
  const { audit: _, ...without } = config;
  expect(await audit(without)).toEqual([]);
});
