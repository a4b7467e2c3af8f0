import { processIo } from './commands/process-io.ts';
import { run } from './commands/run.ts';

const status = await run(process.argv.slice(2), processIo());
// What is still open (a connection that does not answer, a timer) must not keep an ended command alive.
process.exit(status === 0 ? process.exitCode : status);
