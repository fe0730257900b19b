// Three projects, one after the other. `quick` needs no mount and runs from the sources; `mount` and `measured` mount for
// real and run dist/, so build first.

import { defineConfig } from 'vitest/config';

/** The folders of test/ that need no mount. */
const QUICK_FOLDERS = ['unit', 'wire', 'contract', 'model', 'posix', 'crash', 'compat', 'regress'];

/** All folders of test/ with test files. One anywhere else would never run. */
export const TEST_FOLDERS = [...QUICK_FOLDERS, 'mount', 'measured'];

/** A limit for all machines: files that run side by side compete for the disk. */
const FILES_AT_ONCE = 2;

const FUZZ_SETUP = './test/support/fuzz-budget.ts';
const MOUNT_TIME_LIMIT_MS = 120_000;

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
          maxWorkers: FILES_AT_ONCE,
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
          maxWorkers: FILES_AT_ONCE,
          testTimeout: MOUNT_TIME_LIMIT_MS,
          hookTimeout: MOUNT_TIME_LIMIT_MS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'measured',
          include: ['test/measured/**/*.test.ts'],
          setupFiles: [FUZZ_SETUP],
          pool: 'forks',
          // They measure times, memory or flushes: one at a time, with the machine to itself.
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: MOUNT_TIME_LIMIT_MS,
          hookTimeout: MOUNT_TIME_LIMIT_MS,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
