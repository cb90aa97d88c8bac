import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { removeNetwork } from '../harness/docker.ts';
import { instance } from './paths.ts';
import { Trouble } from './trouble.ts';

/** The label of everything that the demo starts. */
export const label = instance;
export const network = instance;
/** They keep the log, what seals it, and what the witness has cosigned when a container is replaced. */
export const volumes = {
  log: `${instance}-log`,
  state: `${instance}-state`,
  witness: `${instance}-witness`,
} as const;

const run = promisify(execFile);

/** Runs the docker command and returns its output. An error is one line of it. */
export async function docker(...args: string[]): Promise<string> {
  try {
    return (await run('docker', args, { maxBuffer: 16 * 1024 * 1024 })).stdout.trim();
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT')
      throw new Trouble('there is no docker command; install Docker, or run test/images/prepare.sh engine');
    const words = stderr.trim().split('\n');
    throw new Trouble(`docker ${args[0]}: ${words.find((line) => /error/i.test(line)) ?? words.at(-1)}`);
  }
}

/** Removes the demo's containers, volumes and network. Returns the number of containers. */
export async function removeAll(): Promise<number> {
  const ids = words(await docker('ps', '-aq', '--filter', `label=${label}`));
  if (ids.length > 0) await docker('rm', '-f', '-v', ...ids);
  await docker('volume', 'rm', '-f', ...Object.values(volumes));
  const networks = words(await docker('network', 'ls', '-q', '--filter', `name=^${network}$`));
  // A network that the engine keeps although it is empty is used again.
  await Promise.all(networks.map(removeNetwork));
  return ids.length;
}

export async function ensureNetwork(): Promise<void> {
  const found = await docker('network', 'ls', '-q', '--filter', `name=^${network}$`);
  if (found === '') await docker('network', 'create', '--label', label, network);
}

export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
