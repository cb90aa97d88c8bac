import { execFileSync } from 'node:child_process';
import { meshImage } from '../../harness/images.ts';

export { meshImage };

/**
 * What the tests on a real mesh lack, in one line, for `describeWith`; undefined: nothing. The image is built from Go
 * modules. With CI=true or MESHGATE_MESH_REQUIRED=1 a missing one is an error.
 */
export function lacksMesh(): string | undefined {
  try {
    execFileSync('docker', ['image', 'inspect', '--format', '{{.Id}}', meshImage], { stdio: 'pipe' });
    return undefined;
  } catch {
    const line = `no image ${meshImage}: test/images/prepare.sh mesh builds it, or says what it lacks`;
    if (process.env.CI === 'true' || process.env.MESHGATE_MESH_REQUIRED === '1') throw new Error(line);
    return line;
  }
}
