import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkCounts } from './guards.ts';
import { run } from './load.ts';
import type { Nginx } from './nginx.ts';
import type { Settings } from './settings.ts';
import { type Ground, pathsOf, type System } from './systems.ts';
import { linesOf } from './tokens.ts';

/** A started system and how it is asked. */
export interface Bench {
  readonly system: System;
  readonly nginx: Nginx;
  /** Gives the tokens of the next so many requests. */
  readonly tokens: (count: number) => readonly string[];
}

/** Requests before each measurement that are not counted: connections, contexts and caches are warm. */
const warm = 1000;

/** Tokens that one system takes which sees each only once. */
export function tokensNeeded(settings: Settings): number {
  return settings.rounds * (warm + settings.newRequests);
}

/**
 * CPU of the worker per request, microseconds, one number a round. The systems take turns within a round, and a round
 * begins with the next system each time, so that what disturbs the machine disturbs all.
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
  await drive(ground, settings, bench, warm);
  await nginx.forget();
  const file = inputFile(ground, pathsOf(system), tokens(count));
  const before = { served: await servedBy(backend), cpu: nginx.worker.cpu() };
  let cpu = 0;
  const counted = await run(
    { port: nginx.port, tls: nginx.tls, file, count, connections: settings.connections },
    () => {
      cpu = nginx.worker.cpu() - before.cpu;
    },
  );
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

/** @param paths asked in turn */
export function inputFile(ground: Ground, paths: readonly string[], tokens: readonly (string | undefined)[]): string {
  const file = join(ground.folder, 'requests.txt');
  writeFileSync(file, linesOf(paths, tokens));
  return file;
}

/** Requests that the backend has answered since its start, this question included. */
async function servedBy(backend: Nginx): Promise<number> {
  const { text } = await backend.ask('/.backend/status');
  return Number(/^ *\d+ \d+ (\d+)/m.exec(text)![1]);
}
