import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { shippedInterpreter } from './shipped-modules.ts';

const root = new URL('..', import.meta.url).pathname;

export default defineConfig({
  test: {
    root,
    alias: { 'just-bash': shippedInterpreter(root) },
    include: ['test/**/*.test.ts'],
    // Twice what the longest that says nothing else takes on two busy cores.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A second, which is the default, is soon over on two cores that others use as well.
    expect: { poll: { timeout: 20_000 } },
    // A worker keeps more than a core busy: with three on two cores the suite took 545 s of 577 once, and 588 of 558 the next time.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    // What the tests import is loaded once for each worker: a fifth of the whole run. Files share no state but that.
    isolate: false,
    globalSetup: new URL('run-folder.ts', import.meta.url).pathname,
  },
});
