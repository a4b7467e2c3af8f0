import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/**
 * npm run test:mutants [-- NAME…]
 *
 * Only loads test/mutants/runner.ts, which does the work: Node 20 does not read TypeScript.
 */
const { module } = await runnerImport(
  fileURLToPath(new URL('../test/mutants/runner.ts', import.meta.url)),
  { configFile: false, logLevel: 'error' },
);
process.exitCode = await module.runMutants(process.argv.slice(2));
