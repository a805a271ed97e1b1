import { defineConfig } from 'vitest/config';

/** Tests against a real broker: they share one, which is started only where one of them runs. */
const KAFKA_TESTS = ['test/contract/kafka.test.ts', 'test/kafka/**/*.test.ts'];

export default defineConfig({
  test: {
    // Two cores are the smallest machine we promise to work on; more workers than cores only add noise.
    maxWorkers: 2,
    testTimeout: 30_000,
    reporters: ['default', 'json'],
    // .ci/run counts from this report.
    outputFile: { json: 'build/test-report.json' },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['node_modules/**', ...KAFKA_TESTS],
        },
      },
      {
        extends: true,
        test: {
          name: 'kafka',
          include: KAFKA_TESTS,
          globalSetup: 'test/kafka/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
