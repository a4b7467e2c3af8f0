import type { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { printable } from '../output/escape.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { shellQuote } from './shell-quote.ts';
import { parseText } from './values.ts';

/** For commands whose effect nobody can take back. */
export interface DangerFlags {
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean;
  readonly confirm?: string;
}

/** `what` is what has to be typed: `the id of the cluster`. */
export const addDangerOptions = (command: Command, what: string): Command =>
  command
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--confirm <text>', `${what}, to go on without being asked`, parseText);

/**
 * Resolves when somebody has typed, or given by flag, the word that shows that they know what they touch. Never asks
 * where nobody sits in front of it.
 * @throws TocsinError USAGE otherwise
 */
export async function mustConfirm(
  io: Io,
  flags: DangerFlags,
  { does, word }: { readonly does: string; readonly word: string },
): Promise<void> {
  const hint = `to do it without being asked: --confirm ${shellQuote(word)}`;
  if (flags.confirm === word) return;
  if (flags.confirm !== undefined)
    throw usageError(`--confirm ${flags.confirm} is not ${word}: nothing was done`, hint);
  if (!io.stdin.isTTY || !io.stderr.isTTY)
    throw usageError(`this ${does}, and nobody confirmed it: nothing was done`, hint);
  io.stderr.write(`this ${printable(does)}\ntype ${printable(word)} to go on: `);
  const typed = await answerOf(io);
  if (typed?.trim() !== word) throw usageError(`that is not ${word}: nothing was done`, hint);
}

/** The line that somebody types. @throws TocsinError CANCELLED at Ctrl-C, which means no */
async function answerOf(io: Io): Promise<string | undefined> {
  const interrupt = new AbortController();
  const forget = io.onInterrupt(() => {
    io.stderr.write('\n');
    interrupt.abort();
  });
  try {
    return await Promise.race([io.stdin.readLine(), rejectionOf(interrupt.signal)]);
  } finally {
    forget();
  }
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () =>
      reject(new TocsinError('CANCELLED', 'interrupted: nothing was done')),
    );
  });
