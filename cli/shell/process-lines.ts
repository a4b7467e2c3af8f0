import { createInterface } from 'node:readline';
import { SHELL_HISTORY_MAX } from '../../src/base/limits.ts';
import type { Lines, LinesOptions } from './lines.ts';

/** The lines that somebody types at the terminal of this process, or that stand on its standard input. */
export function processLines({ history, complete }: LinesOptions): Lines {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  let known = history;
  const reader = createInterface({
    input: process.stdin,
    terminal: isTerminal,
    history: [...history],
    historySize: SHELL_HISTORY_MAX,
    removeHistoryDuplicates: true,
    ...(isTerminal ? { output: process.stdout } : {}),
    completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
      const last = /\S*$/.exec(line)?.[0] ?? '';
      complete(line).then(
        (found) => done(null, [found.map((word) => `${word} `), last]),
        () => done(null, [[], last]),
      );
    },
  });
  reader.on('history', (lines) => {
    known = lines;
  });
  const waiting: string[] = [];
  let ask: ((line: string | undefined) => void) | undefined;
  let isOver = false;
  const give = (line: string | undefined): void => {
    const taker = ask;
    ask = undefined;
    taker?.(line);
  };
  reader.on('line', (line) => {
    if (ask === undefined) waiting.push(line);
    else give(line);
  });
  reader.on('close', () => {
    isOver = true;
    give(undefined);
  });
  const listeners = new Set<() => void>();
  reader.on('SIGINT', () => {
    if (listeners.size > 0) {
      for (const listener of [...listeners]) listener();
      return;
    }
    // Nothing runs: the line that was begun is given up.
    reader.write(null, { ctrl: true, name: 'e' });
    reader.write(null, { ctrl: true, name: 'u' });
    process.stdout.write('\n');
    reader.prompt();
  });
  return {
    next: (prompt) => {
      const line = waiting.shift();
      if (line !== undefined || isOver) return Promise.resolve(line);
      reader.setPrompt(prompt);
      if (isTerminal) reader.prompt();
      return new Promise((resolve) => {
        ask = resolve;
      });
    },
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get history(): readonly string[] {
      return known;
    },
    close: () => reader.close(),
  };
}
