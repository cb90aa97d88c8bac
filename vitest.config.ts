import { defineConfig } from 'vitest/config';
import LongestFirst, { SWEEPS } from './test/harness/order.ts';

/** How long a test may take. None tests how fast the machine is, and a slow one that is busy takes minutes. */
const testTimeout = 300_000;

/** Tests without containers. One load of the modules for all: they keep no state that another file would see. */
const inNode = (name: string, include: string[], exclude: string[], isolate = false) => ({
  test: { name, include, exclude, testTimeout, hookTimeout: testTimeout, isolate, allowOnly: false },
});

/** Tests on containers: they start in seconds and run in few files at once, for machines of two cores. */
const onContainers = (name: string, others: string[] = []) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`, ...others],
    globalSetup: ['test/harness/setup.ts'],
    // Longer than two waits for a state (PATIENCE_MS), so that the one that fails names its state.
    testTimeout,
    hookTimeout: 600_000,
    // As for the unit tests: one load of the modules for all files of a worker.
    isolate: false,
    // Node itself strips the types. Vite would transform each module once for each project, for a minute of a core.
    experimental: { viteModuleRunner: false },
    allowOnly: false,
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
  },
});

/** Stands with the unit tests, because it runs their specs, and needs a container: the njs of the gateway. */
const IN_NJS = ['test/unit/njs/specs.test.ts'];

/** It counts steps, also those of blocks, and so loads the files of src itself (test/harness/steps.ts). */
const COUNTED = ['test/unit/linear-policy.test.ts'];

/** After `make check` has passed on the same checkout, .ci/run does not run its tests again in `make test`. */
const isChecked = process.env.MESHGATE_CHECKED === '1';

export default defineConfig({
  test: {
    // One more than cores: tests on containers wait as often as they work.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Single tests are of interest when they fail, and files when they end.
    slowTestThreshold: 60_000,
    // A missing snapshot is a failure, on every machine; `vitest run FILE -u` writes it.
    update: 'none',
    reporters: [['default', { summary: false }], './test/harness/progress.ts', './test/harness/summary.ts'],
    projects: [
      ...(isChecked ? [] : [inNode('unit', ['test/unit/**/*.test.ts'], [...SWEEPS, ...IN_NJS, ...COUNTED])]),
      inNode('counted', COUNTED, [], true),
      inNode('sweeps', SWEEPS, []),
      onContainers('gateway', IN_NJS),
      onContainers('security'),
      onContainers('mesh'),
    ],
  },
});
