import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/**
 * npm run jepsen [-- OPTIONS]
 *
 * The harness of real processes, compiled; with --mutants, the program that puts seeded bugs into them
 * (test/mutants/processes.ts).
 */
const args = process.argv.slice(2);
const at = args.indexOf('--mutants');
if (at < 0) await import(new URL('../dist/jepsen-lite/main.js', import.meta.url).href);
else {
  const { module } = await runnerImport(
    fileURLToPath(new URL('../test/mutants/processes.ts', import.meta.url)),
    { configFile: false, logLevel: 'error' },
  );
  process.exitCode = await module.runProcesses(args.toSpliced(at, 1));
}
