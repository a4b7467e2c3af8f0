import { TocsinError } from '../../src/base/errors.ts';
import { failureOf, renderFailure } from '../commands/failure.ts';
import type { Io, RunLine } from '../commands/io.ts';
import { didYouMean } from '../input/suggest.ts';
import { printable } from '../output/escape.ts';
import { FORMATS } from '../output/formats.ts';
import type { Lines } from './lines.ts';
import { SharedClient } from './shared-client.ts';
import { wordsOf } from './words.ts';

export interface ShellParts {
  readonly io: Io;
  readonly lines: Lines;
  readonly run: RunLine;
  /** Off: the first line that fails ends it, as a script wants it. */
  readonly isInteractive: boolean;
}

/** Words with a dot are for the shell itself; `.set` reaches every flag by its variable. */
const DOTS: Readonly<Record<string, string>> = {
  '.help': 'what there is',
  '.timer on|off': 'tell how long each command took',
  '.consistency LEVEL': 'of reads: linearizable, lease, local',
  '.output FORMAT': 'table, wide, json, jsonl, yaml, csv',
  '.context NAME': 'another cluster from here on',
  '.set FLAG VALUE': 'of every command from here on; without VALUE: no more',
  '.exit': 'leave; so does Ctrl-D',
};

/** Commands of `tocsin` without the first word, one a line, over one connection. */
export class Shell {
  readonly #parts: ShellParts;
  readonly #env: Record<string, string | undefined>;
  readonly #client: SharedClient;
  #isTimed = false;

  constructor(parts: ShellParts) {
    this.#parts = parts;
    this.#env = { ...parts.io.env };
    this.#client = new SharedClient((options) => parts.io.services.connect(options));
  }

  /** Until there are no lines any more. Resolves with the status of the last command that failed where it is a script. */
  async play(): Promise<number> {
    const { lines, isInteractive } = this.#parts;
    try {
      for (;;) {
        const line = await lines.next('tocsin> ');
        if (line === undefined || line.trim() === '.exit') return 0;
        const status = await this.#take(line.trim());
        if (status !== 0 && !isInteractive) return status;
      }
    } finally {
      await this.#client.close();
    }
  }

  async #take(line: string): Promise<number> {
    if (line === '' || line.startsWith('#')) return 0;
    try {
      const words = wordsOf(line);
      if (line.startsWith('.')) return this.#obey(words);
      if (words[0] === 'shell') throw new TocsinError('USAGE', 'this is the shell already');
      return await this.#run(words[0] === 'tocsin' ? words.slice(1) : words);
    } catch (error) {
      const failure = failureOf(error);
      this.#parts.io.stderr.write(
        renderFailure(failure, { isJson: false, width: this.#parts.io.stderr.columns }),
      );
      return failure.exit;
    }
  }

  async #run(words: readonly string[]): Promise<number> {
    const { io, lines, run } = this.#parts;
    const started = performance.now();
    const status = await run(words, {
      stdout: io.stdout,
      stderr: io.stderr,
      // The shell reads it: a command that asks would take the lines that come after it.
      stdin: { isTTY: false, readLine: () => Promise.resolve(undefined) },
      env: this.#env,
      isJournaled: io.isJournaled,
      wall: () => io.wall(),
      loginName: () => io.loginName(),
      onInterrupt: (listener) => lines.onInterrupt(listener),
      outputGone: io.outputGone,
      files: io.files,
      services: { ...io.services, connect: this.#client.connect },
    });
    const took = `${(performance.now() - started).toFixed(1)} ms`;
    if (this.#isTimed) io.stderr.write(`${took}\n`);
    return status;
  }

  #obey([dot = '', first, ...rest]: readonly string[]): number {
    const { io } = this.#parts;
    switch (dot) {
      case '.help':
        for (const [name, says] of Object.entries(DOTS))
          io.stdout.write(`${name.padEnd(20)}  ${says}\n`);
        io.stdout.write('everything else is a command of tocsin: --help lists them\n');
        return 0;
      case '.timer':
        if (first !== 'on' && first !== 'off')
          throw new TocsinError('USAGE', '.timer on or .timer off');
        this.#isTimed = first === 'on';
        return 0;
      case '.consistency':
        return this.#set('consistency', oneOfThese(dot, first, ['linearizable', 'local', 'lease']));
      case '.output':
        return this.#set('output', oneOfThese(dot, first, FORMATS));
      case '.context':
        return this.#set('context', first);
      case '.set':
        if (first === undefined)
          throw new TocsinError('USAGE', '.set FLAG VALUE, such as .set timeout 2s');
        return this.#set(first.replace(/^--/, ''), rest.join(' ') || undefined);
      default: {
        const names = Object.keys(DOTS).map((name) => name.split(' ')[0] ?? '');
        throw new TocsinError('USAGE', `there is no ${printable(dot)}${didYouMean(dot, names)}`);
      }
    }
  }

  #set(flag: string, value: string | undefined): number {
    const variable = `TOCSIN_${flag.toUpperCase().replaceAll('-', '_')}`;
    this.#env[variable] = value;
    return 0;
  }
}

/** Undefined = back to the default. @throws TocsinError USAGE */
function oneOfThese(
  dot: string,
  word: string | undefined,
  known: readonly string[],
): string | undefined {
  if (word === undefined || known.includes(word.toLowerCase())) return word;
  const message = `${dot} ${printable(word)}${didYouMean(word, known)}: must be one of ${known.join(', ')}`;
  throw new TocsinError('USAGE', message);
}
