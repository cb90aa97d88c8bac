import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkCounts } from './guards.ts';
import { run } from './load.ts';
import type { Nginx } from './nginx.ts';
import type { Settings } from './settings.ts';
import { type Ground, pathsOf, type System } from './systems.ts';
import { linesOf } from './tokens.ts';

/** A started system and how it is called. */
export interface Bench {
  readonly system: System;
  readonly nginx: Nginx;
  /** Returns the tokens of the next `count` requests. */
  readonly tokens: (count: number) => readonly string[];
}

/** Requests before each measurement that are not counted: connections, contexts and caches are warm. */
const warm = 1000;

/** A supply of new tokens for one system, which sees each token only once. */
export function tokensNeeded(settings: Settings): number {
  return settings.rounds * (warm + settings.newRequests);
}

/**
 * CPU of the worker per request in microseconds, one number for each round; with a sealed log, that of all processes. The systems alternate within a round, and
 * each round begins with the next system, so that a disturbance of the machine affects all.
 */
export async function measureCpu(
  ground: Ground,
  settings: Settings,
  benches: readonly Bench[],
  backend: Nginx,
  say: (text: string) => void,
): Promise<Map<System, number[]>> {
  const found = new Map<System, number[]>(benches.map(({ system }) => [system, []]));
  for (let round = 0; round < settings.rounds; round++) {
    for (let i = 0; i < benches.length; i++) {
      const bench = benches[(i + round) % benches.length]!;
      found.get(bench.system)!.push(await measureOnce(ground, settings, bench, backend));
    }
    const row = benches.map(({ system }) => `${system.key} ${found.get(system)!.at(-1)!.toFixed(1)}`);
    say(`round ${round + 1} of ${settings.rounds}, µs: ${row.join('  ')}`);
  }
  return found;
}

async function measureOnce(ground: Ground, settings: Settings, bench: Bench, backend: Nginx): Promise<number> {
  const { system, nginx, tokens } = bench;
  const count = system.fresh ? settings.newRequests : settings.requests;
  await nginx.forget();
  const sealedBefore = await nginx.leaves();
  await drive(ground, settings, bench, warm);
  // Envoy writes its lines a little later; they would be counted with the next ones.
  await nginx.logged(warm);
  const sealed = await nginx.leaves(sealedBefore + warm);
  await nginx.forget();
  const file = inputFile(ground, pathsOf(system), tokens(count));
  const before = { served: await servedBy(backend), cpu: nginx.cpu() };
  let cpu = 0;
  const counted = await run(
    { port: nginx.port, tls: nginx.tls, file, count, connections: settings.connections },
    () => {
      cpu = nginx.cpu() - before.cpu;
    },
  );
  if ('sealed' in system) {
    await nginx.leaves(sealed + count);
    cpu = nginx.cpu() - before.cpu;
  }
  const served = (await servedBy(backend)) - before.served - 1;
  checkCounts(system.key, count, counted, served, await nginx.logged(count));
  await nginx.forget();
  return cpu / count / 1000;
}

/** Requests that are not counted. */
async function drive(ground: Ground, settings: Settings, { system, nginx, tokens }: Bench, count: number) {
  const file = inputFile(ground, pathsOf(system), tokens(count));
  await run({ port: nginx.port, tls: nginx.tls, file, count, connections: settings.connections }, () => {});
}

/** @param paths requested in turn */
export function inputFile(ground: Ground, paths: readonly string[], tokens: readonly (string | undefined)[]): string {
  const file = join(ground.folder, 'requests.txt');
  writeFileSync(file, linesOf(paths, tokens));
  return file;
}

/** Requests that the backend has answered since its start, including this one. */
async function servedBy(backend: Nginx): Promise<number> {
  const { text } = await backend.ask('/.backend/status');
  return Number(/^ *\d+ \d+ (\d+)/m.exec(text)![1]);
}
