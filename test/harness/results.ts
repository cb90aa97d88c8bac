/** What became of each test, by project, file and name. */
export type Results = Record<string, 'passed' | 'failed' | 'skipped'>;

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Adds runs up; a test that ran twice counts once, and has failed if it failed in one of them. */
export function merge(runs: readonly Results[]): Results {
  const all: Results = {};
  for (const run of runs) {
    for (const [name, state] of Object.entries(run)) {
      const before = all[name];
      all[name] = before === 'failed' || state === 'failed' ? 'failed' : before === 'passed' ? 'passed' : state;
    }
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
