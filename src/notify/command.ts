import { type ChildProcess, spawn } from 'node:child_process';
import { NOTIFY_OUTPUT_BYTES_MAX } from '../base/limits.ts';
import { bodyOf } from './body.ts';
import type { Delivery, Page, Sender } from './types.ts';

export interface CommandOptions {
  readonly program: string;
  readonly args?: readonly string[];
}

/**
 * Runs a program for each page: the page as JSON on its standard input, its id in TOCSIN_NOTIFICATION. Exit status 0
 * confirms, 75 (EX_TEMPFAIL, sysexits.h) says that it was taken and no more, anything else failed, with the last line of
 * its standard error. No shell is involved, so nothing in an alert can become a command.
 */
export class CommandSender implements Sender {
  readonly #program: string;
  readonly #args: readonly string[];

  constructor({ program, args = [] }: CommandOptions) {
    this.#program = program;
    this.#args = args;
  }

  send(page: Page, signal: AbortSignal): Promise<Delivery> {
    return new Promise((resolve) => {
      const child = spawn(this.#program, this.#args, {
        stdio: ['pipe', 'ignore', 'pipe'],
        env: { ...process.env, TOCSIN_NOTIFICATION: page.id },
      });
      const giveUp = (): void => void child.kill('SIGKILL');
      signal.addEventListener('abort', giveUp);
      if (signal.aborted) giveUp();
      const said = lastLineOf(child);
      const end = (delivery: Delivery): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(delivery);
      };
      child.once('error', (error) => end({ outcome: 'failed', detail: error.message }));
      child.once('close', (status) =>
        end(
          signal.aborted
            ? { outcome: 'sent', detail: 'no answer in time' }
            : verdictOn(status, said()),
        ),
      );
      // A program may end without reading what it is given.
      child.stdin?.on('error', () => {});
      child.stdin?.end(`${bodyOf(page)}\n`);
    });
  }
}

const TAKEN_STATUS = 75;

function verdictOn(status: number | null, said: string): Delivery {
  const detail = said === '' ? `exit ${status ?? 'by a signal'}` : said;
  if (status === TAKEN_STATUS) return { outcome: 'sent', detail };
  return { outcome: status === 0 ? 'confirmed' : 'failed', detail };
}

/** Collects the end of what a program complains of, bounded. */
function lastLineOf(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-NOTIFY_OUTPUT_BYTES_MAX);
  });
  return () => tail.trimEnd().split('\n').at(-1) ?? '';
}
