import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { TocsinError } from '../../src/base/errors.ts';

/** See `Services.runProgram`. */
export function runProgram(
  [file = '', ...args]: readonly string[],
  input: string,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'inherit', 'inherit'], signal });
    child.once('error', (error) => {
      if (signal.aborted) reject(error);
      else
        reject(
          new TocsinError('USAGE', `${file} cannot be run: ${error.message}`, { cause: error }),
        );
    });
    child.once('close', (code, ended) => {
      resolve(code ?? 128 + (ended === null ? 0 : constants.signals[ended]));
    });
    // One that does not read what it is given is not at fault.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
