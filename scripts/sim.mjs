import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/**
 * npm run sim [-- OPTIONS]
 *
 * The simulator, compiled; with --mutants, the program that puts seeded bugs into it (test/mutants/simulated.ts).
 */
const args = process.argv.slice(2);
const at = args.indexOf('--mutants');
if (at < 0) await import(new URL('../dist/src/testing/sim/main.js', import.meta.url).href);
else {
  const { module } = await runnerImport(
    fileURLToPath(new URL('../test/mutants/simulated.ts', import.meta.url)),
    { configFile: false, logLevel: 'error' },
  );
  process.exitCode = await module.runSimulated(args.toSpliced(at, 1));
}
