import { spawnSync } from 'node:child_process';
import { describe, test } from 'vitest';

/**
 * What a machine lacks, so that tests are skipped. With CI=true or MESHGATE_MESH_REQUIRED=1 it is an error.
 * @param line what is missing
 */
export function lacking(line: string): string {
  if (process.env.CI === 'true' || process.env.MESHGATE_MESH_REQUIRED === '1') throw new Error(line);
  return line;
}

/** Why there is no image, for {@link describeWith}; undefined: it is there. An engine that gives another answer is in
 * trouble, and that is an error: it must not look like a machine without the image.
 * @param part the argument of test/images/prepare.sh that makes the image */
export function lacksImage(image: string, part: string): string | undefined {
  const requested = spawnSync('docker', ['image', 'inspect', '--format', '{{.Id}}', image], { encoding: 'utf8' });
  if (requested.status === 0) return undefined;
  const isAbsent =
    (requested.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT' ||
    /No such image|Cannot connect to the Docker daemon/i.test(requested.stderr);
  if (!isAbsent)
    throw new Error(`docker image inspect ${image}: ${requested.error?.message ?? requested.stderr.trim()}`);
  return lacking(`no image ${image}: test/images/prepare.sh ${part} makes it, or says what it lacks`);
}

/**
 * A group of tests that needs something which a machine can lack. If it is missing, one test with the group's name is
 * skipped and says why.
 *
 * @param lacks what is missing, in a line; undefined: nothing
 */
export function describeWith(lacks: string | undefined, name: string, tests: () => void | Promise<void>): void {
  if (lacks === undefined) describe(name, tests);
  else test(name, ({ skip }) => skip(lacks));
}
