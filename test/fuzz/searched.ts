import { TestRunner } from 'vitest';
import type { Case } from '../harness/cases.ts';

/** The search of a test for `make fuzz`. */
export interface Searched {
  /** The property, or the hunt. */
  readonly what: string;
  /** Random values of a property, or mutants and cells of a hunt. */
  readonly runs: number;
  readonly found: readonly Case[];
}

declare module 'vitest' {
  interface TaskMeta {
    searched?: Searched[];
  }
}

/** Reports the search of the running test to the reporter of `make fuzz`. */
export function tellFuzz(one: Searched): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) return;
  test.meta.searched ??= [];
  test.meta.searched.push(one);
}
