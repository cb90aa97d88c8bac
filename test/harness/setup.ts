import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { removeLeftovers, removeRun, runId } from './docker.ts';

const prepare = fileURLToPath(new URL('../images/prepare.sh', import.meta.url));
let prepared = false;

/** Before the first file: what dead runs left behind is removed, images are built. After the last: nothing of ours stays. */
export async function setup(): Promise<() => Promise<void>> {
  const id = runId();
  if (!prepared) {
    prepared = true;
    const { status } = spawnSync(prepare, ['images'], { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0) throw new Error(`${prepare} images failed`);
    await removeLeftovers();
  }
  return () => removeRun(id);
}
