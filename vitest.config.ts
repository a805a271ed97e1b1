import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Two cores are the smallest machine we promise to work on; more workers than cores only add noise.
    maxWorkers: 2,
    testTimeout: 30_000,
    reporters: ['default', 'json'],
    // .ci/run counts from this report.
    outputFile: { json: 'build/test-report.json' },
  },
});
