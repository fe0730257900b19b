// Two projects. `quick` needs no mount and runs from the sources; `mount` mounts for real and runs dist/, so build
// first.

import { defineConfig } from 'vitest/config';

/** The folders of test/ that need no mount. A test file outside of these and of test/mount/ would never run. */
export const QUICK_FOLDERS = ['unit', 'wire', 'contract', 'model', 'posix', 'crash', 'compat', 'regress'];

const FUZZ_SETUP = './test/support/fuzz-budget.ts';

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'quick',
          include: ['test/tidy.test.ts', `test/{${QUICK_FOLDERS.join(',')}}/**/*.test.ts`],
          setupFiles: [FUZZ_SETUP],
          // Native modules are loaded: a crash of one must not take the runner along.
          pool: 'forks',
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'mount',
          include: ['test/mount/**/*.test.ts'],
          setupFiles: [FUZZ_SETUP],
          pool: 'forks',
          // One file at a time, and after the quick tests: several assert times and space figures.
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
