import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { TestRunner } from 'vitest';
import { tellFuzz } from '../fuzz/searched.ts';
import { type PropertyCase, storedCases } from './cases.ts';
import { seeds } from './seeds.ts';

/** How long `make fuzz` searches in each property, after the usual number of runs. */
const searchMs = Number(process.env.MESHGATE_FUZZ_MS ?? 0);

/** The number of properties that a test has checked so far: each has its own seed and cases. */
const requested = new WeakMap<object, number>();

/** The name of the running test's next property: file and test, with a number if it is not the first. */
function nextName(): string {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error('holds() is called outside a test');
  const count = (requested.get(test) ?? 0) + 1;
  requested.set(test, count);
  return count === 1 ? test.fullName : `${test.fullName} (${count})`;
}

/** fast-check uses numbers of 32 bits for seeds. */
const numberOf = (text: string): number => createHash('sha256').update(text).digest().readInt32BE();

/** A seed of its own for each name, so that the order of files and tests changes nothing. */
const seedOf = (name: string): number => numberOf(`${seeds.properties} ${name}`);

/** Calls `then` with a value, or with the result of a promise. */
function after<T>(value: T | Promise<T>, then: (value: T) => unknown): unknown {
  return value instanceof Promise ? value.then(then) : then(value);
}

/** Calls functions in order, each one after the promise of the one before. */
function inOrder(steps: readonly (() => unknown)[]): unknown {
  const [first, ...rest] = steps;
  return first && after(first(), () => inOrder(rest));
}

/** Runs a step, and says of its failure that a stored case is the reason. */
const ofCase = (step: () => unknown) => (): unknown => {
  const fail = (error: unknown): never => {
    const { message } = error as Error;
    throw new Error(`a stored case of test/cases.jsonl fails:\n${message}`, { cause: error });
  };
  try {
    const result = step();
    return result instanceof Promise ? result.catch(fail) : result;
  } catch (error) {
    return fail(error);
  }
};

type Property = fc.IRawProperty<unknown>;
type Parameters = fc.Parameters<unknown>;
const check = (property: Property, parameters: Parameters) =>
  fc.check(property, parameters) as fc.RunDetails<unknown> | Promise<fc.RunDetails<unknown>>;

/**
 * Asserts that a property holds: for the cases that are stored for it, then for random values. The values are the same
 * in each run, since their seed is stored. `make fuzz` runs this with a fresh seed and for longer.
 *
 * @param property of fast-check
 * @param runs number of random values
 */
export function holds<T>(property: fc.IProperty<T>, runs?: number): void;
export function holds<T>(property: fc.IAsyncProperty<T>, runs?: number): Promise<void>;
export function holds(property: Property, runs = 100): unknown {
  const name = nextName();
  const stored = storedCases().filter((one): one is PropertyCase => 'property' in one && one.property === name);
  const examples = stored.flatMap((one) => ('values' in one ? [one.values] : []));
  const replays = stored.flatMap((one): Parameters[] =>
    'path' in one ? [{ seed: one.seed, path: one.path, endOnFailure: true }] : [],
  );
  const assert = (parameters: Parameters) => () => fc.assert(property, parameters);
  const ofExamples = examples.length > 0 ? [assert({ numRuns: examples.length, examples })] : [];
  const cases = [...replays.map(assert), ...ofExamples].map(ofCase);
  if (searchMs === 0) return inOrder([...cases, assert({ seed: seedOf(name), numRuns: runs })]);

  const search = (parameters: Parameters) => () =>
    after(check(property, parameters), (first) =>
      after(smallest(property, first), (details) =>
        after(foundBy(property, name, details), (found) => {
          tellFuzz({ what: name, runs: first.numRuns, found: found === undefined ? [] : [found] });
          if (isFalse(details)) return fc.assert(property, { seed: details.seed, ...pathOf(details) });
        }),
      ),
    );
  return inOrder([
    ...cases,
    search({ seed: seedOf(name), numRuns: runs }),
    search({ seed: seedOf(`${name} for longer`), numRuns: 1e9, interruptAfterTimeLimit: searchMs }),
  ]);
}

/** Whether there is a counterexample. A search that its time ended before the first run has "failed" without one. */
const isFalse = ({ failed, counterexample }: fc.RunDetails<unknown>): boolean => failed && counterexample !== null;

/** The same counterexample, made as small as possible. The time of a search ends its shrinking as well. */
const smallest = (property: Property, details: fc.RunDetails<unknown>) =>
  isFalse(details) && details.interrupted ? check(property, { seed: details.seed, ...pathOf(details) }) : details;

const pathOf = ({ counterexamplePath }: fc.RunDetails<unknown>) =>
  counterexamplePath !== null && { path: counterexamplePath };

/** The case of a counterexample: its values if they fail after they were written as JSON, or otherwise the path to
 * them. */
function foundBy(property: Property, name: string, details: fc.RunDetails<unknown>) {
  const { counterexample, counterexamplePath, seed } = details;
  if (counterexample === null || counterexamplePath === null) return undefined;
  const byPath: PropertyCase = { property: name, seed, path: counterexamplePath, shown: fc.stringify(counterexample) };
  let values: unknown[];
  try {
    values = JSON.parse(JSON.stringify(counterexample));
  } catch {
    return byPath;
  }
  return after(check(property, { numRuns: 1, examples: [values], endOnFailure: true }), (again) =>
    again.failed ? { property: name, values } : byPath,
  ) as PropertyCase | Promise<PropertyCase>;
}

/** Values to test with: the same in each run, also in `make fuzz`, which finds cases of properties only. */
export function draw<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: numberOf(seeds.values) });
}
