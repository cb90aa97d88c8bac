import { Session } from 'node:inspector';

/*
 * Counts the work of a program without a clock: how often each function, and each block in it, is entered. A program
 * that is loaded before `countSteps` counts its functions only.
 */

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

/** Starts to count, and returns a function that counts the steps of a piece of work in the files of src/. */
export function countSteps(): (work: () => unknown) => number {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const take = (): number => {
    let steps = 0;
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error;
      const own = (coverage as unknown as Coverage).result.filter(({ url }) => url.includes('/src/'));
      for (const { count } of own.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))) steps += count;
    });
    return steps;
  };
  return (work) => {
    take();
    work();
    return take();
  };
}
