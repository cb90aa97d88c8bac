import { defineConfig } from 'vitest/config';

/** Tests on containers: they start in seconds and run in few files at once, for machines of two cores. */
const onContainers = (name: string) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: ['test/harness/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
  },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', './test/harness/summary.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 } },
      onContainers('gateway'),
      onContainers('security'),
      onContainers('mesh'),
    ],
  },
});
