/** How nginx says that a witness gives no cosignature. test/gateway/witness.test.ts asks real witnesses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import type { HealthConfig } from '../../../src/health/types.ts';
import { askWitnesses } from '../../../src/njs/health/witness-state.ts';
import { checkpointOf, noteKey } from '../audit/sealed-log.ts';
import { fakeNgx } from './fake-ngx.ts';

const fake = fakeNgx();
const folder = mkdtempSync(join(tmpdir(), 'meshgate-witnesses-'));
const log = vi.spyOn(ngx, 'log');
afterAll(() => {
  log.mockRestore();
  rmSync(folder, { recursive: true });
});
writeFileSync(join(folder, 'checkpoint'), checkpointOf(['{}'], [noteKey()]));
const url = 'https://witness.example.com';
const config = {
  audit: folder,
  witnesses: { egress: '/run/egress.sock', all: [{ url, key: noteKey('witness.example.com/w', 4).vkey }] },
} as Partial<HealthConfig> as HealthConfig;

beforeEach(() => {
  fake.zones.svids.clear();
  log.mockClear();
});

async function reported(status: number, headers: Record<string, string>, text = '') {
  fake.fetch = async () => ({ status, headers: new Headers(headers), text: async () => text });
  await askWitnesses(config);
  return log.mock.calls;
}

test.each([
  [
    'a TLS handshake that failed',
    { 'X-Meshgate-Connected': '192.0.2.7:443', 'X-Meshgate-Reached': '-' },
    'not reached, or its',
  ],
  ['a name without an address', { 'X-Meshgate-Connected': 'witness.example.com' }, 'its name could not be resolved'],
])('says %s once a minute', async (_, headers, words) => {
  expect(await reported(502, headers)).toEqual([
    [ngx.WARN, expect.stringContaining(`the witness ${url}: no connection (${words}`)],
  ]);
  expect(await reported(502, headers)).toHaveLength(1);
});

test('a worker from before a reload, which does not know a new witness, says nothing about the witness', async () => {
  expect(await reported(404, {}, '<html>\n')).toEqual([]);
  const headers = { 'X-Meshgate-Reached': '0.002' };
  expect(await reported(404, headers, 'unknown log\n')).toEqual([
    [ngx.WARN, expect.stringMatching(/it does not know the log .*: unknown log; it is asked again$/)],
  ]);
});
