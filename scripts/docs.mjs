import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/**
 * npm run docs [-- --check]
 *
 * Prints the pages that programs know better than people; with --check, fails where one is stale. The work is done by
 * pages.ts, which this file only loads: Node 20 does not read TypeScript.
 */
const { module } = await runnerImport(fileURLToPath(new URL('pages.ts', import.meta.url)), {
  configFile: false,
  logLevel: 'error',
});
process.exitCode = module.updatePages({ check: process.argv.includes('--check') });
