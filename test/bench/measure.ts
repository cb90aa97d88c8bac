import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, measureCpu, tokensNeeded } from './cpu.ts';
import { checkIdentities, checkKnown, checkSystem } from './guards.ts';
import { opaqueToken } from './issuer.ts';
import { host } from './load.ts';
import { type Surroundings, surroundings } from './machine.ts';
import { growth, inflight, mixture, sockets, streams, worker10k } from './memory.ts';
import type { Nginx } from './nginx.ts';
import { measuredPath } from './policy.ts';
import { ports } from './ports.ts';
import { createProver, type Prover } from './proofs.ts';
import { cookies } from './sessions.ts';
import type { Settings } from './settings.ts';
import { median, rounded, spread } from './stats.ts';
import { type Ground, pathsOf, type System, startBackend, startSystem, systems } from './systems.ts';
import { type Alg, forged, walk } from './tokens.ts';

/** All results of a run, under the keys of results.json. */
export interface Found {
  readonly numbers: Record<string, number>;
  /** By system. */
  readonly spreads: Record<string, number>;
  readonly at: Surroundings;
}

type Say = (text: string) => void;

export async function measure(ground: Ground, settings: Settings, say: Say): Promise<Found> {
  const wanted = (key: string) => settings.only.length === 0 || settings.only.includes(key);
  const chosen = systems.filter((system) => wanted(system.key) || ('part' in system && wanted('ablation')));
  const backend = await startBackend(ground, settings.port + ports.backend, settings.port + ports.ingress);
  const known = (await ground.signer.sign('RS256', 1))[0]!;
  const cpu = await cpuNumbers(ground, settings, chosen, backend, known, say);
  const memory = await memoryNumbers(ground, settings, wanted, known, say);
  const bundle = readFileSync(join(import.meta.dirname, '../../dist/meshgate.js'));
  return { ...cpu, numbers: { ...cpu.numbers, ...memory, 'bundle.kb': rounded(bundle.length / 1024) } };
}

const isOfSessions = (system: System): boolean => 'sessions' in system;

const proves = (system: System): boolean => 'proofs' in system;

/** The measurements of systems whose requests are all alike. */
async function credentialOf(ground: Ground, system: System, known: string, prover: Prover): Promise<string> {
  if (proves(system)) return prover.proofs(1)[0]!;
  if (isOfSessions(system)) return (await cookies(ground, host, 1))[0]!;
  return 'opaque' in system ? opaqueToken : known;
}

async function cpuNumbers(
  ground: Ground,
  settings: Settings,
  chosen: readonly System[],
  backend: Nginx,
  known: string,
  say: Say,
): Promise<Found> {
  const pools: Record<Alg, readonly string[]> = { RS256: [], ES256: [] };
  const fresh = chosen.filter((system) => system.fresh);
  for (const alg of new Set(fresh.filter((system) => !isOfSessions(system) && !proves(system)).map(({ alg }) => alg))) {
    say(`signing ${tokensNeeded(settings)} ${alg} tokens, each for one request`);
    pools[alg] = await ground.signer.sign(alg, tokensNeeded(settings));
  }
  const sealed = fresh.some(isOfSessions) ? await cookies(ground, host, tokensNeeded(settings)) : [];
  const prover = await createProver(ground.signer, `https://${host}${measuredPath(1)}`);
  const benches: Bench[] = [];
  for (const [i, system] of chosen.entries()) {
    const at = {
      name: system.key,
      port: settings.port + ports.systems + i,
      backend: backend.port,
      ingress: settings.port + ports.ingress,
      ...system,
    };
    const nginx = await startSystem(ground, system.runs, at);
    const paths = pathsOf(system);
    const credential = await credentialOf(ground, system, known, prover);
    await checkSystem(system, nginx, paths[0]!, known, credential);
    await checkIdentities(system, nginx, known);
    const fresh = () => (proves(system) ? prover.proofs : walk(isOfSessions(system) ? sealed : pools[system.alg]));
    const tokens = system.fresh ? fresh() : () => paths.map(() => credential);
    benches.push({ system, nginx, tokens });
  }
  const at = await surroundings(benches.find(({ system }) => system.runs === 'gateway')?.nginx ?? backend);
  if (benches.length === 0) return { numbers: {}, spreads: {}, at };
  const found = await measureCpu(ground, settings, benches, backend, say);
  const numbers = Object.fromEntries(
    [...found].map(([{ key }, values]) => [`${key}.cpu_us`, rounded(median(values), 2)]),
  );
  checkKnown(numbers);
  Object.assign(numbers, auditNumbers(numbers));
  const spreads = Object.fromEntries([...found].map(([{ key }, values]) => [key, spread(values)]));
  Object.assign(numbers, await identitiesHold(benches));
  for (const { nginx } of benches) await nginx.stop();
  return { numbers, spreads, at };
}

/** What a line costs: to write and seal it, and to seal it. */
function auditNumbers(numbers: Readonly<Record<string, number>>): Record<string, number> {
  const { 'nolog.cpu_us': without, 'known.cpu_us': written, 'sealed.cpu_us': sealed } = numbers;
  if (without === undefined || written === undefined || sealed === undefined) return {};
  return { 'audit.cpu_us': rounded(sealed - without, 2), 'seal.cpu_us': rounded(sealed - written, 2) };
}

/** Megabytes of resident memory that a worker with 100 identities needs beyond one with a single identity, after the
 * same requests. */
async function identitiesHold(benches: readonly Bench[]): Promise<Record<string, number>> {
  const held = async (key: string) =>
    (await benches.find(({ system }) => system.key === key)?.nginx.worker.memory())?.rss;
  const [one, many] = [await held('identities1'), await held('identities100')];
  return one === undefined || many === undefined ? {} : { 'identities100.mb': rounded((many - one) / 1024) };
}

async function memoryNumbers(
  ground: Ground,
  settings: Settings,
  wanted: (key: string) => boolean,
  known: string,
  say: Say,
): Promise<Record<string, number>> {
  const at = {
    port: settings.port + ports.systems,
    backend: settings.port + ports.backend,
    hold: settings.port + ports.hold,
  };
  const numbers: Record<string, number> = {};
  if (wanted('inflight')) {
    const { bare, gateway } = await inflight(ground, at, known);
    say(`a slow request holds ${bare.toFixed(1)} KB in the bare proxy, ${gateway.toFixed(1)} KB in the gateway`);
    numbers['inflight.kb'] = rounded(gateway - bare);
  }
  if (wanted('streams')) {
    const { bare, gateway } = await streams(ground, at, known);
    say(`an event stream holds ${bare.toFixed(1)} KB in the bare proxy, ${gateway.toFixed(1)} KB in the gateway`);
    numbers['streams.kb'] = rounded(gateway - bare);
  }
  if (wanted('sockets')) {
    // With the headers of a handshake, a longer token would not fit into the first buffer of either nginx.
    const [short] = await ground.signer.sign('ES256', 1);
    const { bare, gateway } = await sockets(ground, at, short as string, settings.open);
    say(`a WebSocket holds ${bare.toFixed(1)} KB in the bare proxy, ${gateway.toFixed(1)} KB in the gateway`);
    numbers['sockets.kb'] = rounded(gateway - bare);
  }
  if (wanted('worker_10k')) {
    say('signing 10000 RS256 tokens');
    numbers['worker_10k.mb'] = rounded(await worker10k(ground, at, await ground.signer.sign('RS256', 10_000)));
  }
  if (wanted('growth_500k') && settings.growth > 0) {
    const good = [...(await ground.signer.sign('RS256', 4000)), ...(await ground.signer.sign('ES256', 4000))];
    const bad = [...good.slice(0, 100), ...good.slice(-100)].map(forged);
    say(`growth: ${settings.growth} requests`);
    const { kb, looks } = await growth(ground, at, mixture(good, [...bad, 'not.a.token']), settings.growth);
    say(`the worker held, KB: ${looks.join(' ')}`);
    numbers['growth_500k.kb'] = kb;
  }
  return numbers;
}
