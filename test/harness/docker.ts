import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The labels of everything that the tests start, so that leftovers of a dead run are found. */
export const runLabel = 'meshgate.test.run';
export const networkPrefix = 'meshgate-test-';

const run = promisify(execFile);

/** Process id of the test run: vitest's main process, or this one without vitest. */
export function runId(): string {
  process.env.MESHGATE_RUN ??= String(process.pid);
  return process.env.MESHGATE_RUN;
}

/** Runs the docker command; returns its output, trimmed. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/**
 * Removes a network that all containers have left; an error names those that have not. The engine keeps a count beside
 * the list of what is in a network, and changes it without a lock: after starts and stops at the same moment it can stay
 * above zero although nothing is on the list. The engine then refuses to remove the network until it has started again
 * and counted anew (its log says "Fixing inconsistent endpoint_cnt"). So the list decides, and such a network is left.
 */
export async function removeNetwork(name: string): Promise<void> {
  try {
    await docker('network', 'rm', name);
  } catch (error) {
    const inside = await docker('network', 'inspect', '--format', '{{range .Containers}}{{.Name}} {{end}}', name);
    if (inside !== '') throw new Error(`the network ${name} still has ${inside}`, { cause: error });
  }
}

/** Removes containers and networks of one run. */
export async function removeRun(id: string): Promise<void> {
  const containers = lines(await docker('ps', '-aq', '--filter', `label=${runLabel}=${id}`));
  if (containers.length > 0) await docker('rm', '-f', '-v', ...containers).catch(() => {});
  const networks = lines(await docker('network', 'ls', '-q', '--filter', `name=^${networkPrefix}${id}-`));
  await Promise.allSettled(networks.map(removeNetwork));
}

/** Removes the leftovers of runs whose process has ended. */
export async function removeLeftovers(): Promise<void> {
  const ids = new Set<string>();
  for (const id of lines(
    await docker('ps', '-a', '--filter', `label=${runLabel}`, '--format', `{{.Label "${runLabel}"}}`),
  )) {
    ids.add(id);
  }
  for (const name of lines(
    await docker('network', 'ls', '--filter', `name=^${networkPrefix}`, '--format', '{{.Name}}'),
  )) {
    ids.add(name.slice(networkPrefix.length).split('-')[0]!);
  }
  for (const id of ids) if (!alive(Number(id))) await removeRun(id);
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
