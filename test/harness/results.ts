export type State = 'passed' | 'failed' | 'skipped';

/** The result of each test, by project, file and name; tests with the same name are numbered. */
export type Results = Record<string, State>;

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Records one test of a run. A second one with the same name counts separately, as `name (2)`, in every run the
 * same. */
export function record(results: Results, name: string, state: State): void {
  let own = name;
  for (let number = 2; Object.hasOwn(results, own); number += 1) own = `${name} (${number})`;
  results[own] = state;
}

/**
 * Adds runs up. A test that ran twice counts once, and has failed if it failed in one of them. A group that one run
 * skipped as a whole is not counted beside its tests, which another ran.
 */
export function merge(runs: readonly Results[]): Results {
  const all: Results = {};
  for (const run of runs) {
    for (const [name, state] of Object.entries(run)) {
      const before = all[name];
      all[name] = before === 'failed' || state === 'failed' ? 'failed' : before === 'passed' ? 'passed' : state;
    }
  }
  for (const name of Object.keys(all).filter((one) => all[one] === 'skipped')) {
    const others = runs.filter((run) => !Object.hasOwn(run, name)).flatMap((run) => Object.keys(run));
    if (others.some((other) => other.startsWith(`${name} > `))) delete all[name];
  }
  return all;
}

export function count(results: Results): Count {
  const states = Object.values(results);
  const of = (state: string) => states.filter((other) => other === state).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}

/** The closing line. */
export function sentence({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
