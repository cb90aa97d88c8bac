import { describe, test } from 'vitest';

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
