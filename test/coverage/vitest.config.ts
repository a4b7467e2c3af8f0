import { defineConfig, type ViteUserConfig } from 'vitest/config';

const PURE = ['src/raft/**/*.ts', 'src/statemachine/**/*.ts'];

/** For `npm run test:coverage`: how much of what agrees and of what decides about alerts their own tests go through. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      'test/raft/**/*.test.ts',
      'test/statemachine/**/*.test.ts',
      'test/client/inputs.test.ts',
    ],
    setupFiles: ['test/setup.ts', 'test/draws.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: PURE,
      reporter: ['text', 'json-summary'],
      thresholds: Object.fromEntries(PURE.map((glob) => [glob, { branches: 95 }])),
    },
  },
});

export default config;
