import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { removeLeftovers, removeRun, runId } from './docker.ts';

const prepare = fileURLToPath(new URL('../images/prepare.sh', import.meta.url));
let prepared = false;

/** Before the first file: removes leftovers of dead runs, and builds images. After the last: removes everything of the
 * tests. */
export async function setup(): Promise<() => Promise<void>> {
  const id = runId();
  if (!prepared) {
    prepared = true;
    // MESHGATE_PREPARE: other parts than all images ("node envoy"), or none ("").
    const parts = (process.env.MESHGATE_PREPARE ?? 'images').split(' ').filter((part) => part !== '');
    if (parts.length > 0) {
      const { status } = spawnSync(prepare, parts, { stdio: ['ignore', 'inherit', 'inherit'] });
      if (status !== 0) throw new Error(`${prepare} ${parts.join(' ')} failed`);
    }
    await removeLeftovers();
  }
  return () => removeRun(id);
}
