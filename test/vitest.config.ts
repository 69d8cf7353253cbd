import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Twice what the longest that says nothing else takes on two busy cores.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A second, which is the default, is soon over on two cores that others use as well.
    expect: { poll: { timeout: 20_000 } },
    // One more than the cores of CI: tests wait a quarter of the time, for clocks and for what they have killed.
    maxWorkers: 3,
    // What the tests import is loaded once for each worker: a fifth of the whole run. Files share no state but that.
    isolate: false,
    globalSetup: new URL('run-folder.ts', import.meta.url).pathname,
  },
});
