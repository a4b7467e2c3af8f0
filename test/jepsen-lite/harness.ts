import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { programPath } from '../../cli/local/program.ts';
import { childIsGone, reapChild } from '../../cli/local/reaper.ts';
import { must } from '../../src/base/assert.ts';

/** The command under test, as a tester runs it. */
export interface Harness {
  readonly pid: number;
  /** What it said so far, on both outputs. */
  readonly said: string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly status: number | null; readonly printed: string }>;
}

export function startJepsen(args: readonly string[]): Harness {
  const main = join(programPath(), '..', '..', 'jepsen-lite', 'main.js');
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const pid = must(child.pid, 'a process');
  reapChild(pid);
  let printed = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<{ status: number | null; printed: string }>((resolve) =>
    child.once('close', (status) => {
      childIsGone(pid);
      resolve({ status, printed });
    }),
  );
  return {
    pid,
    get said() {
      return said;
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** Runs the command to its end. */
export const jepsen = (args: readonly string[]): Harness['ended'] => startJepsen(args).ended;
