import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftovers, removeRun, runId } from '../harness/docker.ts';
import { createCa } from '../harness/pki.ts';
import { type Bench, measureCpu, tokensNeeded } from './cpu.ts';
import { checkKnown, checkSystem } from './guards.ts';
import { startIssuer } from './issuer.ts';
import { checkFree, ports } from './ports.ts';
import { readSettings, } from './settings.ts';
import { median } from './stats.ts';
import { type Ground, pathOf, startBackend, startSystem, systems } from './systems.ts';
import { type Alg, createSigner, walk } from './tokens.ts';

const say = (text: string) => console.error(`bench: ${text}`);

async function main() {
  const settings = readSettings(process.env);
  await checkFree(settings.port);
  await removeLeftovers();
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'meshgate-bench-'));
  const address = '127.0.0.1';
  const issuer = `https://${address}:${settings.port + ports.issuer}`;
  const ca = await createCa('meshgate bench CA');
  const signer = await createSigner(issuer, Math.floor(Date.now() / 1000));
  const server = await startIssuer(signer, settings.port + ports.issuer, await ca.server(address));
  const ground: Ground = { folder, signer, ca: ca.cert };
  try {
    const backend = await startBackend(ground, settings.port);
    const chosen = systems.filter(({ key }) => settings.only.length === 0 || settings.only.includes(key));
    say('signing tokens');
    const needed = tokensNeeded(settings);
    const pools: Record<Alg, string[]> = { RS256: [], ES256: [] };
    for (const alg of new Set(chosen.filter(({ fresh }) => fresh).map(({ alg }) => alg))) {
      pools[alg] = await signer.sign(alg, needed);
    }
    const known = (await signer.sign('RS256', 1))[0]!;
    const benches: Bench[] = [];
    for (const [i, system] of chosen.entries()) {
      const port = settings.port + ports.systems + i;
      const nginx = await startSystem(ground, system.runs, { name: system.key, port, backend: settings.port, routes: system.routes });
      await checkSystem(system, nginx, pathOf(system), known);
      benches.push({ system, nginx, tokens: system.fresh ? walk(pools[system.alg]) : () => [known] });
    }
    const found = await measureCpu(ground, settings, benches, backend, say);
    const medians = Object.fromEntries([...found].map(([system, values]) => [system.key, median(values)]));
    checkKnown(medians);
    console.log(medians);
  } finally {
    server.close();
    await removeRun(runId());
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
