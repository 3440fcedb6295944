import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A service each, started by the test files themselves, which wait for them half of the time: one more than cores.
    maxWorkers: 3,
    // A file leaves nothing behind in its process, so that the next one finds loaded what all of them import.
    isolate: false,
    // What hangs ends; how fast a machine is that others share, no test asks.
    testTimeout: 240_000,
    hookTimeout: 300_000,
    // A service writes its log when it has the time.
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', './test/summary-reporter.ts'],
  },
});
