import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Nginx } from './nginx.ts';

/** The software of the run, and the machine. */
export interface Surroundings {
  readonly machine: string;
  readonly nginx: string;
  readonly njs: string;
}

/** Asks the running gateway for its versions. */
export async function surroundings(gateway: Nginx): Promise<Surroundings> {
  const all = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    machine: `${all[0]?.model.trim() ?? 'unknown'}, ${all.length} cores, ${memory} GB, Linux ${release()}`,
    nginx: versionIn(await gateway.tell('nginx -v')),
    njs: versionIn(await gateway.tell('njs -v')),
  };
}

/** The first version number in a text. */
export function versionIn(text: string): string {
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown';
}

/** A warning if other processes use the machine, or undefined. Ratios are still valid then, microseconds are not. */
export function busy(load: number = loadavg()[0]!, cores: number = cpus().length): string | undefined {
  if (load < cores / 4) return undefined;
  return `the machine is busy (load ${load.toFixed(1)} on ${cores} cores): read the ratios, and measure again when it is quiet`;
}
