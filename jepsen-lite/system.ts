import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a command of the system, and answers with what it printed. @throws Error with what it said, when it fails */
export async function system(words: readonly string[]): Promise<string> {
  const [command = '', ...args] = words;
  const { stdout } = await run(command, args);
  return stdout;
}
