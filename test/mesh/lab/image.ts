import { execFileSync } from 'node:child_process';
import { meshImage } from '../../harness/images.ts';

export { meshImage };

/**
 * Whether the tests on a real mesh can run: `describe.skipIf(!hasMesh())`. Where the image is missing (it is built from
 * Go modules) they are skipped and say so in a line; with CI=true or MESHGATE_MESH_REQUIRED=1 that is an error.
 */
export function hasMesh(): boolean {
  try {
    execFileSync('docker', ['image', 'inspect', '--format', '{{.Id}}', meshImage], { stdio: 'pipe' });
    return true;
  } catch {
    const line = `no image ${meshImage}: test/images/prepare.sh mesh builds it, or says what it lacks`;
    if (process.env.CI === 'true' || process.env.MESHGATE_MESH_REQUIRED === '1') throw new Error(line);
    console.warn(`skipped, ${line}`);
    return false;
  }
}
