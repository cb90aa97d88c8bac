// make bench: measures the CPU time and the memory of requests. Prints a table, and writes results.json and chart.svg
// beside this file.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { removeLeftovers, removeRun, runId } from '../harness/docker.ts';
import { createCa } from '../harness/pki.ts';
import { withAblation } from './ablation.ts';
import { chart } from './chart.ts';
import { issuerName, startDns } from './dns.ts';
import { startIssuer } from './issuer.ts';
import { host } from './load.ts';
import { busy } from './machine.ts';
import { measure } from './measure.ts';
import { createMesh } from './mesh.ts';
import { measureOffline } from './offline.ts';
import { most } from './policy.ts';
import { checkFree, ports } from './ports.ts';
import { readSettings } from './settings.ts';
import { table } from './table.ts';
import { createSigner } from './tokens.ts';

const DOCS = join(import.meta.dirname, '../../docs/contributing/bench.md');
const say = (text: string) => console.error(`bench: ${text}`);

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  await checkFree(settings.port);
  const warning = busy();
  if (warning !== undefined) say(warning);
  await removeLeftovers();
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'meshgate-bench-'));
  const port = settings.port + ports.issuer;
  const ca = await createCa('meshgate bench CA');
  const tls = (await ca.server(host)).pem;
  const signer = await createSigner(`https://${issuerName}:${port}`, Math.floor(Date.now() / 1000));
  const issuer = await startIssuer(signer, port, await ca.server(issuerName));
  const dns = await startDns(settings.port + ports.dns);
  try {
    const mesh = await createMesh(most);
    const ring = newRing(Date.now() / 1000);
    const found = await measure(
      { folder, signer, dns: settings.port + ports.dns, ca: ca.cert, tls, mesh, ring },
      settings,
      say,
    );
    const { spreads, at } = found;
    const isWanted = settings.only.length === 0 || settings.only.includes('offline');
    const numbers = { ...found.numbers, ...(isWanted && measureOffline(say)) };
    const date = new Date().toISOString();
    console.log(table(numbers, spreads));
    writeFileSync(DOCS, withAblation(readFileSync(DOCS, 'utf8'), numbers));
    if (settings.only.length > 0) return;
    const results = { ...numbers, ...at, date, rounds: settings.rounds };
    writeFileSync(join(import.meta.dirname, 'results.json'), JSON.stringify(results, null, 2) + '\n');
    writeFileSync(join(import.meta.dirname, 'chart.svg'), chart(numbers, { ...at, date }));
  } finally {
    issuer.close();
    dns.close();
    await removeRun(runId());
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void removeRun(runId()).finally(() => process.exit(130)));
}
await main().catch((error: Error) => {
  say(error.message + (error.cause === undefined ? '' : `\n${String(error.cause)}`));
  process.exitCode = 1;
});
