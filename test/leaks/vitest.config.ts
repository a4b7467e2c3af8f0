import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** For test/leaks.test.ts alone, which runs the sample to see some of its tests fail. */
const config: ViteUserConfig = defineConfig({
  test: { include: ['test/leaks/sample.ts'], setupFiles: ['test/setup.ts'], pool: 'forks' },
});

export default config;
