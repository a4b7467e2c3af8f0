import { defineConfig } from 'vitest/config';
import { mutating } from './test/mutants/plugin.ts';

const { MUTANT } = process.env;

export default defineConfig({
  // One seeded bug in the sources, when the run is there to show that the tests find it.
  plugins: MUTANT === undefined ? [] : [mutating(MUTANT, import.meta.dirname)],
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts', 'test/draws.ts'],
    // A process per file: nothing a file leaves behind can help or hurt the next one.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'cli/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
    },
  },
});
